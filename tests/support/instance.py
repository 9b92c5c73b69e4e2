"""A sluice of its own for a test, through scripts/instance.

    with Instance.start(directory, front="apache-proxy", set={"upload.max_size": "1M"}) as sluice:
        answer = sluice.post("/api/upload", files={"file": ("a.txt", b"hello")})
        sluice.sql("SELECT count(*) FROM sluice.file")

Errors in the logs of the programs fail the test unless it declared them beforehand:

    sluice.expect_error("connection to server")
"""

import collections
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import requests

try:
    import openapi
except ImportError:
    openapi = None  # missing_tools tells

FRONTS = ["nginx", "nginx-handoff", "apache-proxy", "apache-fcgid"]
SRCDIR = Path(os.environ.get("SLUICE_SRCDIR") or Path(__file__).resolve().parents[2])
BUILDDIR = Path(os.environ.get("SLUICE_BUILDDIR") or SRCDIR / "build")
SCRIPT = SRCDIR / "scripts" / "instance"
DATA = SRCDIR / "tests" / "data"

# Text logs put the level behind the program, JSON logs into a member; sanitizers shout. What
# mod_fcgid's processes write is passed on by Apache with a prefix of its own.
ERROR_LINE = re.compile(r'^(?:\[.*?stderr: )?\S+ sluice-\w+\[\d+\] (error|warn)\b'
                        r'|^\{"time":"[^"]*","level":"(error|warn)"'
                        r"|Sanitizer:|runtime error:")


def on_fronts(*fronts):
    """pytestmark = on_fronts("nginx"): the `sluice` of this module stands behind these only."""
    import pytest

    return pytest.mark.parametrize("sluice", fronts, indirect=True, scope="module")


class LogWatch:
    """Something whose errors and warnings are declared, or fail the test. Has log_lines()."""

    def __init__(self):
        self.expected = []

    def expect_error(self, pattern):
        """From now on errors that match this regular expression are no failure."""
        self.expected.append(re.compile(pattern))

    def errors(self):
        """All lines so far in which a program of ours tells an error or a warning."""
        return [line for line in self.log_lines() if ERROR_LINE.search(line)]

    def undeclared_errors(self, known=()):
        """Those that are not in known and match none of the expected patterns."""
        new = collections.Counter(self.errors()) - collections.Counter(known)
        return [line for line in new if not any(p.search(line) for p in self.expected)]


