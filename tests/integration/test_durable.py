"""A 2xx means durable, at constant memory; and what happens when the database does not play along."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import fcgi
import forms
import pytest
from dbproxy import DatabaseProxy
from instance import on_fronts, wait_for
from rawhttp import Connection

pytestmark = on_fronts("nginx")
MIB = 1 << 20


# ---- the order of things -----------------------------------------------------------------------


@pytest.fixture
def traced(sluice, service, tmp_path):
    """traced(upload) runs it and gives the system calls of the process that served it."""
    assert shutil.which("strace"), "strace is missing"

    def run(upload):
        direct = service(sluice, how="fd0", wrapper=[
            "strace", "-f", "-y", "-s", "4000", "-e", "signal=none", "-e",
            "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,"
            "unlinkat,sendto,sendmsg,writev,recvfrom,openat", "-o", str(tmp_path / "trace")])
        direct.request("GET", "/ready")
        skip = len((tmp_path / "trace").read_text().splitlines())
        result = upload(direct)
        direct.send_to_program(signal.SIGTERM)
        direct.process.wait(20)
        lines = (tmp_path / "trace").read_text().splitlines()[skip:]
        return result, [line.split(None, 1)[1] for line in lines]

    return run


def position(calls, pattern, after=-1):
    for i, call in enumerate(calls):
        if i > after and re.search(pattern, call):
            assert " = -1 " not in call, call
            return i
    raise AssertionError(f"no {pattern} after call {after} in:\n" + "\n".join(calls))


def check_order(calls, file_id):
    """write, fsync the file, rename, fsync the directory, the row, and only then the answer."""
    shard = f"files/{file_id[:2]}/{file_id[2:4]}"
    answer = position(calls, r"Status: 201")
    row = position(calls, rf"^sendto\(.*{file_id}")
    written = position(calls, rf"^p?write(64)?\(\d+<[^>]*/incoming/{file_id}")
    synced = position(calls, rf"^fsync\(\d+<[^>]*/incoming/{file_id}")
    renamed = position(calls, rf"^renameat2\(.*{file_id}.*RENAME_NOREPLACE")
    directory = position(calls, rf"^fsync\(\d+<[^>]*{shard}>", after=renamed)
    committed = position(calls, r"^recvfrom\(.*INSERT|^recvfrom\(.*SELECT", after=row)
    assert written < synced < renamed < directory < row < committed < answer
    # nothing is written into the file after it was synced
    assert not any(f"/incoming/{file_id}" in call and call.startswith(("write", "pwrite"))
                   for call in calls[synced:])


def test_raw_upload_is_synced_named_and_recorded_before_the_answer(traced):
    file, calls = traced(lambda direct: direct.upload("a.txt", b"hello\n" * 2000))
    check_order(calls, file["id"])


def test_form_of_two_files_is_synced_named_and_recorded_before_the_answer(traced):
    body = forms.form(forms.file("a.txt", b"first\n" * 2000), forms.file("b.txt", b"second\n"))

    def upload(direct):
        answer = direct.request("POST", "/api/upload", body, content_type=forms.TYPE)
        assert answer.status == 201, answer.body
        return json.loads(answer.body)["files"]

    files, calls = traced(upload)
    for file in files:
        check_order(calls, file["id"])
    [rows_sent] = [call for call in calls if call.startswith("sendto(") and files[0]["id"] in call
                   and "Status:" not in call]
    assert files[1]["id"] in rows_sent


def test_postgresql_is_told_to_commit_synchronously(sluice):
    sluice.upload("a.txt", b"x\n")
    assert sluice.sql("SHOW fsync") == [["on"]]
    # of its own sessions sluice asks it in the connection's options
    text = sluice.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sluice-fcgi'",
                      superuser=True)
    assert int(text[0][0]) >= 1


# ---- constant memory ---------------------------------------------------------------------------


def high_water(pid):
    """KiB"""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1))


def stream_upload(direct, size, uri="/api/upload/big.txt", content_type=None, head=b"", tail=b""):
    piece = b"0123456789abcde\n" * 4096  # 64 KiB
    digest = hashlib.sha256()
    with fcgi.Client(direct.socket, timeout=120) as client:
        client.begin().params(direct.environment(
            "POST" if head else "PUT", uri, length=len(head) + size + len(tail),
            content_type=content_type))
        client.stdin(head)
        for _ in range(size // len(piece)):
            client.stdin(piece)
            digest.update(piece)
        answer = client.stdin(tail).stdin_end().response()
    assert answer.status == 201, (answer, answer.body)
    file = json.loads(answer.body)
    file = file.get("files", [file])[0]
    assert file["size"] == size and file["sha256"] == digest.hexdigest()
    return file


def test_memory_is_the_same_after_1_and_after_256_mib(sluice, service):
    direct = service(sluice, how="fd0", set={"download.method": "stream"})
    head = (b"--%s\r\n%s\r\n\r\n" % (forms.BOUNDARY.encode(),
                                   forms.disposition("f", "a.txt").encode()))
    form = {"uri": "/api/upload", "content_type": forms.TYPE, "head": head,
            "tail": b"\r\n" + forms.end()}
    stream_upload(direct, MIB)
    stream_upload(direct, MIB, **form)
    direct.request("GET", stream_upload(direct, MIB)["downloadUrl"])
    before = high_water(direct.pid)
    file = stream_upload(direct, 256 * MIB)
    stream_upload(direct, 64 * MIB, **form)
    with fcgi.Client(direct.socket, timeout=120) as client:
        client.begin().params(direct.environment("GET", file["downloadUrl"])).stdin_end()
        received = 0
        while True:
            kind, _, content = client.read_record()
            if kind == fcgi.END_REQUEST:
                break
            received += len(content)
    assert received > 256 * MIB
    after = high_water(direct.pid)
    assert after - before <= 2048, (before, after)
    for path in sluice.stored():
        if path.stat().st_size > 16 * MIB:
            path.unlink()


# ---- the database is away ----------------------------------------------------------------------


@pytest.fixture
def without_database(sluice, expect_log):
    expect_log("database|claim jobs|not ready|no connection|schema")
    sluice.signal("pg", signal.SIGINT)
    wait_for(lambda: not os.path.exists(f"/proc/{sluice.pid('pg')}"), what="PostgreSQL to stop")
    yield
    sluice.restart(only="postgres")


def test_503_with_retry_after_before_the_body_is_read(sluice, without_database):
    for method, path, headers in (
            ("PUT", "/api/upload/a.txt", {"Content-Length": 100 * MIB}),
            ("POST", "/api/upload", {"Content-Length": 100 * MIB,
                                     "Content-Type": "multipart/form-data; boundary=x"}),
            ("GET", "/api/files", {}), ("GET", "/ready", {})):
        with Connection(sluice) as c:
            started = time.monotonic()
            status, answer, body = c.head(method, path, headers).answer()
            assert time.monotonic() - started < 2
            assert status == 503, (path, status, body)
            assert int(answer["Retry-After"]) >= 1
            assert json.loads(body)["status"] == 503
    assert sluice.get("/health").status_code == 200
    assert sluice.stored("incoming") == []


def test_service_comes_back_with_the_database_without_a_restart(sluice, expect_log):
    expect_log("database|claim jobs|not ready")
    master, children = sluice.pid("fcgi"), sluice.children("fcgi")
    sluice.upload("before.txt", b"x\n")
    sluice.restart(only="postgres")
    wait_for(lambda: sluice.put("/api/upload/after.txt", data=b"x\n").status_code == 201,
             timeout=15, what="an upload to succeed")
    assert sluice.pid("fcgi") == master
    assert set(children) & set(sluice.children("fcgi"))


def test_killed_backends_cost_no_request(sluice, expect_log):
    expect_log("database")
    for _ in range(3):
        sluice.upload("a.txt", b"x\n")
        sluice.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE application_name = 'sluice-fcgi'", superuser=True)
        time.sleep(0.1)
        assert sluice.put("/api/upload/b.txt", data=b"x\n").status_code == 201


# ---- an uncertain commit -----------------------------------------------------------------------


@pytest.fixture
def proxied(sluice, service):
    """(service, proxy): its database stands behind the proxy."""
    with DatabaseProxy(sluice) as proxy:
        direct = service(sluice, how="fd0", set={"database.conninfo": proxy.conninfo})
        direct.upload()
        yield direct, proxy


def put(direct, name):
    return direct.request("PUT", f"/api/upload/{name}", b"hello\n", timeout=30)


def rows(sluice, name):
    return [row[0] for row in sluice.sql(f"SELECT id FROM sluice.file WHERE name = '{name}'")]


def test_connection_lost_after_the_commit_is_201_when_the_row_is_found(sluice, proxied, expect_log):
    expect_log("database")
    direct, proxy = proxied
    proxy.cut_at(b"found.txt", answered=True)
    answer = put(direct, "found.txt")
    assert proxy.cuts == 1
    assert answer.status == 201, answer.body
    file = json.loads(answer.body)
    assert rows(sluice, "found.txt") == [file["id"]]
    assert sluice.get(file["downloadUrl"]).content == b"hello\n"
    assert file["createdAt"] == sluice.get(f"/api/files/{file['id']}").json()["createdAt"]


def test_connection_lost_and_database_away_is_503_and_the_bytes_stay(sluice, proxied, expect_log):
    expect_log("database|uncertain|503")
    direct, proxy = proxied
    before = sluice.stored()
    proxy.cut_at(b"away.txt", answered=True, refuse=True)
    answer = put(direct, "away.txt")
    assert proxy.cuts == 1
    assert answer.status == 503, answer.body
    assert json.loads(answer.body)["type"].endswith(":uncertain")
    assert int(answer.headers["retry-after"]) >= 1
    # the row was committed after all: its bytes must be there
    [file_id] = rows(sluice, "away.txt")
    assert sluice.stored_path(file_id).read_bytes() == b"hello\n"
    assert len(sluice.stored()) == len(before) + 1
    assert sluice.get(f"/api/download/{file_id}").content == b"hello\n"


def test_connection_lost_before_the_commit_is_503_and_the_bytes_stay(sluice, proxied, expect_log):
    expect_log("database|uncertain|503")
    direct, proxy = proxied
    before = sluice.stored()
    proxy.cut_at(b"lost.txt", answered=False)
    answer = put(direct, "lost.txt")
    assert proxy.cuts == 1
    assert answer.status == 503, answer.body
    assert rows(sluice, "lost.txt") == []
    # nobody can know that: gc decides later
    assert len(sluice.stored()) == len(before) + 1
    assert direct.upload("again.txt")["size"] == 6


def test_definite_refusal_of_the_database_takes_the_bytes_back(sluice, service, expect_log):
    expect_log("database|row|500|503")
    direct = service(sluice, how="fd0")
    before = sluice.stored()
    sluice.sql("ALTER TABLE sluice.file ADD CONSTRAINT no_such CHECK (name <> 'refused.txt')")
    try:
        assert put(direct, "refused.txt").status >= 500
    finally:
        sluice.sql("ALTER TABLE sluice.file DROP CONSTRAINT no_such")
    assert rows(sluice, "refused.txt") == []
    assert sluice.stored() == before
    assert sluice.stored("incoming") == []


def test_locked_table_is_503_in_time(sluice, service, expect_log):
    expect_log("database|lock|503")
    direct = service(sluice, how="fd0", set={"database.lock_timeout": "300ms",
                                             "database.statement_timeout": "2s"})
    before = sluice.stored()
    lock = subprocess.Popen(["psql", "-X", "-q", "-d", sluice.dsn, "-c",
                             "BEGIN; LOCK TABLE sluice.file IN EXCLUSIVE MODE; SELECT pg_sleep(3)"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: sluice.sql("SELECT 1 FROM pg_locks WHERE mode = 'ExclusiveLock'"
                                    " AND relation = 'sluice.file'::regclass"), what="the lock")
        started = time.monotonic()
        assert put(direct, "locked.txt").status == 503
        assert time.monotonic() - started < 2.5
    finally:
        sluice.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE query LIKE 'BEGIN; LOCK TABLE%'", superuser=True)
        lock.wait()
    assert rows(sluice, "locked.txt") == []
    assert sluice.stored() == before


# ---- no space ----------------------------------------------------------------------------------


def test_507_before_the_body_is_read(sluice, fresh_space):
    with Connection(sluice) as c:
        started = time.monotonic()
        status, headers, body = c.head("PUT", "/api/upload/a.txt", {
            "Content-Length": 10 * MIB}).answer()
        assert (status, json.loads(body)["type"]) == (507, "urn:problem-type:sluice:no-space")
        assert time.monotonic() - started < 2
    for data in (b"x\n", iter([b"x\n"])):
        assert sluice.put("/api/upload/a.txt", data=data).status_code == 507
    assert sluice.get("/ready").status_code == 503
    assert sluice.get("/ready").json()["checks"]["store"] == "full"


@pytest.fixture
def fresh_space(sluice, expect_log):
    expect_log("no room|no-space|507")
    before = sluice.stored()
    sluice.reload(store__min_free="900T")
    yield
    sluice.reload(store__min_free="1M")
    assert sluice.stored() == before and sluice.stored("incoming") == []
    assert sluice.put("/api/upload/a.txt", data=b"x\n").status_code == 201


def test_promised_space_is_counted(sluice, service, expect_log):
    expect_log("no room|507")
    stat = os.statvfs(sluice.store)
    free = stat.f_bavail * stat.f_frsize
    direct = service(sluice, set={"store.min_free": str(free // 2), "upload.max_size": "900T"})
    half = free // 2 - 200 * MIB if free > 1000 * MIB else free // 3
    with fcgi.Client(direct.socket) as first:
        first.begin().params(direct.environment("PUT", "/api/upload/a.txt", length=half))
        first.stdin(b"x" * 1000)
        wait_for(lambda: sluice.stored("incoming"), what="the first upload to begin")
        with fcgi.Client(direct.socket) as second:
            second.begin().params(direct.environment("PUT", "/api/upload/b.txt", length=half))
            assert second.response().status == 507
    wait_for(lambda: sluice.stored("incoming") == [], what="the cut upload to go")
    assert direct.upload()["size"] == 6
