"""What a web server would never send: lengths that lie, parameters that are none, bodies that look
like requests. And what is told in the log, one line each.
"""

import json
import os
import re
import shutil
import struct
import time

import fcgi
import pytest
from instance import on_fronts, wait_for
from rawhttp import Connection

pytestmark = on_fronts("nginx")


@pytest.fixture
def direct(sluice, service):
    return service(sluice, how="fd0")


@pytest.fixture
def nothing_stored(sluice):
    before = sluice.stored(), sluice.sql("SELECT count(*) FROM sluice.file")
    yield
    wait_for(lambda: sluice.stored("incoming") == [], what="incoming/ to be empty")
    assert (sluice.stored(), sluice.sql("SELECT count(*) FROM sluice.file")) == before


def put(direct, body, length, **args):
    return direct.request("PUT", "/api/upload/a.txt", body, length=length, **args)


# ---- lengths and bodies ------------------------------------------------------------------------


@pytest.mark.parametrize("length", [4, 0, 7, 1000, 1 << 40])
def test_length_that_lies_is_400(direct, nothing_stored, expect_log, length):
    if length >= 1 << 40:
        expect_log("no room|507")
    answer = put(direct, b"hello\n", length)
    assert answer.status in (400, 413, 507), answer
    assert direct.request("GET", "/health").status == 200


@pytest.mark.parametrize("length", [
    "-1", "+6", "6 ", " 6", "0x6", "6.0", "six", "9223372036854775808", "18446744073709551622",
    "6,6", "6\n"])
def test_malformed_length_is_400(direct, nothing_stored, length):
    with fcgi.Client(direct.socket) as client:
        environment = direct.environment("PUT", "/api/upload/a.txt", length=6)
        environment["CONTENT_LENGTH"] = length
        answer = client.begin().params(environment).stdin(b"hello\n").stdin_end().response()
    assert answer.status == 400


def test_body_without_length_and_with_the_right_one_are_stored(direct):
    assert put(direct, b"hello\n", None).status == 201
    assert put(direct, b"hello\n", True).status == 201


def test_body_in_records_of_one_byte_and_of_the_largest_size(direct):
    data = b"0123456789abcde\n" * 8192
    for body, chunk in ((data[:3000], 1), (data, 65535)):
        with fcgi.Client(direct.socket) as client:
            client.begin().params(direct.environment("PUT", "/api/upload/r.txt", length=len(body)))
            answer = client.stdin(body, chunk=chunk, padding=255).stdin_end().response()
        assert answer.status == 201
        assert json.loads(answer.body)["size"] == len(body)


@pytest.mark.parametrize("end", ["close", "half_close", "abort"])
@pytest.mark.parametrize("length", [100, None])
def test_body_that_is_cut_is_never_stored(direct, nothing_stored, end, length):
    with fcgi.Client(direct.socket) as client:
        client.begin().params(direct.environment("PUT", "/api/upload/a.txt", length=length))
        client.stdin(b"hello\n")
        getattr(client, end)()
        if end != "close":
            assert client.response().status in (400, None)
    assert direct.request("GET", "/health").status == 200


def test_unread_body_is_never_taken_for_the_next_request(direct, nothing_stored):
    """A refused upload whose bytes are FastCGI records, on a connection that is to be kept."""
    smuggled = fcgi.record(fcgi.BEGIN_REQUEST, struct.pack(">HB5x", fcgi.RESPONDER, 1))
    params = direct.environment("PUT", "/api/upload/smuggled.txt", length=0)
    smuggled += fcgi.record(fcgi.PARAMS, b"".join(fcgi.pair(k, v) for k, v in params.items()))
    smuggled += fcgi.record(fcgi.PARAMS) + fcgi.record(fcgi.STDIN)
    for offset in range(8):
        with fcgi.Client(direct.socket, timeout=5) as client:
            client.begin(flags=fcgi.KEEP_CONN)
            client.params(direct.environment("PUT", "/api/upload/a.txt", token="slu_bad",
                                             length=100000))
            client.raw(b"x" * offset + smuggled * 20)
            answer = client.response()
            assert answer.status in (401, None)
            with pytest.raises((EOFError, OSError)):
                while True:
                    client.read_record()


