"""A sluice-fcgi of a test's own, beside those of an instance: its database and store, an own socket
and settings, no web server in front.

    service = Service(sluice, directory, how="socket", set={"pool.max_children": "2"})
    service.request("PUT", "/api/upload/a.txt", b"hello").status

how: "socket" its own listening socket, with a master; "fd0" as spawn-fcgi and mod_fcgid start it;
"systemd" with LISTEN_FDS.
"""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import fcgi
import openapi
from instance import LogWatch, ini, process_runs, wait_for

STARTER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_FDS"] = "1"
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Service(LogWatch):
    def __init__(self, instance, directory, how="socket", set=None, wrapper=(), address=None,
                 timeout=20):
        super().__init__()
        self.instance = instance
        self.how = how
        self.dir = Path(directory)
        self.user = pwd.getpwnam(instance.env["SLUICE_USER"])
        self.program = f"{instance.env['SLUICE_BIN']}/sluice-fcgi"
        self.socket = address or str(self.dir / "s")
        self.log_file = self.dir / "stderr.log"
        self._configure(set or {})
        self._start(list(wrapper))
        self._wait_until_it_serves(timeout)

    # -- life ------------------------------------------------------------------------------

    def _configure(self, set):
        etc = self.dir / "etc"
        shutil.copytree(self.instance.conf.parent, etc)
        self.conf = etc / "sluice.conf"
        self.settings = {"pool.listen": self.socket, "pool.max_children": "2",
                         "pool.min_spare": "1", **set}
        self._write_settings()
        if os.geteuid() == 0:
            for path in [self.dir, *self.dir.rglob("*")]:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self.dir.chmod(0o755)

    def _write_settings(self):
        path = self.conf.parent / "conf.d" / "90-test.conf"
        path.write_text(ini(self.settings))
        path.chmod(0o644)

    def _start(self, wrapper):
        command = [*wrapper, self.program, "-c", str(self.conf)]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                       "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""),
                       "UBSAN_OPTIONS": os.environ.get("UBSAN_OPTIONS", "")}
        args = {"stdin": subprocess.DEVNULL, "env": environment, "cwd": "/"}
        listener = None
        if self.how in ("fd0", "systemd"):
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self.socket)
            os.chmod(self.socket, 0o666)
            listener.listen(64)
        if self.how == "fd0":
            args["stdin"] = listener
        elif self.how == "systemd":
            args["pass_fds"] = [listener.fileno()]
            command = ["/usr/bin/python3", "-c", STARTER, str(listener.fileno())] + command
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **args)
        self.pid = self.process.pid
        if listener:
            listener.close()

    def _wait_until_it_serves(self, timeout):
        def serves():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.log()}")
            try:
                return fcgi.request(self.socket, "GET", "/health").status == 200
            except OSError:
                return False

        wait_for(serves, timeout=timeout, what="the service")

    def reconfigure(self, **set):
        """section__key=value, then HUP."""
        self.settings.update({key.replace("__", ".", 1): value for key, value in set.items()})
        self._write_settings()
        self.send(signal.SIGHUP)

    def send(self, sig):
        os.kill(self.pid, sig)

    def send_to_program(self, sig):
        """Past a wrapper."""
        os.kill(self.program_pid(), sig)

    def end(self, sig=signal.SIGTERM, timeout=20):
        """Its exit code."""
        if self.process.poll() is None:
            self.send(sig)
        return self.process.wait(timeout)

    def close(self):
        """Ends it whatever it does."""
        members = self.tree()
        if self.process.poll() is None:
            self.send(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in members:
            if process_runs(pid) and self.program in self._command(pid):
                os.kill(pid, signal.SIGKILL)

    @staticmethod
    def _command(pid):
        try:
            return os.readlink(f"/proc/{pid}/exe")
        except OSError:
            return ""

    # -- processes -------------------------------------------------------------------------

    def children(self, pid=None):
        try:
            text = Path(f"/proc/{pid or self.pid}/task/{pid or self.pid}/children").read_text()
        except OSError:
            return []
        return [int(word) for word in text.split() if process_runs(int(word))]

    def tree(self):
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += self.children(pid)
        return found

    def program_pid(self):
        """sluice-fcgi itself: behind a wrapper its child."""
        return next(pid for pid in self.tree() if self._command(pid) == self.program)

    # -- requests --------------------------------------------------------------------------

    def environment(self, method, uri, token="user", **args):
        token = {"user": self.instance.token, "admin": self.instance.admin_token}.get(token, token)
        if token:
            args.setdefault("HTTP_AUTHORIZATION", f"Bearer {token}")
        return fcgi.environment(method, uri, **args)

    def request(self, method, uri, body=b"", token="user", timeout=30, checked=True, **args):
        token = {"user": self.instance.token, "admin": self.instance.admin_token}.get(token, token)
        if token:
            args.setdefault("HTTP_AUTHORIZATION", f"Bearer {token}")
        answer = fcgi.request(self.socket, method, uri, body, timeout=timeout, **args)
        if checked and answer.status is not None:
            openapi.check(method, uri, answer.status, answer.headers, answer.body)
        return answer

    def upload(self, name="a.txt", data=b"hello\n", **args):
        """The file object."""
        answer = self.request("PUT", f"/api/upload/{name}", data, **args)
        assert answer.status == 201, (answer, answer.body)
        return json.loads(answer.body)

    # -- log -------------------------------------------------------------------------------

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_lines(self):
        return self.log().splitlines()

    def wait_log(self, pattern, timeout=10):
        return wait_for(lambda: re.search(pattern, self.log()), timeout=timeout,
                        what=f"{pattern!r} in the log")
