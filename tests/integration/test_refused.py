"""What must not come in does not, through every front end, and nothing of it is left."""

import random
import time

import forms
import pytest
from instance import DATA, wait_for
from rawhttp import Connection, put_all

LIMIT = 1024 * 1024
SETTINGS = {"upload.max_size": str(LIMIT)}

TEXT = b"This is no picture, whatever its name says.\n" * 100
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x03\0\x3e\0\x01\0\0\0" + bytes(200)
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>\n'
HTML = b"<!DOCTYPE html>\n<html><script>alert(1)</script></html>\n"
SCRIPT = b"#!/bin/sh\nrm -rf /\n"
EXE = b"MZ\x90\0" + bytes(56) + b"\x40\0\0\0" + b"PE\0\0\x64\x86" + bytes(200)
NOISE = random.Random(1).randbytes(5000)

REFUSED = {
    "text as photo.jpg": ("photo.jpg", TEXT, "text/plain", "type-mismatch"),
    "ELF as photo.jpg": ("photo.jpg", ELF, "application/x-", "type-refused"),
    "ELF as notes.txt": ("notes.txt", ELF, "application/x-", "type-refused"),
    "ELF without extension": ("tool", ELF, "application/x-", "type-refused"),
    "SVG as picture.svg": ("picture.svg", SVG, "image/svg+xml", "type-refused"),
    "SVG as picture.png": ("picture.png", SVG, "image/svg+xml", "type-refused"),
    "SVG as notes.txt": ("notes.txt", SVG, "image/svg+xml", "type-refused"),
    "HTML as page.html": ("page.html", HTML, "text/html", "type-refused"),
    "HTML as notes.txt": ("notes.txt", HTML, "text/html", "type-refused"),
    "HTML as photo.jpg": ("photo.jpg", HTML, "text/html", "type-refused"),
    "script as run.sh": ("run.sh", SCRIPT, "text/x-shellscript", "type-refused"),
    "EXE as setup.exe": ("setup.exe", EXE, "application/", "type-refused"),
    "noise": ("noise", NOISE, "application/octet-stream", "type-refused"),
    "JPEG as picture.png": ("picture.png", (DATA / "sample.jpg").read_bytes()[:60000],
                            "image/jpeg", "type-mismatch"),
}


class Traces:
    """What an upload leaves: files, incoming files, rows."""

    def __init__(self, sluice):
        self.sluice = sluice
        self.before = self.now()

    def now(self):
        return (self.sluice.stored("files"), self.sluice.stored("thumbnails"),
                self.sluice.sql("SELECT count(*) FROM sluice.file"))

    def assert_none(self):
        # a body that was cut is seen by sluice a moment later
        wait_for(lambda: self.sluice.stored("incoming") == [], timeout=10, what="incoming/ to be empty")
        if self.sluice.front == "nginx-handoff":
            wait_for(lambda: self.sluice.stored("spool") == [], what="spool/ to be empty")
        assert self.now() == self.before


@pytest.fixture
def traces(sluice):
    traces = Traces(sluice)
    yield traces
    traces.assert_none()


def problem(answer, status, slug):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    value = answer.json()
    assert value["type"] == f"urn:problem-type:sluice:{slug}"
    return value


@pytest.mark.parametrize("case", REFUSED)
def test_415_says_what_it_is_and_what_is_allowed(sluice, traces, case):
    name, data, detected, slug = REFUSED[case]
    for answer in (sluice.put(f"/api/upload/{name}", data=data),
                   sluice.post("/api/upload", files={"file": (name, data, "image/jpeg")})):
        value = problem(answer, 415, slug)
        assert value["detectedType"].startswith(detected)
        assert "image/png" in value["allowedTypes"]
        assert value["filename"] == name
        assert value["detectedType"] in value["detail"]
        if name == "photo.jpg":
            assert value["expectedTypes"] == ["image/jpeg"]