@pytest.mark.parametrize("bytes_sent", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 100, b"\xff" * 100,
    fcgi.record(99, b"x"), fcgi.record(fcgi.GET_VALUES, b"", 0),
    fcgi.record(fcgi.BEGIN_REQUEST, struct.pack(">HB5x", fcgi.AUTHORIZER, 0)),
    fcgi.record(fcgi.BEGIN_REQUEST, struct.pack(">HB5x", fcgi.RESPONDER, 0), version=2),
    fcgi.record(fcgi.BEGIN_REQUEST, struct.pack(">HB5x", fcgi.RESPONDER, 0))
    + fcgi.record(fcgi.PARAMS, b"\xff\xff\xff\xff\xff\xff\xff\xffA"),
    fcgi.record(fcgi.BEGIN_REQUEST, struct.pack(">HB5x", fcgi.RESPONDER, 0))
    + fcgi.record(fcgi.STDIN, b"x")], ids=range(9))
def test_garbage_ends_the_connection_and_nothing_else(direct, nothing_stored, expect_log,
                                                      bytes_sent):
    expect_log("record|FastCGI|parameter|role|version|request|peer")
    pid = direct.pid
    with fcgi.Client(direct.socket, timeout=8) as client:
        client.raw(bytes_sent).half_close()
        assert client.closed(8)
    assert direct.request("GET", "/health").status == 200
    assert direct.pid == pid and direct.process.poll() is None


def test_parameters_over_64_kib_are_refused(direct, expect_log):
    expect_log("parameter")
    answer = direct.request("GET", "/health", HTTP_X="x" * 70000, checked=False)
    assert answer.status is None
    assert direct.request("GET", "/health", HTTP_X="x" * 30000).status == 200


def test_silent_connections_do_not_keep_the_process_for_ever(sluice, service, expect_log):
    expect_log("parameters: nothing came")
    direct = service(sluice, how="fd0")
    with fcgi.Client(direct.socket):
        started = time.monotonic()
        assert direct.request("GET", "/health", timeout=15).status == 200
        assert time.monotonic() - started < 8


def test_stalled_body_is_given_up(sluice, service, nothing_stored):
    direct = service(sluice, how="fd0", set={"upload.read_timeout": "1s"})
    with fcgi.Client(direct.socket) as client:
        client.begin().params(direct.environment("PUT", "/api/upload/a.txt", length=100))
        client.stdin(b"hello\n")
        started = time.monotonic()
        assert client.response().status == 400
        assert 0.5 < time.monotonic() - started < 4


def test_body_that_drips_is_given_up(sluice, service, nothing_stored):
    direct = service(sluice, set={"upload.body_grace": "1s", "upload.min_rate": "1K"})
    with fcgi.Client(direct.socket) as client:
        client.begin().params(direct.environment("PUT", "/api/upload/a.txt", length=10000))
        started = time.monotonic()
        try:
            while time.monotonic() - started < 6:
                client.stdin(b"x")
                time.sleep(0.1)
        except OSError:
            pass
        assert client.response().status in (400, None)
    assert time.monotonic() - started < 5


def test_handed_off_path_counts_only_where_it_is_configured(sluice, service, nothing_stored,
                                                            expect_log):
    expect_log("handed-off|BODY_FILE|spool|500")
    for settings in ({}, {"store.spool": str(sluice.store / "incoming")}):
        direct = service(sluice, how="fd0", set=settings)
        for path in ("/etc/passwd", str(sluice.conf), f"{sluice.store}/incoming/../../../etc/passwd",
                     "relative", f"{sluice.store}/incoming/no_such"):
            answer = direct.request("PUT", "/api/upload/a.txt", BODY_FILE=path)
            assert answer.status == 500, path
    # a client's header cannot name one
    answer = direct.request("PUT", "/api/upload/a.txt", b"hello\n", HTTP_BODY_FILE="/etc/passwd",
                            token="slu_bad")
    assert answer.status == 401


