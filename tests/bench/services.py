"""The servers of a benchmark: sluice by scripts/instance, and the yardsticks."""
import os
import pwd
import shlex
import signal
import socket
import subprocess
import time

from measure import run, say

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, seconds=15):
    end = time.time() + seconds
    while time.time() < end:
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("nothing listens on 127.0.0.1:%d after %d s" % (port, seconds))


class Instance:
    """A whole sluice behind a real web server."""

    def __init__(self, directory, build, front="nginx", settings=()):
        self.dir = directory
        argv = [TOP + "/scripts/instance", "start", directory, "--front", front, "--build", build]
        for s in settings:
            argv += ["--set", s]
        say("starting sluice behind %s" % front)
        run([TOP + "/scripts/instance", "destroy", directory])
        run(argv)
        self.env = {}
        for line in run([TOP + "/scripts/instance", "env", directory]).splitlines():
            line = line.removeprefix("export ")
            if "=" in line:
                k, v = line.split("=", 1)
                self.env[k] = "".join(shlex.split(v))
        self.url, self.token = self.env["SLUICE_URL"], self.env["SLUICE_TOKEN"]

    def pid(self, name):
        value = self.env[name]
        if os.path.exists(value):
            value = open(value).read().strip()
        return int(value)

    def stop_worker(self):
        pid = self.pid("SLUICE_WORKER_PID")
        os.kill(pid, signal.SIGTERM)
        while os.path.exists("/proc/%d" % pid):
            time.sleep(0.05)

    def sql(self, text):
        return run(["psql", "-X", "-q", "-A", "-t", "-d", self.env["SLUICE_DSN"], "-c", text]).strip()

    def stop(self):
        run([TOP + "/scripts/instance", "destroy", self.dir])


class Process:
    """A yardstick server of our own, ended by its pid."""

    def __init__(self, argv, port, env=None, log=None):
        self.p = subprocess.Popen(argv, env=dict(os.environ, **(env or {})), start_new_session=True,
                                  stdout=log or subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.port = port
        try:
            wait_port(port)
        except RuntimeError:
            self.stop()
            raise

    def stop(self):
        if self.p.poll() is None:
            os.killpg(self.p.pid, signal.SIGTERM)
            try:
                self.p.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.p.pid, signal.SIGKILL)
                self.p.wait()


def service_user():
    """Whom servers started by root run as."""
    for name in ("www-data", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            pass
    raise RuntimeError("no unprivileged user found")


NGINX = """
%(user)s
daemon off;
worker_processes 2;
pid %(dir)s/nginx.pid;
error_log %(dir)s/error.log;
events { worker_connections 2048; }
http {
  access_log off;
  sendfile on;
  default_type application/octet-stream;
  client_max_body_size 0;
  client_body_buffer_size 256k;
  client_body_temp_path %(dir)s/body;
  proxy_temp_path %(dir)s/t1; fastcgi_temp_path %(dir)s/t2; uwsgi_temp_path %(dir)s/t3;
  scgi_temp_path %(dir)s/t4;
  server {
    listen 127.0.0.1:%(port)d backlog=4096;
    location /dav/ { alias %(dir)s/dav/; dav_methods PUT DELETE; create_full_put_path on; }
    location /static/ { alias %(dir)s/static/; }
    location /upload {
      fastcgi_pass unix:%(dir)s/php.sock;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param SCRIPT_FILENAME "%(php)s";
    }
  }
}
"""


class Nginx(Process):
    """Plain nginx: DAV PUT, static files, and the door to PHP-FPM."""

    def __init__(self, directory, php=""):
        for d in ("dav", "static", "body"):
            os.makedirs(directory + "/" + d, exist_ok=True)
        port = free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        with open(directory + "/nginx.conf", "w") as f:
            f.write(NGINX % {"dir": directory, "port": port, "user": user, "php": php})
        super().__init__(["nginx", "-p", directory, "-c", directory + "/nginx.conf",
                          "-e", directory + "/error.log"], port)
        self.url = "http://127.0.0.1:%d" % port


class Php:
    """PHP-FPM on a unix socket, as many children as sluice has."""

    def __init__(self, directory, children, pdo):
        binary = next((b for b in ("/usr/sbin/php-fpm8.2", "/usr/sbin/php-fpm8.3", "/usr/sbin/php-fpm8.4")
                       if os.path.exists(b)), None)
        if binary is None:
            raise RuntimeError("php-fpm is not installed")
        conf = directory + "/fpm.conf"
        user = "user = root\ngroup = root\n" if os.geteuid() == 0 else ""
        with open(conf, "w") as f:
            f.write("[global]\nerror_log = %s/fpm.log\ndaemonize = no\n[www]\n%s"
                    "listen = %s/php.sock\nlisten.backlog = 4096\npm = static\npm.max_children = %d\n"
                    "env[BENCH_DIR] = %s\nenv[BENCH_PDO] = \"%s\"\n"
                    % (directory, user, directory, children, directory, pdo))
        self.p = subprocess.Popen([binary, "-F", "-y", conf, "-d", "upload_max_filesize=0",
                                   "-d", "post_max_size=0"]
                                  + (["-R"] if os.geteuid() == 0 else []),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True)
        end = time.time() + 10
        while not os.path.exists(directory + "/php.sock"):
            if time.time() > end or self.p.poll() is not None:
                raise RuntimeError("php-fpm did not start: see %s/fpm.log" % directory)
            time.sleep(0.05)

    stop = Process.stop
