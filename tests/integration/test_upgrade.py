"""USR2 to a program that cannot serve: the old one goes on as if nothing had been."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from instance import on_fronts

pytestmark = on_fronts("nginx")


@pytest.fixture
def pid_file():
    directory = tempfile.mkdtemp(prefix="sluice-", dir="/tmp")
    os.chmod(directory, 0o777)
    yield Path(directory) / "fcgi.pid"
    shutil.rmtree(directory)


def test_a_next_master_that_cannot_start_takes_nothing_away(sluice, service, pid_file, expect_log):
    expect_log("the next master")
    expect_log("nowhere")
    direct = service(sluice, set={"process.pid_file": str(pid_file)})
    direct.settings["store.dir"] = str(direct.dir / "nowhere")
    direct._write_settings()
    direct.send(signal.SIGUSR2)
    direct.wait_log(r"the next master \d+ ended \(exit code \d+\); this one goes on")
    assert os.path.exists(direct.socket)
    assert direct.upload()["size"] == 6
    assert pid_file.read_text() == f"{direct.pid}\n"
    assert direct.end() == 0
    assert not os.path.exists(direct.socket) and not pid_file.exists()
