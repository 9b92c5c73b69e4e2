"""The main job, through every front end: in, durable, thumbnail, out again."""

import base64
import hashlib

import forms
import picture
import pytest
from instance import DATA, wait_for
from rawhttp import Connection

SETTINGS = {"upload.max_size": "4M"}
SAMPLE = (DATA / "sample.jpg").read_bytes()
SHA256 = hashlib.sha256(SAMPLE).hexdigest()


def chunks(data, size=10000):
    return (data[i:i + size] for i in range(0, len(data), size))


@pytest.fixture(scope="module")
def stored(sluice):
    """The sample, with its thumbnail."""
    return sluice.thumbnail(sluice.upload("stored.jpg", SAMPLE)["id"], timeout=15)


def check_stored(sluice, file, data):
    """The answer is right, the bytes and the row are there."""
    assert file["size"] == len(data)
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    path = sluice.stored_path(file["id"])
    assert path.read_bytes() == data
    # handed off, nginx takes its own name of the file away after the answer
    wait_for(lambda: path.stat().st_nlink == 1, timeout=5, what="the one name of the file")
    rows = sluice.sql("SELECT f.name, f.size, encode(f.sha256, 'hex'), f.content_type, a.name"
                      " FROM sluice.file f JOIN sluice.account a ON a.id = f.account_id"
                      f" WHERE f.id = '{file['id']}'")
    assert rows == [[file["name"], str(len(data)), file["sha256"], file["contentType"], "user"]]
    # what else there is may be a thumbnail that the worker is writing
    assert not [p for p in sluice.stored("incoming") if p.name == file["id"]]