def test_handed_off_file_must_be_a_plain_one_of_its_own(sluice, service, nothing_stored,
                                                       expect_log):
    expect_log("handed-off|500")
    spool = sluice.store / "spool-test"
    owner = sluice.store.stat()
    spool.mkdir(0o755)
    os.chown(spool, owner.st_uid, owner.st_gid)

    def body(name):
        path = spool / name
        path.write_bytes(b"hello\n")
        os.chown(path, owner.st_uid, owner.st_gid)
        return path

    try:
        direct = service(sluice, how="fd0", set={"store.spool": str(spool)})
        (spool / "symlink").symlink_to(sluice.conf)
        os.link(body("twice"), spool / "hardlink")
        (spool / "directory").mkdir()
        os.mkfifo(spool / "fifo")
        bad = ["symlink", "hardlink", "directory", "fifo", "../files"]
        if os.geteuid() == 0:
            (spool / "stranger").write_bytes(b"of root\n")
            os.chown(spool / "stranger", 1, 1)
            bad.append("stranger")
        for name in bad:
            answer = direct.request("PUT", "/api/upload/a.txt", BODY_FILE=f"{spool}/{name}")
            assert answer.status == 500, name
        before = sluice.stored()
        answer = direct.request("PUT", "/api/upload/a.txt", BODY_FILE=str(body("good")))
        assert answer.status == 201
        file = json.loads(answer.body)
        assert sluice.get(file["downloadUrl"]).content == b"hello\n"
        assert sluice.delete(f"/api/files/{file['id']}").status_code == 204
        assert sluice.stored() == before
    finally:
        shutil.rmtree(spool)


def test_expect_of_something_else_is_417(direct, nothing_stored):
    assert put(direct, b"hello\n", 6, HTTP_EXPECT="the-moon").status == 417


# ---- what the log tells ------------------------------------------------------------------------


def log_of(sluice, request_id):
    return [line for line in sluice.log().splitlines() if f"request={request_id}" in line]


def test_request_id_is_in_the_answer_the_problem_and_the_log(sluice):
    for answer in (sluice.put("/api/upload/a.txt", data=b"x\n"), sluice.get("/api/nothing")):
        request_id = answer.headers["X-Request-Id"]
        assert re.fullmatch(r"[0-9a-f]{32}", request_id)
        [line] = wait_for(lambda: log_of(sluice, answer.headers["X-Request-Id"]), what="the log")
        assert f" {answer.status_code} " in line
    assert answer.json()["requestId"] == request_id


def test_request_id_is_made_when_the_web_server_has_none_or_a_bad_one(direct):
    for given in ({}, {"REQUEST_ID": "a b\r\nX: y"}, {"REQUEST_ID": "x" * 100}):
        answer = direct.request("GET", "/health", **given)
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
    answer = direct.request("GET", "/health", REQUEST_ID="abc-1.2_3")
    assert answer.headers["x-request-id"] == "abc-1.2_3"


LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z sluice-fcgi\[\d+\] (error|warn|info)"
                  r"( request=\S+)?: [\x20-\x7e\u00a0-\uffff]+")


def test_every_event_is_one_line_whatever_the_client_sends(sluice, service, expect_log):
    expect_log("name")
    direct = service(sluice, how="fd0", set={"upload.mismatch": "warn"})
    nasty = "a\r\n2026-01-01T00:00:00.000Z sluice-fcgi[1] error: forged\x1b[31m\x00\u202e\u2028"
    direct.request("PUT", "/api/upload/" + "".join(f"%{b:02x}" for b in nasty.encode()
                                                  if b) + ".jpg", b"hello\n")
    direct.request("GET", "/api/" + nasty.replace("\0", ""), checked=False,
                   HTTP_USER_AGENT="ua\r\nforged")
    direct.request("GET", "/x" + "y" * 20000, checked=False)
    direct.request("GE\nT", "/api/files", checked=False)
    with Connection(sluice) as c:
        c.head("GET", "/api/files?q=\x1b[31m", {"User-Agent": "x\x1b[31m\x07"})
        c.answer()
    lines = direct.log_lines()
    assert len(lines) >= 4
    for line in lines:
        assert LINE.fullmatch(line), ascii(line)
        assert "forged" not in line.split(": ")[0]
    for line in sluice.log().splitlines():
        assert LINE.fullmatch(line), ascii(line)


def test_json_log_is_json_in_every_line(sluice, service):
    direct = service(sluice, how="fd0", set={"log.format": "json"})
    direct.request("GET", '/api/"quoted"\\\r\n\x07\xff', checked=False)
    direct.upload()
    records = [json.loads(line) for line in direct.log_lines()]
    assert len(records) >= 2
    for record in records:
        assert {"time", "level", "program", "pid", "message"} <= set(record)
    assert any("PUT /api/upload/a.txt 201" in record["message"] for record in records)


def test_query_is_not_logged(sluice):
    answer = sluice.get("/api/files?q=verysecretword")
    wait_for(lambda: log_of(sluice, answer.headers["X-Request-Id"]), what="the log")
    assert "verysecretword" not in sluice.log()
