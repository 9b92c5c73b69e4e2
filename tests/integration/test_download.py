"""Downloads: ranges, conditions and headers are the same whoever sends the bytes."""

import pytest
from instance import DATA

# who sends: nginx by X-Accel-Redirect, Apache by X-Sendfile, sluice itself behind either
WAYS = {
    "accel": {"front": "nginx"},
    "sendfile": {"front": "apache-proxy"},
    "sendfile by mod_fcgid": {"front": "apache-fcgid"},
    "stream": {"front": "nginx", "set": {"download.method": "stream"}},
}
DATA_BYTES = bytes(range(32, 127)) * 1000
SIZE = len(DATA_BYTES)


@pytest.fixture(scope="module", params=WAYS)
def sluice(request, start_instance):
    return start_instance(**WAYS[request.param])


@pytest.fixture(scope="module")
def file(sluice):
    return sluice.upload("Übung 1.txt", DATA_BYTES)


def fetch(sluice, file, method="GET", query="", **headers):
    return sluice.request(method, file["downloadUrl"] + query, headers={
        name.replace("_", "-"): value for name, value in headers.items()})


def test_whole_file_has_its_headers(sluice, file):
    answer = fetch(sluice, file)
    assert answer.status_code == 200
    assert answer.content == DATA_BYTES
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Last-Modified" in answer.headers
    for name in ("X-Accel-Redirect", "X-Sendfile", "Set-Cookie"):
        assert name not in answer.headers
    # a header that comes twice is joined by requests
    for name in ("ETag", "Last-Modified", "X-Content-Type-Options", "Content-Security-Policy",
                 "X-Request-Id", "Accept-Ranges", "Content-Disposition"):
        assert len(answer.raw.headers.getlist(name)) == 1, name


def test_name_that_is_not_ascii_comes_back_as_rfc_6266(sluice, file):
    value = fetch(sluice, file).headers["Content-Disposition"]
    assert value.startswith("attachment; ")
    assert "filename*=UTF-8''%C3%9Cbung%201.txt" in value
    assert value.isascii()


def test_pictures_are_shown_and_the_rest_is_saved(sluice):
    picture = sluice.upload("plain.jpg", (DATA / "pictures" / "plain.jpg").read_bytes())
    assert fetch(sluice, picture).headers["Content-Disposition"].startswith("inline")
    assert fetch(sluice, picture, query="?download=1").headers[
        "Content-Disposition"].startswith("attachment")
    sluice.thumbnail(picture["id"])


def test_head_has_the_headers_of_get_and_no_body(sluice, file):
    get, head = fetch(sluice, file), fetch(sluice, file, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges",
                 "Content-Disposition", "X-Content-Type-Options", "Content-Security-Policy",
                 "Repr-Digest"):
        assert head.headers.get(name) == get.headers.get(name), name


@pytest.mark.parametrize("value, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=-5", SIZE - 5, SIZE - 1),
    ("bytes=94000-", 94000, SIZE - 1), ("bytes=94990-99999999", 94990, SIZE - 1),
    ("bytes=-99999999", 0, SIZE - 1), ("bytes=0-18446744073709551616", 0, SIZE - 1)])
def test_range_is_cut_exactly(sluice, file, value, first, last):
    answer = fetch(sluice, file, Range=value)
    assert answer.content == DATA_BYTES[first:last + 1]
    if answer.status_code == 200:
        # a web server may send the whole file for a range that is all of it
        assert (first, last) == (0, SIZE - 1)
        return
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert int(answer.headers["Content-Length"]) == last - first + 1
    assert answer.headers["ETag"] == f'"{file["sha256"]}"'


@pytest.mark.parametrize("value", ["bytes=95000-", "bytes=99999999-", "bytes=-0"])
def test_range_outside_the_file_is_416(sluice, file, value):
    answer = fetch(sluice, file, Range=value)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize("value", ["bytes=5-3", "bytes=x", "bytes=", "bytes=1-2-3", "bytes=--1"])
def test_malformed_range_is_416_and_says_so(sluice, file, value):
    answer = fetch(sluice, file, Range=value)
    assert answer.status_code == 416
    assert "malformed" in answer.json()["detail"]


def test_several_ranges_are_answered_with_the_whole_file(sluice, file):
    for value in ("bytes=0-1,5-6", "bytes=0-1,5-6,8-", "bytes=-1,0-0"):
        answer = fetch(sluice, file, Range=value)
        assert (answer.status_code, answer.content) == (200, DATA_BYTES), value


def test_only_satisfiable_range_of_several_is_cut(sluice, file):
    answer = fetch(sluice, file, Range="bytes=10-19,99999999-")
    assert (answer.status_code, answer.content) == (206, DATA_BYTES[10:20])


def test_unknown_range_unit_is_ignored(sluice, file):
    assert fetch(sluice, file, Range="lines=1-2").status_code == 200


def test_if_range_with_the_right_tag_gives_the_part(sluice, file):
    answer = fetch(sluice, file, Range="bytes=0-9", If_Range=f'"{file["sha256"]}"')
    assert (answer.status_code, answer.content) == (206, DATA_BYTES[:10])


def test_if_range_with_another_tag_gives_all(sluice, file):
    for tag in ('"0000"', f'W/"{file["sha256"]}"', "Sat, 01 Jan 2000 00:00:00 GMT"):
        answer = fetch(sluice, file, Range="bytes=0-9", If_Range=tag)
        assert (answer.status_code, answer.content) == (200, DATA_BYTES), tag


def test_if_range_with_the_date_gives_the_part(sluice, file):
    when = fetch(sluice, file).headers["Last-Modified"]
    answer = fetch(sluice, file, Range="bytes=0-9", If_Range=when)
    assert answer.content in (DATA_BYTES[:10], DATA_BYTES)


def test_if_none_match_with_the_tag_is_304(sluice, file):
    for value in (f'"{file["sha256"]}"', f'"x", W/"{file["sha256"]}"', "*"):
        for method in ("GET", "HEAD"):
            answer = fetch(sluice, file, method, If_None_Match=value)
            assert (answer.status_code, answer.content) == (304, b""), value
    assert fetch(sluice, file, If_None_Match='"x"').status_code == 200


def test_if_match_and_dates(sluice, file):
    when = fetch(sluice, file).headers["Last-Modified"]
    past = "Sat, 01 Jan 2000 00:00:00 GMT"
    assert fetch(sluice, file, If_Match='"x"').status_code == 412
    assert fetch(sluice, file, If_Match=f'"{file["sha256"]}"').content == DATA_BYTES
    assert fetch(sluice, file, If_Unmodified_Since=past).status_code == 412
    assert fetch(sluice, file, If_Unmodified_Since=when).status_code == 200
    assert fetch(sluice, file, If_Modified_Since=when).status_code == 304
    assert fetch(sluice, file, If_Modified_Since=past).status_code == 200


def test_empty_file(sluice):
    file = sluice.upload("empty.txt", b"")
    assert fetch(sluice, file).content == b""
    assert fetch(sluice, file, Range="bytes=0-").status_code == 416
    # Apache leaves a length of 0 out
    assert fetch(sluice, file, "HEAD").headers.get("Content-Length", "0") == "0"


def test_lost_bytes_are_an_error_and_not_an_empty_file(sluice, expect_log):
    file = sluice.upload("lost.txt", b"soon gone\n")
    sluice.stored_path(file["id"]).unlink()
    expect_log("stored file|no file|files/")
    answer = sluice.get(file["downloadUrl"], checked=False)
    assert answer.status_code in (404, 500)
