"""Bodies that are hashed while nginx spools them: the digest is always that of the bytes."""

import hashlib
import json
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from forms import TYPE, disposition, end, BOUNDARY
from instance import on_fronts, process_runs, wait_for

pytestmark = on_fronts("nginx-handoff")
SETTINGS = {"upload.allow": "*/*", "upload.mismatch": "off", "log.level": "debug",
            "pool.max_children": "8"}
KIB, MIB = 1 << 10, 1 << 20
AHEAD = "bytes were hashed while they were spooled"
READER_DIED = "spool reader"


def text(size, seed=0):
    """That many bytes which libmagic takes for text, different at every place."""
    return random.Random(seed).randbytes(size // 2 + 1).hex().encode()[:size]


def reader_pid(master):
    """Of the spool reader, or None."""
    for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split():
        try:
            if b"spool reader" in Path(f"/proc/{pid}/cmdline").read_bytes() and \
                    process_runs(int(pid)):
                return int(pid)
        except OSError:
            pass
    return None


def wait_reader(master):
    return wait_for(lambda: reader_pid(master), what="the spool reader")


def follows(pid):
    """The names that the reader has open in a spool."""
    names = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(fd)
        except OSError:
            continue
        if os.path.basename(os.path.dirname(target)).startswith("spool"):
            names.add(os.path.basename(target))
    return names


def pieces(data, size, pause):
    for at in range(0, len(data), size):
        yield data[at:at + size]
        time.sleep(pause)


def check(sluice, file, data):
    assert file["size"] == len(data)
    digest = hashlib.sha256(data).hexdigest()
    assert file["sha256"] == digest
    stored = sluice.stored_path(file["id"]).read_bytes()
    assert hashlib.sha256(stored).hexdigest() == digest


def hashed_ahead(log):
    """The bytes of each upload that were."""
    return [int(line.split(AHEAD)[0].split()[-1]) for line in log.splitlines() if AHEAD in line]


# ---- through nginx -----------------------------------------------------------------------------


def test_large_body_is_hashed_before_the_hand_off(sluice):
    wait_reader(sluice.pid("fcgi"))
    data = text(8 * MIB + 5)
    before = len(hashed_ahead(sluice.log()))
    check(sluice, sluice.upload("a.txt", pieces(data, MIB, 0.02)), data)
    [hashed] = hashed_ahead(sluice.log())[before:]
    assert MIB <= hashed <= 8 * MIB and hashed % (256 * KIB) == 0


@pytest.mark.parametrize("size", [
    0, 1, 4095, 4096, MIB - 1, MIB, MIB + 1, MIB + 256 * KIB - 1, MIB + 256 * KIB,
    2 * MIB + 256 * KIB + 1, 9 * MIB + 123, 17 * MIB])
@pytest.mark.parametrize("pause", [None, 0, 0.004])
def test_any_size(sluice, size, pause):
    data = text(size, size)
    body = data if pause is None or size == 0 else pieces(data, 200 * KIB, pause)
    check(sluice, sluice.upload("a.txt", body), data)


def upload_many(sluice, threads, each):
    """each: how many uploads of a thread; all are checked."""
    failures = []

    def work(n):
        rng = random.Random(n)
        try:
            for _ in range(each):
                data = text(rng.choice([300 * KIB, MIB, 3 * MIB + 7, 6 * MIB, 8 * MIB - 1]),
                            rng.random())
                body = pieces(data, rng.randint(10 * KIB, MIB), rng.choice([0, 0.001, 0.01]))
                answer = sluice.put("/api/upload/a.txt", data=body)
                assert answer.status_code == 201, answer.text
                check(sluice, answer.json(), data)
        except BaseException as e:  # noqa: B902
            failures.append(repr(e))

    running = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for thread in running:
        thread.start()
    return running, failures


def join(running, failures):
    for thread in running:
        thread.join()
    assert failures == []


def test_many_at_once(sluice):
    before = len(hashed_ahead(sluice.log()))
    join(*upload_many(sluice, threads=8, each=4))
    assert len(hashed_ahead(sluice.log())) - before >= 8


def test_reader_is_killed_again_and_again(sluice, expect_log):
    expect_log(READER_DIED)
    master, rng = sluice.pid("fcgi"), random.Random(7)
    running, failures = upload_many(sluice, threads=6, each=4)
    kills = 0
    while any(thread.is_alive() for thread in running):
        pid = reader_pid(master)
        if pid:
            os.kill(pid, signal.SIGKILL)
            kills += 1
        time.sleep(rng.random() * 0.2)
    join(running, failures)
    assert kills >= 2
    wait_reader(master)


def test_reader_stands_still(sluice, expect_log):
    expect_log(READER_DIED)
    master, rng = sluice.pid("fcgi"), random.Random(8)
    running, failures = upload_many(sluice, threads=6, each=3)
    while any(thread.is_alive() for thread in running):
        pid = wait_reader(master)
        os.kill(pid, signal.SIGSTOP)
        time.sleep(rng.random() * 0.1)
        os.kill(pid, signal.SIGCONT)
        time.sleep(rng.random() * 0.05)
    join(running, failures)
    pid = wait_reader(master)
    os.kill(pid, signal.SIGSTOP)
    data = text(5 * MIB)
    check(sluice, sluice.upload("a.txt", pieces(data, MIB, 0.01)), data)
    sluice.reload()  # takes one that stands still, too
    wait_for(lambda: reader_pid(master) not in (None, pid), what="another reader")


def test_sleeps_when_nothing_is_spooled(sluice):
    pid = wait_reader(sluice.pid("fcgi"))
    data = text(3 * MIB)
    sluice.upload("a.txt", pieces(data, MIB, 0.01))
    wait_for(lambda: sluice.stored("spool") == [] and not follows(pid), what="an empty spool")
    time.sleep(0.2)

    def switches():
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return [line for line in lines if line.startswith("voluntary_ctxt_switches")]

    before = switches()
    time.sleep(1)
    assert switches() == before


def test_refusals_stay(sluice):
    wait_reader(sluice.pid("fcgi"))
    sluice.reload(upload__allow="text/plain", upload__mismatch="reject")
    try:
        wait_reader(sluice.pid("fcgi"))
        page = b"<!DOCTYPE html><html><body>" + b"x" * (3 * MIB)
        answer = sluice.put("/api/upload/a.txt", data=pieces(page, MIB, 0.05))
        assert answer.status_code == 415
        wrong = {"Repr-Digest": "sha-256=:" + "A" * 43 + "=:"}
        answer = sluice.put("/api/upload/a.txt", data=pieces(text(3 * MIB), MIB, 0.05),
                            headers=wrong)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == \
            (400, "digest-mismatch")
    finally:
        sluice.reload(upload__allow="*/*", upload__mismatch="off")
    assert sluice.stored("incoming") == []


def test_form_is_not_hashed_ahead(sluice):
    wait_reader(sluice.pid("fcgi"))
    data = text(4 * MIB)
    before = len(hashed_ahead(sluice.log()))
    head = b"--%s\r\n%s\r\n\r\n" % (BOUNDARY.encode(), disposition("f", "a.txt").encode())
    answer = sluice.post("/api/upload", headers={"Content-Type": TYPE},
                         data=pieces(head + data + b"\r\n" + end(), MIB, 0.02))
    assert answer.status_code == 201, answer.text
    [file] = answer.json()["files"]
    check(sluice, file, data)
    assert len(hashed_ahead(sluice.log())) == before


def test_switched_off_and_on_by_reload(sluice):
    master = sluice.pid("fcgi")
    wait_reader(master)
    sluice.reload(store__spool_ahead="no")
    assert reader_pid(master) is None
    data = text(3 * MIB)
    before = len(hashed_ahead(sluice.log()))
    check(sluice, sluice.upload("a.txt", pieces(data, MIB, 0.02)), data)
    assert len(hashed_ahead(sluice.log())) == before
    sluice.reload(store__spool_ahead="yes")
    wait_reader(master)


# ---- files of our own --------------------------------------------------------------------------


class Spool:
    """A service of its own that takes what we write as a web server would."""

    def __init__(self, sluice, service):
        self.dir = sluice.store / "spool-test"
        self.dir.mkdir(exist_ok=True)
        self.dir.chmod(0o755)
        self.sluice = sluice
        self.direct = service(sluice, set={"store.spool": str(self.dir)})
        self.reader = wait_reader(self.direct.pid)
        # it watches once it sleeps
        wait_for(lambda: "poll" in Path(f"/proc/{self.reader}/wchan").read_text()
                 or self.sleeps(), what="the spool reader to watch")

    def sleeps(self):
        state = Path(f"/proc/{self.reader}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state == "S"

    def write(self, name, data, mode="wb"):
        path = self.dir / name
        with open(path, mode) as f:
            if os.geteuid() == 0:
                os.fchown(f.fileno(), self.direct.user.pw_uid, self.direct.user.pw_gid)
            for piece in pieces(data, 512 * KIB, 0.002):
                f.write(piece)
                f.flush()
        return path

    def wait_followed(self, name, followed=True):
        wait_for(lambda: (name in follows(self.reader)) == followed,
                 what=f"{name} to be {'followed' if followed else 'dropped'}")

    def hand_off(self, path, data):
        answer = self.direct.request("PUT", "/api/upload/a.txt", length=False,
                                     BODY_FILE=str(path))
        assert answer.status == 201, (answer, answer.body)
        check(self.sluice, json.loads(answer.body), data)
        path.unlink()


@pytest.fixture
def spool(sluice, service):
    made = Spool(sluice, service)
    yield made
    assert reader_pid(made.direct.pid) == made.reader
    assert made.direct.end() == 0
    assert not process_runs(made.reader)


def test_grows_and_is_handed_off(spool):
    for n in range(5):
        data = text(4 * MIB + n, n)
        path = spool.write("1", data)  # the same name, perhaps the same inode
        spool.wait_followed("1")
        time.sleep(0.05)
        spool.hand_off(path, data)
        spool.wait_followed("1", False)
    assert hashed_ahead(spool.direct.log()) == [4 * MIB] * 5


def test_truncated_while_it_is_followed(spool):
    path = spool.write("1", text(4 * MIB, 1))
    spool.wait_followed("1")
    time.sleep(0.05)
    os.truncate(path, 0)
    spool.wait_followed("1", False)
    data = text(5 * MIB, 2)
    spool.write("1", data, "ab")
    spool.wait_followed("1")
    spool.hand_off(path, data)


def test_cut_short_before_the_hand_off(spool):
    data = text(4 * MIB, 1)
    path = spool.write("1", data)
    spool.wait_followed("1")
    os.kill(spool.reader, signal.SIGSTOP)
    os.truncate(path, MIB)
    spool.hand_off(path, data[:MIB])
    os.kill(spool.reader, signal.SIGCONT)


def test_replaced_while_it_is_followed(spool):
    for n in range(5):
        spool.write("1", text(4 * MIB, n))
        spool.wait_followed("1")
        os.unlink(spool.dir / "1")
        data = text(4 * MIB + n, n + 100)
        spool.hand_off(spool.write("1", data), data)


def test_replaced_while_the_reader_stands_still(spool):
    for n in range(5):
        spool.write("1", text(4 * MIB, n))
        spool.wait_followed("1")
        time.sleep(0.03)
        os.kill(spool.reader, signal.SIGSTOP)
        os.unlink(spool.dir / "1")
        data = text(4 * MIB + n, n + 100)
        spool.hand_off(spool.write("1", data), data)
        os.kill(spool.reader, signal.SIGCONT)


def test_deleted_and_renamed_while_it_is_followed(spool):
    spool.write("1", text(2 * MIB))
    spool.write("2", text(2 * MIB))
    spool.wait_followed("1")
    spool.wait_followed("2")
    os.unlink(spool.dir / "1")
    spool.wait_followed("1", False)
    os.rename(spool.dir / "2", spool.dir.parent / "moved")
    spool.wait_followed("2", False)
    os.unlink(spool.dir.parent / "moved")


def test_more_files_than_places(spool):
    data = {str(n): text(MIB + n, n) for n in range(80)}
    for name, content in data.items():
        spool.write(name, content)
    wait_for(lambda: len(follows(spool.reader)) == 64, what="all places to be taken")
    for name, content in data.items():
        spool.hand_off(spool.dir / name, content)
    wait_for(lambda: not follows(spool.reader), what="all to be dropped")


def test_what_is_no_body_is_left_alone(spool):
    (spool.dir / "dir").mkdir(exist_ok=True)
    os.symlink("/etc/passwd", spool.dir / "link")
    os.mkfifo(spool.dir / "fifo")
    spool.write("a", text(2 * MIB))
    os.link(spool.dir / "a", spool.dir / "b")
    spool.write("b", b"x", "ab")
    data = text(2 * MIB)
    path = spool.write("good", data)
    spool.wait_followed("good")
    assert follows(spool.reader) <= {"good", "a"}
    spool.hand_off(path, data)
    for name in ("link", "fifo", "a", "b"):
        os.unlink(spool.dir / name)
    (spool.dir / "dir").rmdir()