def test_413_when_the_declared_length_is_over_the_limit(sluice, traces):
    value = problem(sluice.put("/api/upload/a.txt", data=b"x" * (LIMIT + 1)), 413, "too-large")
    assert value["maxSize"] == LIMIT
    answer = sluice.post("/api/upload", files={"file": ("a.txt", b"x" * (LIMIT + 1))})
    assert problem(answer, 413, "too-large")["maxSize"] == LIMIT


def test_exactly_the_limit_is_accepted(sluice):
    assert sluice.upload("a.txt", b"x" * LIMIT)["size"] == LIMIT


def test_413_when_chunks_add_up_to_more_than_the_limit(sluice, traces):
    pieces = (b"x" * 65536 for _ in range(LIMIT // 65536 + 1))
    problem(sluice.put("/api/upload/a.txt", data=pieces), 413, "too-large")
    form = forms.form(forms.file("a.txt", b"x" * (LIMIT + 1)))
    problem(forms.post_raw(sluice, iter([form[:70000], form[70000:]])), 413, "too-large")


def answers_early(sluice):
    """mod_proxy_fcgi waits for the client before it looks for an answer, the others for all."""
    return sluice.front == "nginx"


def test_streamed_413_comes_before_the_body(sluice, traces):
    if not answers_early(sluice):
        return
    with Connection(sluice) as c:
        c.head("PUT", "/api/upload/a.txt", {"Content-Length": 10 * LIMIT})
        started = time.monotonic()
        assert c.answer()[0] == 413
        assert time.monotonic() - started < 2


def test_streamed_415_comes_before_the_rest(sluice, traces):
    if not answers_early(sluice):
        return
    with Connection(sluice) as c:
        c.head("PUT", "/api/upload/photo.jpg", {"Content-Length": LIMIT}).send(ELF.ljust(32768))
        status, headers, body = c.answer()
        assert status == 415, body


def test_streamed_413_of_chunks_comes_before_the_end(sluice, traces):
    if not answers_early(sluice):
        return
    with Connection(sluice) as c:
        c.head("PUT", "/api/upload/a.txt", {"Transfer-Encoding": "chunked"})
        put_all(c, b"10000\r\n" + b"x" * 65536 + b"\r\n" + b"FF0000\r\n" + b"x" * LIMIT)
        assert c.answer()[0] == 413


def test_refusal_of_a_large_body_reaches_the_client(sluice, traces):
    data = b"x" * (40 * LIMIT)
    problem(sluice.put("/api/upload/a.txt", data=data), 413, "too-large")
    problem(sluice.put("/api/upload/a.txt", data=data, token=None), 401, "unauthorized")


def test_415_of_a_large_body_reaches_the_client_through_mod_fcgid(fresh):
    """It reads no answer before all of the body is written."""
    sluice = fresh(front="apache-fcgid")
    for data in (ELF, HTML):
        answer = sluice.put("/api/upload/tool", data=data.ljust(40 * LIMIT))
        problem(answer, 415, "type-refused")
    assert sluice.stored("files") == sluice.stored("incoming") == []


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("kind", ["raw", "form", "chunked"])
def test_client_that_leaves_in_the_middle_leaves_nothing(sluice, traces, kind, how):
    with Connection(sluice) as c:
        if kind == "chunked":
            c.head("PUT", "/api/upload/a.txt", {"Transfer-Encoding": "chunked"})
            c.chunk(TEXT)
        elif kind == "raw":
            c.head("PUT", "/api/upload/a.txt", {"Content-Length": 100000}).send(TEXT)
        else:
            c.head("POST", "/api/upload",
                   {"Content-Length": 100000, "Content-Type": forms.TYPE})
            c.send(forms.file("a.txt", TEXT))
        time.sleep(0.1)
        getattr(c, how)()


def test_half_closed_body_is_refused(sluice, traces):
    with Connection(sluice) as c:
        c.head("PUT", "/api/upload/a.txt", {"Content-Length": 100000}).send(TEXT)
        c.half_close()
        # mod_fcgid calls it an error of its own
        assert c.answer()[0] in (400, 500, None)


def test_form_that_ends_before_its_closing_delimiter_is_400(sluice, traces):
    answer = forms.post_raw(sluice, forms.file("a.txt", TEXT))
    problem(answer, 400, "bad-request")


def test_broken_chunk_is_refused(sluice, traces):
    if sluice.front == "apache-fcgid":
        return  # mod_fcgid hides it from us: conf/apache/sluice-fcgid.conf.in says so
    with Connection(sluice) as c:
        c.head("PUT", "/api/upload/a.txt", {"Transfer-Encoding": "chunked"})
        c.chunk(TEXT).send(b"zz\r\nnonsense\r\n")
        assert c.answer()[0] in (400, None)


def test_401_without_a_good_token(sluice, traces):
    for token in (None, "slu_nonsense", "x" * 200):
        answer = sluice.put("/api/upload/a.txt", data=b"hello\n", token=token)
        problem(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="sluice"'


def test_404_for_someone_elses_file(sluice):
    file = sluice.upload("mine.txt", b"mine\n", token="admin")
    for method, path in (("GET", "/api/files/{}"), ("GET", "/api/download/{}"),
                         ("GET", "/api/files/{}/thumbnail"), ("DELETE", "/api/files/{}")):
        problem(sluice.request(method, path.format(file["id"])), 404, "not-found")
    assert sluice.get(file["downloadUrl"], token="admin").content == b"mine\n"


def test_unknown_route_is_404_and_wrong_method_405_with_allow(sluice, traces):
    problem(sluice.get("/api/nothing"), 404, "not-found")
    for method, path, allow in (
            ("GET", "/api/upload", {"POST", "OPTIONS"}),
            ("DELETE", "/api/upload/x.txt", {"PUT", "OPTIONS"}),
            ("POST", "/api/files", {"GET", "HEAD", "OPTIONS"}),
            ("PUT", "/api/files/6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0e",
             {"GET", "HEAD", "DELETE", "OPTIONS"})):
        answer = sluice.request(method, path)
        problem(answer, 405, "method-not-allowed")
        assert set(answer.headers["Allow"].split(", ")) == allow
        answer = sluice.request("OPTIONS", path)
        assert answer.status_code == 204
        assert set(answer.headers["Allow"].split(", ")) == allow


def test_malformed_identifier_is_400(sluice, traces):
    for path in ("/api/files/42", "/api/download/42", "/api/files/42/thumbnail",
                 "/api/files/6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0g"):
        assert "42" in problem(sluice.get(path), 400, "bad-request")["detail"] or "g" in path


def test_bomb_and_corrupt_picture_fail_with_a_reason_and_the_next_is_made(sluice, expect_log):
    expect_log("thumbnail|picture|job")
    pictures = DATA / "pictures"
    bad = {}
    for name in ("bomb.png", "bomb-bilevel.png", "cut.png", "head.jpg"):
        file = sluice.upload(name, (pictures / name).read_bytes())
        assert file["thumbnailStatus"] == "generating"
        bad[name] = file["id"]
    good = sluice.upload("plain.jpg", (pictures / "plain.jpg").read_bytes())
    for name, file_id in bad.items():
        file = sluice.thumbnail(file_id)
        assert file["thumbnailStatus"] == "failed", (name, file)
        assert len(file["thumbnailError"]) > 5, file
        value = problem(sluice.get(f"/api/files/{file_id}/thumbnail"), 404, "thumbnail-failed")
        assert value["thumbnailStatus"] == "failed"
        assert sluice.get(file["downloadUrl"]).content == (pictures / name).read_bytes()
    assert sluice.thumbnail(good["id"])["thumbnailStatus"] == "ready"
