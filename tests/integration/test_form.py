"""multipart/form-data through nginx: what the form says, and every way in which it can be broken."""

import json

import forms
import pytest
from forms import BOUNDARY, TYPE, disposition, end, field, file, form, part, post, post_raw
from instance import DATA, on_fronts

pytestmark = on_fronts("nginx")
B = BOUNDARY.encode()


def files_of(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()["files"]


def refused(answer, status=400, slug="bad-request"):
    assert answer.status_code == status, answer.text
    value = answer.json()
    assert value["type"] == f"urn:problem-type:sluice:{slug}"
    return value["detail"]


@pytest.fixture
def nothing_stored(sluice):
    before = sluice.stored(), sluice.sql("SELECT count(*) FROM sluice.file")
    yield
    assert (sluice.stored(), sluice.sql("SELECT count(*) FROM sluice.file")) == before
    assert sluice.stored("incoming") == []


# ---- what a form says --------------------------------------------------------------------------


def test_several_files_and_fields(sluice):
    files = files_of(post(sluice, field("album", "holidays"), file("a.txt", b"first\n"),
                          file("b.txt", b"second\n", content_type="text/plain"),
                          field("note", "zwei Wörter"), file("c.txt", b"third\n")))
    assert [f["name"] for f in files] == ["a.txt", "b.txt", "c.txt"]
    assert [f["declaredType"] for f in files] == [None, "text/plain", None]
    for f, data in zip(files, [b"first\n", b"second\n", b"third\n"]):
        assert f["metadata"] == {"album": "holidays", "note": "zwei Wörter"}
        assert sluice.stored_path(f["id"]).read_bytes() == data
        [row] = sluice.sql(f"SELECT metadata FROM sluice.file WHERE id = '{f['id']}'")
        assert json.loads(row[0]) == f["metadata"]


def test_field_that_comes_again_becomes_an_array(sluice):
    [f] = files_of(post(sluice, field("tag", "x"), field("tag", "y"), field("tag", "z"), file()))
    assert f["metadata"] == {"tag": ["x", "y", "z"]}


def test_all_or_none_when_the_third_of_three_is_refused(sluice, nothing_stored):
    jpeg = (DATA / "pictures" / "plain.jpg").read_bytes()
    answer = post(sluice, file("a.txt"), file("b.jpg", jpeg), file("c.jpg", b"no picture\n" * 9))
    refused(answer, 415, "type-mismatch")


def test_extended_file_name_wins(sluice):
    for headers in (
            'Content-Disposition: form-data; name="f"; filename="x.txt";'
            " filename*=UTF-8''na%C3%AFve.txt",
            "Content-Disposition: form-data; name=\"f\"; filename*=utf-8'de'na%C3%AFve.txt;"
            ' filename="x.txt"'):
        [f] = files_of(post(sluice, part(headers, b"hello\n")))
        assert f["name"] == "naïve.txt"


def test_no_file_chosen_is_passed_over(sluice):
    [f] = files_of(post(sluice, file("", b""), file("a.txt")))
    assert f["name"] == "a.txt"


def test_form_without_a_file_is_400(sluice, nothing_stored):
    refused(post(sluice, field("a", "b")), slug="no-file")
    refused(post(sluice, file("", b"")), slug="no-file")
    refused(post_raw(sluice, end()), slug="no-file")


def test_empty_file_is_stored(sluice):
    [f] = files_of(post(sluice, file("empty.jpg", b"")))
    assert f["size"] == 0
    assert f["sha256"].startswith("e3b0c44298fc1c14")


def test_empty_file_is_refused_where_it_is_not_wanted(sluice, service, nothing_stored):
    direct = service(sluice, set={"upload.allow_empty": "no"})
    for body, kind in ((form(file("a.txt", b"")), TYPE), (b"", "text/plain")):
        answer = direct.request("POST", "/api/upload", body, content_type=kind)
        assert answer.status == 400
        assert json.loads(answer.body)["type"].endswith(":empty-file")


# ---- names (FAULTS A1 to A3) -------------------------------------------------------------------

NAMES = {
    "../../etc/passwd": "passwd",
    "..\\\\..\\\\boot.ini": "boot.ini",
    "/abs/olute.txt": "olute.txt",
    "C:\\\\temp\\\\x.txt": "x.txt",
    "%2e%2e%2fx.txt": "%2e%2e%2fx.txt",
    "..": "unnamed",
    "a/..": "unnamed",
    "6f0d3f43-4f0e-4b83-a6be-0c1a0f3c1f0e/../../x": "x",
    "a%0D%0ASet-Cookie: x=y.txt": "a__Set-Cookie: x=y.txt",
    "quote%22d.txt": 'quote"d.txt',
    'back\\"slash.txt': 'back"slash.txt',
    "esc\x1b[31m.txt": "esc_[31m.txt",
    "rtl\u202etxt.exe.txt": "rtltxt.exe.txt",
    "zero\u200bwidth\ufeff.txt": "zerowidth.txt",
    "line\u2028sep\u2029.txt": "line_sep_.txt",
    "iso\u2066lated\u2069.txt": "isolated.txt",
    "😀.txt": "😀.txt",
    "CON": "CON",
    ".htaccess": ".htaccess",
    "x" * 300 + ".txt": "x" * 251 + ".txt",
    "ü" * 200 + ".txt": "ü" * 125 + ".txt",
    b"latin\xfc.txt": "latin\ufffd.txt",
    b"overlong\xc0\xaex.txt": "overlong\ufffd\ufffdx.txt",
    "it's <b>bold</b>; drop table file;--": "b>; drop table file;--",
    "semi;colon=.txt": "semi;colon=.txt",
}


@pytest.mark.parametrize("raw", NAMES, ids=lambda n: ascii(n)[:30])
def test_name_is_data_and_never_a_path_or_a_header(sluice, raw):
    name = raw.encode() if isinstance(raw, str) else raw
    headers = b'Content-Disposition: form-data; name="f"; filename="%s"' % name
    [f] = files_of(post(sluice, part(headers, b"hello\n")))
    assert f["name"] == NAMES[raw]
    # it lies where its identifier says
    assert sluice.stored_path(f["id"]).read_bytes() == b"hello\n"
    answer = sluice.get(f["downloadUrl"])
    assert answer.content == b"hello\n"
    value = answer.headers["Content-Disposition"]
    assert value.isascii() and value.isprintable()
    assert "Set-Cookie" not in answer.headers
    assert value.startswith("attachment; filename=")


def test_listing_survives_all_these_names(sluice):
    files = sluice.get("/api/files?limit=1000").json()["files"]
    assert files


# ---- broken forms ------------------------------------------------------------------------------

GOOD = file("a.txt", b"hello\n")
BROKEN = {
    "no closing delimiter": GOOD,
    "ends in the headers": b"--%s\r\nContent-Disposition: form-data; na" % B,
    "ends in the delimiter": GOOD + b"--" + B,
    "closing delimiter with one dash": GOOD + b"--" + B + b"-\r\n",
    "bare LF in headers": form(GOOD).replace(b'"\r\n\r\nhello', b'"\nX: y\r\n\r\nhello'),
    "bare LF after delimiter": form(GOOD).replace(B + b"\r\nC", B + b"\nC"),
    "bare CR in headers": form(GOOD).replace(b'"\r\n\r\nhello', b'"\rX: y\r\n\r\nhello'),
    "only LF": form(GOOD).replace(b"\r\n", b"\n"),
    "no disposition": form(part("Content-Type: text/plain", b"x")),
    "disposition twice": form(part(f"{disposition('f', 'a')}\r\n{disposition('f', 'a')}", b"x")),
    "type twice": form(part(f"{disposition('f', 'a')}\r\nContent-Type: a/b\r\nContent-Type: a/b",
                            b"x")),
    "attachment": form(part('Content-Disposition: attachment; name="f"; filename="a"', b"x")),
    "no name": form(part('Content-Disposition: form-data; filename="a.txt"', b"x")),
    "empty name": form(part('Content-Disposition: form-data; name=""; filename="a.txt"', b"x")),
    "name twice": form(part('Content-Disposition: form-data; name="f"; name="g"; filename="a"',
                            b"x")),
    "filename twice": form(part(
        'Content-Disposition: form-data; name="f"; filename="a"; filename="b"', b"x")),
    "quote not closed": form(part('Content-Disposition: form-data; name="f', b"x")),
    "base64": form(part(f"{disposition('f', 'a')}\r\nContent-Transfer-Encoding: base64", b"eA==")),
    "quoted-printable": form(part(
        f"{disposition('f', 'a')}\r\nContent-Transfer-Encoding: quoted-printable", b"x")),
    "folded header": form(part('Content-Disposition: form-data;\r\n name="f"; filename="a"', b"x")),
    "header without colon": form(part(f"{disposition('f', 'a')}\r\nnonsense", b"x")),
    "NUL in header": form(part(f"{disposition('f', 'a')}\r\nX: \0", b"x")),
    "long header": form(part(f"{disposition('f', 'a')}\r\nX-Long: {'x' * 8200}", b"x")),
    "17 headers": form(part(disposition("f", "a") + "".join(
        f"\r\nX-{i}: y" for i in range(16)), b"x")),
    "long name": form(part(disposition("n" * 257, "a"), b"x")),
    "long file name": form(part(disposition("f", "n" * 1025), b"x")),
    "long preamble": b"x" * 1025 + b"\r\n" + form(GOOD),
    "long epilogue": form(GOOD) + b"x" * 65537,
    "much white space after delimiter": form(GOOD).replace(B + b"\r\nC", B + b" " * 65 + b"\r\nC"),
    "filename* of another charset": form(part(
        "Content-Disposition: form-data; name=\"f\"; filename*=iso-8859-1''a%FC", b"x")),
    "other boundary": form(GOOD).replace(B, b"other"),
    "empty body": b"",
    "nothing but white space": b"\r\n\r\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_form_is_400_and_says_why(sluice, nothing_stored, case):
    assert len(refused(post_raw(sluice, BROKEN[case]))) > 10


@pytest.mark.parametrize("kind", [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
    f"multipart/form-data; boundary={'x' * 71}", "multipart/form-data; boundary=a; boundary=b",
    "multipart/form-data; boundary=\"a ", "multipart/form-data; boundary=ä"])
def test_bad_boundary_is_400(sluice, nothing_stored, kind):
    refused(post_raw(sluice, form(GOOD), content_type=kind.encode()))


@pytest.mark.parametrize("kind", ["multipart/mixed; boundary=xYzZY", "multipart/byteranges",
                                  "application/x-www-form-urlencoded"])
def test_what_is_no_upload_is_415(sluice, nothing_stored, kind):
    refused(post_raw(sluice, form(GOOD), content_type=kind), 415, "not-a-form")


def test_form_by_put_is_415(sluice, nothing_stored):
    answer = sluice.put("/api/upload/a.txt", data=form(GOOD), headers={"Content-Type": TYPE})
    refused(answer, 415, "not-a-form")


def test_compressed_body_is_415(sluice, nothing_stored):
    answer = sluice.put("/api/upload/a.txt", data=b"hello\n", headers={"Content-Encoding": "gzip"})
    refused(answer, 415, "encoding-refused")


def test_101_parts_are_413(sluice, nothing_stored):
    refused(post(sluice, *[field(f"f{i}", "x") for i in range(100)], file()), 413, "too-large")


def test_100_parts_are_accepted(sluice):
    [f] = files_of(post(sluice, *[field(f"f{i}", "x") for i in range(99)], file()))
    assert len(f["metadata"]) == 99


def test_fields_times_files_are_limited(sluice, nothing_stored):
    """Each file has all fields in its row and in the answer."""
    fields = [field(f"f{i}", "\x01" * 60000) for i in range(15)]
    refused(post(sluice, *fields, *[file(f"{i}.txt", b"x\n") for i in range(3)]), 413, "too-large")


def test_one_file_may_have_all_fields(sluice):
    [f] = files_of(post(sluice, *[field(f"f{i}", "\x01" * 60000) for i in range(15)], file("a.txt")))
    assert len(f["metadata"]) == 15


def test_long_fields_are_413(sluice, nothing_stored):
    refused(post(sluice, field("f", "x" * 65537), file()), 413, "too-large")
    refused(post(sluice, *[field("f", "x" * 65536) for _ in range(17)], file()), 413, "too-large")


def test_field_of_exactly_the_limit_is_accepted(sluice):
    [f] = files_of(post(sluice, field("f", "x" * 65536), file()))
    assert len(f["metadata"]["f"]) == 65536


ODD_BUT_GOOD = {
    "quoted boundary": (form(GOOD), f'multipart/form-data; boundary="{BOUNDARY}"'),
    "preamble": (b"hello\r\n" + form(GOOD), TYPE),
    "epilogue": (form(GOOD) + b"bye\r\n", TYPE),
    "no CRLF at the end": (form(GOOD)[:-2], TYPE),
    "white space after delimiter": (form(GOOD).replace(B + b"\r\nC", B + b" \t\r\nC"), TYPE),
    "upper case": (form(GOOD).replace(b"Content-Disposition: form-data",
                                      b"CONTENT-DISPOSITION: FORM-DATA"), TYPE),
    "binary": (form(part(disposition("f", "a.txt")
                         + "\r\nContent-Transfer-Encoding: binary", b"hello\n")), TYPE),
    "other parameter": (form(part('Content-Disposition: form-data; name="f"; filename="a.txt"; x=y',
                                  b"hello\n")), TYPE),
}


@pytest.mark.parametrize("case", ODD_BUT_GOOD)
def test_odd_form_is_read(sluice, case):
    body, kind = ODD_BUT_GOOD[case]
    [f] = files_of(post_raw(sluice, body, content_type=kind))
    assert (f["name"], f["size"]) == ("a.txt", 6)


def test_data_that_looks_like_a_delimiter_is_data(sluice):
    data = (b"\r\n--%s" % B[:-1] + b"\r\n--\r\n-" + b"\r\n--%sx" % B + b"\r\r\n--\n") * 50
    [f] = files_of(post(sluice, file("a.txt", data)))
    assert sluice.stored_path(f["id"]).read_bytes() == data


def test_field_with_bytes_that_json_cannot_hold(sluice):
    [f] = files_of(post(sluice, field("f", b"a\0b\xff\x80c\xed\xa0\x80"), file()))
    assert f["metadata"]["f"].startswith("a\ufffdb")
    assert "\0" not in f["metadata"]["f"]
    assert sluice.get(f"/api/files/{f['id']}").json()["metadata"] == f["metadata"]


def test_forms_module_makes_what_requests_makes(sluice):
    answer = sluice.post("/api/upload", files=[("a", ("a.txt", b"1\n")), ("b", ("b.txt", b"2\n"))])
    assert [f["name"] for f in files_of(answer)] == ["a.txt", "b.txt"]
    assert forms.form(GOOD).count(B) == 2
