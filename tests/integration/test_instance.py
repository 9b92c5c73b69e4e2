"""scripts/instance itself: what a second start, a stop, a crash and a closed directory do."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from instance import BUILDDIR, SCRIPT, Instance, process_runs, run_script


def pids(instance):
    return {name: instance.pid(name) for name in ["fcgi", "worker", "front", "pg"]}


def test_start_stop(fresh):
    sluice = fresh(set={"upload.max_size": "1K"})
    file = sluice.upload("a.txt", b"some text")
    before = pids(sluice)

    run_script("start", str(sluice.dir))
    assert pids(sluice) == before

    sluice.restart()
    after = pids(sluice)
    assert not set(before.values()) & set(after.values())
    assert sluice.get(f"/api/download/{file['id']}").content == b"some text"
    assert sluice.put("/api/upload/b.txt", data=b"x" * 2000).status_code == 413

    sluice.stop()
    sluice.stop()
    assert not any(process_runs(pid) for pid in after.values())
    status = subprocess.run([SCRIPT, "status", sluice.dir], stdout=subprocess.DEVNULL)
    assert status.returncode == 1

    run_script("start", str(sluice.dir), "--front", "apache-proxy")
    sluice.read_env()
    assert sluice.get(f"/api/download/{file['id']}").content == b"some text"
    # the settings of a start replace those of the one before
    assert sluice.put("/api/upload/b.txt", data=b"x" * 2000).status_code == 201


@pytest.mark.parametrize("front", ["nginx", "apache-proxy"])
def test_after_kill(fresh, front):
    sluice = fresh(front=front)
    file = sluice.upload("a.txt", b"some text")
    left = sluice.children("front") + sluice.children("fcgi") + sluice.children("worker")
    for program in ["front", "fcgi", "worker", "pg"]:
        sluice.kill(program)
    sluice.stop()
    assert not [pid for pid in left if process_runs(pid)]
    if front == "apache-proxy":
        # the number that Apache left behind is somebody else's by now
        Path(sluice.dir, "run", "apache", "apache2.pid").write_text(f"{os.getpid()}\n")

    run_script("start", str(sluice.dir))
    sluice.read_env()
    assert sluice.get(f"/api/download/{file['id']}").content == b"some text"


def test_bad_setting():
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run([SCRIPT, "start", f"{directory}/i", "--set", "upload.max_sze=1",
                               "--build", str(BUILDDIR)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode != 0
        assert "max_sze: unknown key" in done.stderr
        status = subprocess.run([SCRIPT, "status", f"{directory}/i"], stdout=subprocess.PIPE,
                                text=True)
        assert "runs" not in status.stdout
        run_script("destroy", f"{directory}/i")
        assert not Path(directory, "i").exists()
        run_script("destroy", f"{directory}/i")


def test_closed_directory():
    """Nobody else may enter the directory, and its path is too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="closed-") as directory:
        assert os.stat(directory).st_mode & 0o777 == 0o700
        with Instance.start(f"{directory}/{'long-' * 20}") as sluice:
            assert len(sluice.socket) < 108
            file = sluice.upload("a.txt", b"some text")
            assert sluice.get(f"/api/download/{file['id']}").content == b"some text"
            places = [sluice.store, Path(sluice.socket)]
        assert not any(place.exists() for place in places)


def test_path_that_only_apache_finds_too_long():
    """Short enough for a socket, too long for a worker of mod_proxy."""
    with tempfile.TemporaryDirectory(prefix="open-") as directory:
        os.chmod(directory, 0o755)
        name = "i" * (78 - len(f"{directory}//data/run"))
        with Instance.start(f"{directory}/{name}", front="apache-proxy") as sluice:
            sluice.upload("a.txt", b"some text")


def test_odd_directory():
    """A path that configuration files would have to quote."""
    with tempfile.TemporaryDirectory(prefix="it's an odd $place; ") as directory:
        os.chmod(directory, 0o755)
        with Instance.start(f"{directory}/i") as sluice:
            file = sluice.upload("a.txt", b"some text")
            assert sluice.get(f"/api/download/{file['id']}").content == b"some text"
