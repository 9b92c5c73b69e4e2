"""The pool of processes: it heals, grows, shrinks, reloads, upgrades, and loses nothing meanwhile."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import fcgi
import pytest
from instance import SRCDIR, on_fronts, process_runs, wait_for

pytestmark = on_fronts("nginx")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")


class SlowUpload:
    """An upload of n pieces that goes on when it is told to."""

    def __init__(self, service, pieces=4, name="slow.txt"):
        self.pieces = pieces
        self.piece = b"0123456789abcde\n" * 64
        self.client = fcgi.Client(service.socket)
        self.client.begin().params(service.environment(
            "PUT", f"/api/upload/{name}", length=pieces * len(self.piece)))
        self.go_on(1)

    def go_on(self, n):
        for _ in range(n):
            self.client.stdin(self.piece)
            self.pieces -= 1
        return self

    def finish(self):
        self.go_on(self.pieces)
        answer = self.client.stdin_end().response()
        self.client.close()
        return answer


def served_by(service, n=8):
    """The pids that answer."""
    for _ in range(n):
        assert service.request("GET", "/health").status == 200
    return set(re.findall(r"sluice-fcgi\[(\d+)\] info request=\S+: GET /health", service.log()))


def receives(pid):
    """Has this child a file in incoming/ open?"""
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if "/incoming/" in target:
            return True
    return False


# ---- ways to start -----------------------------------------------------------------------------


def test_one_process_on_fd_0_as_spawn_fcgi_starts_it(sluice, service):
    direct = service(sluice, how="fd0")
    assert direct.children() == []
    file = direct.upload()
    assert sluice.get(file["downloadUrl"]).content == b"hello\n"
    assert direct.end() == 0
    assert os.path.exists(direct.socket)  # it is not ours to remove


def test_spawn_fcgi_itself(sluice, service, tmp_path):
    direct = service(sluice)
    path = str(direct.dir / "spawned")
    done = subprocess.run(["spawn-fcgi", "-s", path, "-M", "0666", "--", direct.program, "-c",
                           str(direct.conf)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=20, check=True)
    pid = int(re.search(r"PID: (\d+)", done.stdout).group(1))
    try:
        wait_for(lambda: fcgi.request(path, "GET", "/health").status == 200, what="an answer")
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not process_runs(pid), what="the process to end")


def test_systemd_socket_activation(sluice, service):
    direct = service(sluice, how="systemd")
    assert len(direct.children()) >= 1
    assert direct.upload()["size"] == 6
    assert direct.end() == 0
    assert os.path.exists(direct.socket)


def test_own_socket_goes_when_the_pool_ends(sluice, service):
    direct = service(sluice)
    mode = os.stat(direct.socket).st_mode & 0o777
    assert mode == 0o660
    assert direct.end() == 0
    assert not os.path.exists(direct.socket)


def test_tcp_on_loopback_only_when_asked_for(sluice, service):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    direct = service(sluice, set={"pool.listen": f"127.0.0.1:{port}"},
                     address=("127.0.0.1", port))
    assert direct.upload()["size"] == 6
    done = subprocess.run([direct.program, "-c", str(direct.conf), "-t", "-o",
                           f"pool.listen=0.0.0.0:{port}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode == 78, done.stdout


def test_second_pool_on_the_same_socket_is_refused(sluice, service):
    direct = service(sluice)
    done = subprocess.run([direct.program, "-c", str(direct.conf)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode in (75, 78)
    assert "listens there already" in done.stdout
    assert direct.request("GET", "/health").status == 200


def test_bad_configuration_is_exit_78_with_file_and_line(sluice, service):
    direct = service(sluice)
    bad = direct.dir / "bad.conf"
    bad.write_text("[pool]\nmax_children = many\n")
    bad.chmod(0o644)
    done = subprocess.run([direct.program, "-t", "-c", str(bad)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert done.returncode == 78
    assert f"{bad}:2: pool.max_children" in done.stdout


# ---- who may connect ---------------------------------------------------------------------------


@needs_root
def test_peer_of_another_user_is_refused(sluice, service, expect_log):
    expect_log("is not in .pool. peers")
    direct = service(sluice, set={"pool.listen_mode": "0666"})
    script = direct.dir / "peer.py"
    script.write_text((SRCDIR / "tests" / "support" / "fcgi.py").read_text()
                      + f"\nprint(request({direct.socket!r}, 'GET', '/health').status)\n")
    script.chmod(0o644)
    for user, expected in (("nobody", "None"), (sluice.env["SLUICE_USER"], "200")):
        done = subprocess.run(["setpriv", "--reuid", user, "--clear-groups", "--regid", "65534",
                               sys.executable, str(script)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=20, cwd="/")
        assert done.stdout.strip() == expected, (user, done.stdout)
    direct.wait_log("user 65534 is not in")


# ---- children ----------------------------------------------------------------------------------


def test_killed_child_is_replaced_and_the_next_requests_succeed(sluice, service, expect_log):
    expect_log(r"ended by signal 9")
    direct = service(sluice, set={"pool.pm": "static", "pool.max_children": "2"})
    wait_for(lambda: len(direct.children()) == 2, what="two children")
    for _ in range(3):
        old = direct.children()
        os.kill(old[0], signal.SIGKILL)
        wait_for(lambda: len(set(direct.children()) - {old[0]}) == 2, timeout=5,
                 what="a replacement")
        assert direct.request("GET", "/health").status == 200
        assert direct.upload()["size"] == 6


def test_child_killed_in_an_upload_leaves_no_row_and_no_file(sluice, service, expect_log):
    expect_log(r"ended by signal 9")
    direct = service(sluice)
    before = sluice.stored(), sluice.sql("SELECT count(*) FROM sluice.file")
    upload = SlowUpload(direct)
    victim = wait_for(lambda: next((p for p in direct.children() if receives(p)), None),
                      what="a child with an open upload")
    os.kill(victim, signal.SIGKILL)
    assert upload.client.response().status is None
    assert direct.upload(token="admin")["size"] == 6
    after = sluice.stored(), sluice.sql("SELECT count(*) FROM sluice.file")
    assert len(after[0]) == len(before[0]) + 1
    # what a killed process leaves in incoming/ is for gc
    for path in sluice.stored("incoming"):
        path.unlink()


def test_child_retires_after_max_requests(sluice, service):
    direct = service(sluice, set={"pool.pm": "static", "pool.max_children": "1",
                                  "pool.max_requests": "3"})
    pids = served_by(direct, 10)
    assert len(pids) >= 3
    assert direct.request("GET", "/health").status == 200


def test_dynamic_pool_grows_under_load_and_shrinks_after(sluice, service):
    direct = service(sluice, set={"pool.max_children": "6", "pool.min_spare": "1"})
    uploads = [SlowUpload(direct, name=f"s{i}.txt") for i in range(5)]
    wait_for(lambda: len(direct.children()) == 6, timeout=10, what="the pool to grow")
    assert direct.request("GET", "/health").status == 200
    for upload in uploads:
        assert upload.finish().status == 201
    # 2 * min_spare + 2 may stay, one a second goes
    wait_for(lambda: len(direct.children()) <= 4, timeout=15, what="the pool to shrink")
    assert direct.request("GET", "/health").status == 200


def test_pool_at_its_limit_lets_the_next_wait(sluice, service):
    direct = service(sluice, set={"pool.max_children": "1"})
    upload = SlowUpload(direct)
    result = []
    waiting = threading.Thread(target=lambda: result.append(direct.request("GET", "/health")))
    waiting.start()
    time.sleep(0.3)
    assert result == []
    assert upload.finish().status == 201
    waiting.join(10)
    assert result[0].status == 200
    assert len(direct.children()) == 1


# ---- signals -----------------------------------------------------------------------------------


def test_term_finishes_the_running_upload(sluice, service):
    direct = service(sluice)
    upload = SlowUpload(direct)
    direct.send(signal.SIGTERM)
    time.sleep(0.3)
    assert direct.process.poll() is None
    with pytest.raises(OSError):
        fcgi.Client(direct.socket)  # no new ones
    answer = upload.finish()
    assert answer.status == 201
    assert direct.process.wait(10) == 0
    assert sluice.get(json.loads(answer.body)["downloadUrl"]).status_code == 200


def test_term_kills_what_does_not_finish_in_time(sluice, service, expect_log):
    expect_log("did not finish in time|ended by signal 9")
    direct = service(sluice, set={"pool.stop_timeout": "1s"})
    upload = SlowUpload(direct)
    started = time.monotonic()
    direct.send(signal.SIGTERM)
    assert direct.process.wait(10) == 0
    assert 0.8 < time.monotonic() - started < 5
    assert upload.client.response().status is None
    for path in sluice.stored("incoming"):
        path.unlink()


def test_hup_during_uploads_loses_nothing_and_applies_the_change(sluice, service):
    direct = service(sluice, set={"pool.max_children": "4"})
    assert direct.request("PUT", "/api/upload/a.txt", b"x" * 3000).status == 201
    uploads = [SlowUpload(direct, name=f"h{i}.txt") for i in range(3)]
    wait_for(lambda: sum(map(receives, direct.children())) == 3, what="children to take them all")
    old = set(direct.children())
    direct.reconfigure(upload__max_size="2000")
    wait_for(lambda: direct.request("PUT", "/api/upload/a.txt", b"x" * 3000).status == 413,
             timeout=10, what="the new limit")
    # begun under the old configuration, finished under it
    for upload in uploads:
        assert upload.finish().status == 201
    wait_for(lambda: not old & set(direct.children()), timeout=10, what="the old children to go")
    assert direct.request("PUT", "/api/upload/a.txt", b"x" * 1000).status == 201


def test_hup_under_load_drops_no_request(sluice, service):
    direct = service(sluice, set={"pool.max_children": "4"})
    stop, answers = threading.Event(), []

    def load():
        while not stop.is_set():
            answers.append(direct.request("PUT", "/api/upload/l.txt", b"hello\n").status)

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.4)
        direct.send(signal.SIGHUP)
    time.sleep(0.4)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(answers) > 5
    assert set(answers) == {201}


def test_hup_with_a_bad_configuration_keeps_the_old(sluice, service, expect_log):
    expect_log("the old configuration stays")
    direct = service(sluice, set={"pool.pm": "static", "pool.max_children": "1"})
    old = direct.children()
    direct.reconfigure(pool__max_children="many")
    direct.wait_log("the old configuration stays")
    assert direct.children() == old
    assert direct.request("GET", "/health").status == 200


@pytest.mark.parametrize("key", ["pool.peers", "store.spool_users"])
def test_hup_with_an_unknown_user_keeps_the_old(sluice, service, expect_log, key):
    expect_log("the old configuration stays")
    direct = service(sluice, set={"pool.pm": "static", "pool.max_children": "1"})
    old = direct.children()
    direct.reconfigure(**{key.replace(".", "__"): "nobody-of-this-name"})
    direct.wait_log("no user nobody-of-this-name; the old configuration stays")
    assert direct.children() == old
    assert direct.request("GET", "/health").status == 200


def test_usr1_reopens_the_log_after_it_was_moved(sluice, service):
    direct = service(sluice)
    path = direct.dir / "sluice.log"
    direct.reconfigure(log__target=str(path))
    wait_for(lambda: path.exists() and direct.request("GET", "/health").status == 200
             and "GET /health" in path.read_text(), what="the new log")
    moved = path.rename(direct.dir / "sluice.log.1")
    direct.request("GET", "/health")
    assert not path.exists()
    direct.send(signal.SIGUSR1)
    wait_for(path.exists, what="the log to be there again")

    def told():
        direct.request("GET", "/health")
        return "GET /health" in path.read_text()

    wait_for(told, what="a line in the new log")
    time.sleep(0.2)
    size = moved.stat().st_size
    for _ in range(4):
        direct.request("GET", "/health")
    assert moved.stat().st_size == size


def test_usr2_runs_the_new_program_under_load_without_losing_a_request(sluice, service):
    direct = service(sluice, set={"pool.max_children": "3"})
    stop, answers = threading.Event(), []

    def load():
        while not stop.is_set():
            answers.append(direct.request("PUT", "/api/upload/u.txt", b"hello\n").status)

    slow = SlowUpload(direct)
    thread = threading.Thread(target=load)
    thread.start()
    try:
        time.sleep(0.2)
        old = direct.pid
        direct.send(signal.SIGUSR2)
        found = direct.wait_log(r"USR2: \S+ starts as (\d+)")
        next_master = int(found.group(1))
        direct.wait_log(r"serving; the old master \d+ may go", timeout=20)
        # the old one ends when its last upload has ended
        assert slow.finish().status == 201
        direct.process.wait(15)
        time.sleep(0.3)
    finally:
        stop.set()
        thread.join()
    try:
        assert direct.process.returncode == 0 and direct.pid == old
        assert set(answers) == {201}
        assert process_runs(next_master)
        assert direct.upload()["size"] == 6
    finally:
        os.kill(next_master, signal.SIGTERM)
        wait_for(lambda: not process_runs(next_master), what="the new master to end")


def test_children_end_when_the_master_is_killed(sluice, service):
    direct = service(sluice, set={"pool.max_children": "3", "pool.min_spare": "2"})
    wait_for(lambda: len(direct.children()) >= 2, what="two children")
    children = direct.children()
    upload = SlowUpload(direct)
    direct.end(signal.SIGKILL)
    # the running request is finished first
    assert upload.finish().status == 201
    wait_for(lambda: not any(process_runs(pid) for pid in children), timeout=10,
             what="the children to end")