class Instance(LogWatch):
    def __init__(self, directory, front):
        super().__init__()
        self.dir = Path(directory)
        self.front = front
        self.read_env()
        self.http = requests.Session()
        self.http.trust_env = False

    # -- life ------------------------------------------------------------------------------

    @classmethod
    def start(cls, directory, front="nginx", set=None, pg=None, timeout=120):
        args = ["start", str(directory), "--front", front, "--build", str(BUILDDIR)]
        for key, value in (set or {}).items():
            args += ["--set", f"{key}={value}"]
        for key, value in (pg or {}).items():
            args += ["--pg", f"{key}={value}"]
        run_script(*args, timeout=timeout)
        return cls(directory, front)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.destroy()

    def stop(self):
        run_script("stop", str(self.dir))

    def destroy(self):
        self.http.close()
        run_script("destroy", str(self.dir))

    def restart(self, only=None):
        run_script("restart", str(self.dir), *(["--only", only] if only else []))
        self.read_env()

    def configure(self, **set):
        """Starts again with these settings (section__key=value) in place of earlier ones."""
        args = ["start", str(self.dir)]
        for key, value in set.items():
            args += ["--set", f"{key.replace('__', '.', 1)}={value}"]
        run_script(*(args if set else args + ["--port", "0"]))
        self.read_env()

    def read_env(self):
        text = run_script("env", str(self.dir))
        words = shlex.split(text)
        self.env = dict(word.split("=", 1) for word in words)
        self.url = self.env["SLUICE_URL"]
        self.token = self.env["SLUICE_TOKEN"]
        self.admin_token = self.env["SLUICE_ADMIN_TOKEN"]
        self.dsn = self.env["SLUICE_DSN"]
        self.store = Path(self.env["SLUICE_STORE"])
        self.conf = Path(self.env["SLUICE_CONF"])
        self.socket = self.env["SLUICE_SOCKET"]
        self.log_dir = Path(self.env["SLUICE_LOG"])

    # -- processes -------------------------------------------------------------------------

    def pid(self, program):
        """program: fcgi (the pool's master), worker, front or pg."""
        return int(Path(self.env[f"SLUICE_{program.upper()}_PID"]).read_text())

    def children(self, program):
        pid = self.pid(program)
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]

    def reload(self, **set):
        """Gives these settings (section__key=value) to the pool, and HUP; they last until changed.

        Returns when the new children serve and the old have gone.
        """
        settings = self.__dict__.setdefault("reloaded", {})
        settings.update({key.replace("__", ".", 1): value for key, value in set.items()})
        path = self.conf.parent / "conf.d" / "60-reload.conf"
        path.write_text(ini(settings))
        path.chmod(0o644)
        old = self.children("fcgi")
        self.signal("fcgi", signal.SIGHUP)
        wait_for(lambda: not any(process_runs(pid) for pid in old), what="the old children to go")

    def signal(self, program, sig):
        os.kill(self.pid(program), sig)

    def kill(self, program):
        """kill -9 and wait until it is gone."""
        pid = self.pid(program)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not process_runs(pid), what=f"{program} to die")

    # -- requests --------------------------------------------------------------------------

    def request(self, method, path, token="user", headers=None, checked=True, **args):
        """token: "user", "admin", None or the token itself. checked: against doc/openapi.yaml."""
        headers = dict(headers or {})
        token = {"user": self.token, "admin": self.admin_token}.get(token, token)
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        args.setdefault("timeout", 60)
        answer = self.http.request(method, self.url + path, headers=headers, **args)
        if checked:
            openapi.check_response(answer)
        return answer

    def get(self, path, **args):
        return self.request("GET", path, **args)

    def head(self, path, **args):
        return self.request("HEAD", path, **args)

    def post(self, path, **args):
        return self.request("POST", path, **args)

    def put(self, path, **args):
        return self.request("PUT", path, **args)

    def delete(self, path, **args):
        return self.request("DELETE", path, **args)

    def upload(self, name, data, **args):
        """One file by PUT; its file object."""
        answer = self.put(f"/api/upload/{requests.utils.quote(name, safe='')}", data=data, **args)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def thumbnail(self, file_id, timeout=30, **args):
        """Waits until the worker is done with the file; the file object."""

        def done():
            file = self.get(f"/api/files/{file_id}", **args).json()
            return file if file["thumbnailStatus"] != "generating" else None

        return wait_for(done, timeout=timeout, what=f"the thumbnail of {file_id}")

    # -- what is behind --------------------------------------------------------------------

    def sql(self, statement, superuser=False):
        """The rows of one statement, each a list of texts."""
        dsn = self.env["SLUICE_SUPERUSER_DSN" if superuser else "SLUICE_DSN"]
        text = run(["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1",
                    "-d", dsn, "-c", statement])
        return [line.split("\x1f") for line in text.splitlines()]

    def admin(self, *args, check=True):
        """sluice-admin as the service user; its completed process."""
        command = [f"{self.env['SLUICE_BIN']}/sluice-admin", "-c", str(self.conf), *args]
        if os.geteuid() == 0:
            user = self.env["SLUICE_USER"]
            command = ["runuser", "-u", user, "--"] + command
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=60)
        assert not check or done.returncode == 0, done.stderr
        return done

    def stored(self, part="files"):
        """The files below files/, thumbnails/, incoming/ or spool/ of the store."""
        return sorted(p for p in (self.store / part).rglob("*") if p.is_file())

    def stored_path(self, file_id):
        return self.store / "files" / file_id[0:2] / file_id[2:4] / file_id

    # -- logs ------------------------------------------------------------------------------

    def log(self, program="sluice-fcgi"):
        """program: sluice-fcgi, sluice-worker, postgres, front, front-error, front-access."""
        path = self.log_dir / f"{program}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_lines(self):
        """What the pool and the worker said."""
        lines = self.log("sluice-fcgi").splitlines() + self.log("sluice-worker").splitlines()
        if self.front == "apache-fcgid":
            # the standard error of its processes goes where Apache writes
            lines += self.log("front-error").splitlines()
        return lines


def ini(settings):
    """section.key: value as the text of a configuration file."""
    sections = {}
    for name, value in settings.items():
        section, _, key = name.rpartition(".")
        # rendition.small.fit is fit in [rendition small]
        sections.setdefault(section.replace(".", " ", 1), []).append(f"{key} = {value}")
    return "".join(f"[{section}]\n" + "\n".join(lines) + "\n"
                   for section, lines in sections.items())


def run(command, timeout=120, **args):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, **args)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(map(str, command))}: exit {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
    return done.stdout


def run_script(*args, timeout=120):
    template = BUILDDIR / "tests" / "integration" / f"pg-template-{os.geteuid()}"
    return run([str(SCRIPT), *args], timeout=timeout,
               env={**os.environ, "SLUICE_PG_TEMPLATE": str(template)})


def process_runs(pid):
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rsplit(")", 1)[1].split()[0] not in "ZX"


def wait_for(condition, timeout=30, interval=0.05, what="it"):
    """Calls condition until it gives something true; that."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(interval)


def missing_tools():
    """What an instance needs and this machine does not have."""
    names = ["nginx", "apache2", "psql", "curl"]
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in names if not shutil.which(name, path=path)]
    if openapi is None:
        missing.append("python3-jsonschema, python3-yaml")
    for module in ["fcgid", "xsendfile", "proxy_fcgi"]:
        if not Path(f"/usr/lib/apache2/modules/mod_{module}.so").exists():
            missing.append(f"mod_{module}")
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        missing.append("initdb")
    return missing