def test_multipart_upload_is_on_disk_and_in_database_when_answered(sluice):
    answer = sluice.post("/api/upload", files={"file": ("sample.jpg", SAMPLE, "image/jpeg")},
                         data={"note": "ein schöner Tag"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    [file] = answer.json()["files"]
    check_stored(sluice, file, SAMPLE)
    assert file["name"] == "sample.jpg"
    assert (file["contentType"], file["declaredType"]) == ("image/jpeg", "image/jpeg")
    assert file["metadata"] == {"note": "ein schöner Tag"}
    assert (file["thumbnailStatus"], file["scanStatus"]) == ("generating", "off")
    assert file["thumbnails"] == []
    assert file["downloadUrl"] == f"/api/download/{file['id']}"


def test_raw_put_is_on_disk_and_in_database_when_answered(sluice):
    answer = sluice.put("/api/upload/sample.jpg", data=SAMPLE)
    assert answer.status_code == 201, answer.text
    file = answer.json()
    check_stored(sluice, file, SAMPLE)
    assert answer.headers["Location"] == f"/api/files/{file['id']}"
    assert file["declaredType"] is None


def test_chunked_put_without_length(sluice):
    answer = sluice.put("/api/upload/sample.jpg", data=chunks(SAMPLE))
    assert answer.status_code == 201, answer.text
    check_stored(sluice, answer.json(), SAMPLE)


def test_chunked_multipart_without_length(sluice):
    body = forms.form(forms.file("sample.jpg", SAMPLE))
    answer = forms.post_raw(sluice, chunks(body))
    assert answer.status_code == 201, answer.text
    check_stored(sluice, answer.json()["files"][0], SAMPLE)


def test_raw_post_takes_its_name_from_content_disposition(sluice):
    answer = sluice.post("/api/upload", data=SAMPLE, headers={
        "Content-Type": "image/jpeg",
        "Content-Disposition": "attachment; filename=\"x.jpg\"; filename*=UTF-8''b%C3%A4r.jpg"})
    assert answer.status_code == 201, answer.text
    check_stored(sluice, answer.json(), SAMPLE)
    assert answer.json()["name"] == "bär.jpg"


def test_name_in_path_is_decoded_once(sluice):
    assert sluice.upload("a b%41/../ü.txt", b"x\n")["name"] == "ü.txt"
    assert sluice.upload("100%25.txt", b"x\n")["name"] == "100%25.txt"


def test_empty_file_has_size_0(sluice):
    for answer in (sluice.put("/api/upload/empty.txt", data=b""),
                   sluice.post("/api/upload", files={"file": ("empty.txt", b"")})):
        assert answer.status_code == 201, answer.text
        file = answer.json().get("files", [answer.json()])[0]
        check_stored(sluice, file, b"")
        assert sluice.get(f"/api/download/{file['id']}").content == b""


def test_expect_100_continue(sluice):
    with Connection(sluice) as c:
        c.head("PUT", "/api/upload/e.txt", {"Content-Length": 6, "Expect": "100-continue"})
        assert c.sock.recv(4096).startswith(b"HTTP/1.1 100 ")
        c.send(b"hello\n")
        assert c.answer()[0] == 201


def test_digest_that_fits_and_one_that_does_not(sluice):
    digest = base64.b64encode(hashlib.sha256(b"hello\n").digest()).decode()
    answer = sluice.put("/api/upload/a.txt", data=b"hello\n",
                        headers={"Repr-Digest": f"sha-256=:{digest}:"})
    assert answer.status_code == 201, answer.text
    before = sluice.stored()
    answer = sluice.put("/api/upload/a.txt", data=b"hallo\n",
                        headers={"Repr-Digest": f"sha-256=:{digest}:"})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith(":digest-mismatch")
    assert sluice.stored() == before


def test_thumbnail_is_ready_within_15_seconds_small_turned_and_without_metadata(sluice, stored):
    assert stored["thumbnailStatus"] == "ready", stored
    [thumbnail] = stored["thumbnails"]
    answer = sluice.get(thumbnail["url"])
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert len(answer.content) == thumbnail["size"]
    # the sample lies on its side: 1600x1200, orientation 6
    assert picture.jpeg_size(SAMPLE) == (1600, 1200)
    assert picture.jpeg_size(answer.content) == (192, 256)
    assert (thumbnail["width"], thumbnail["height"]) == (192, 256)
    assert picture.jpeg_metadata(SAMPLE) == [0xE1]
    assert picture.jpeg_metadata(answer.content) == []
    assert b"Exif" not in answer.content
    assert sluice.get(f"/api/files/{stored['id']}/thumbnail").content == answer.content


def test_thumbnail_conditions_and_ranges(sluice, stored):
    url = stored["thumbnails"][0]["url"]
    whole = sluice.get(url)
    etag = whole.headers["ETag"]
    assert sluice.get(url, headers={"If-None-Match": etag}).status_code == 304
    part = sluice.get(url, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert sluice.head(url).status_code == 200


def test_download_gives_the_bytes_back(sluice, stored):
    answer = sluice.get(stored["downloadUrl"])
    assert answer.status_code == 200
    assert answer.content == SAMPLE
    assert answer.headers["ETag"] == f'"{SHA256}"'
    assert int(answer.headers["Content-Length"]) == len(SAMPLE)
    assert answer.headers["Content-Type"] == "image/jpeg"
    digest = base64.b64encode(bytes.fromhex(SHA256)).decode()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    # how the web server is told where the bytes lie is nobody's business
    for name in ("X-Accel-Redirect", "X-Sendfile"):
        assert name not in answer.headers


def test_file_and_list_show_it(sluice, stored):
    assert sluice.get(f"/api/files/{stored['id']}").json() == stored
    assert stored in sluice.get("/api/files?limit=1000&q=stored.jpg").json()["files"]


def test_delete_removes_row_bytes_and_thumbnail(sluice):
    file = sluice.thumbnail(sluice.upload("go.jpg", SAMPLE)["id"])
    assert any(file["id"] in path.name for path in sluice.stored("thumbnails"))
    answer = sluice.delete(f"/api/files/{file['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert sluice.get(file["downloadUrl"]).status_code == 404
    assert not sluice.stored_path(file["id"]).exists()
    assert not any(file["id"] in path.name for path in sluice.stored("thumbnails"))
    assert sluice.sql(f"SELECT 1 FROM sluice.file WHERE id = '{file['id']}'") == []
    assert sluice.delete(f"/api/files/{file['id']}").status_code == 404


def test_health_and_ready(sluice):
    assert sluice.get("/health", token=None).json() == {"status": "ok"}
    assert sluice.get("/ready", token=None).json()["checks"] == {
        "database": "ok", "store": "ok", "queue": "ok"}
    for path in ("/health", "/ready"):
        assert sluice.head(path, token=None).status_code == 200


def test_large_file_goes_through(sluice):
    data = b"0123456789abcde\n" * (4 * 1024 * 1024 // 16)
    file = sluice.upload("large.txt", data)
    check_stored(sluice, file, data)
    with sluice.get(file["downloadUrl"], stream=True) as answer:
        digest = hashlib.sha256()
        for piece in answer.iter_content(65536):
            digest.update(piece)
    assert digest.hexdigest() == file["sha256"]


def test_slow_clients_hold_no_process_where_bodies_are_handed_off(sluice):
    if sluice.front != "nginx-handoff":
        return
    slow = [Connection(sluice) for _ in range(100)]
    try:
        for connection in slow:
            connection.head("PUT", "/api/upload/slow.txt", {"Content-Length": 1000}).send(b"x" * 100)
        assert sluice.upload("quick.txt", b"hello\n")["size"] == 6
        # dynamic pool: nobody was needed for them
        assert len(sluice.children("fcgi")) <= 4
        for connection in slow[:5]:
            connection.send(b"y" * 900)
            assert connection.answer()[0] == 201
    finally:
        for connection in slow:
            connection.close()


def test_spooled_bodies_do_not_stay(sluice):
    if sluice.front == "nginx-handoff":
        wait_for(lambda: sluice.stored("spool") == [], what="nginx to clean up")
    wait_for(lambda: sluice.stored("incoming") == [], what="incoming/ to be empty")
