"""The way of one picture through each front end: in, into the database, thumbnail, out again."""

import hashlib

from instance import DATA, wait_for

SAMPLE = DATA / "sample.jpg"


def test_ready(sluice):
    assert sluice.get("/health", token=None).status_code == 200
    assert sluice.get("/ready", token=None).status_code == 200


def test_needs_token(sluice):
    answer = sluice.post("/api/upload", files={"file": ("a.txt", b"hello")}, token=None)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "WWW-Authenticate" in answer.headers


def test_picture(sluice):
    data = SAMPLE.read_bytes()
    answer = sluice.post("/api/upload", files={"file": ("sample.jpg", data)}, data={"note": "x"})
    assert answer.status_code == 201, answer.text
    file = answer.json()["files"][0]
    assert file["name"] == "sample.jpg"
    assert file["size"] == len(data)
    assert file["contentType"] == "image/jpeg"
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert sluice.stored_path(file["id"]).read_bytes() == data
    assert sluice.sql(f"SELECT size FROM sluice.file WHERE id = '{file['id']}'") == [
        [str(len(data))]]

    file = sluice.thumbnail(file["id"])
    assert file["thumbnailStatus"] == "ready", file
    picture = sluice.get(f"/api/files/{file['id']}/thumbnail")
    assert picture.status_code == 200
    assert picture.content[:3] == b"\xff\xd8\xff"

    download = sluice.get(f"/api/download/{file['id']}")
    assert download.status_code == 200
    assert download.content == data
    assert download.headers["ETag"] == f'"{file["sha256"]}"'
    assert download.headers["X-Content-Type-Options"] == "nosniff"

    part = sluice.get(f"/api/download/{file['id']}", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == data[10:20]

    assert sluice.delete(f"/api/files/{file['id']}").status_code == 204
    assert sluice.get(f"/api/download/{file['id']}").status_code == 404
    wait_for(lambda: not sluice.stored_path(file["id"]).exists(), what="the file to go")


def test_raw(sluice):
    data = b"one line of text\n" * 10000
    file = sluice.upload("some text.txt", data)
    assert file["name"] == "some text.txt"
    assert sluice.get(f"/api/download/{file['id']}").content == data


def test_raw_chunked(sluice):
    file = sluice.upload("chunks.txt", (b"line %d\n" % n for n in range(10000)))
    expected = b"".join(b"line %d\n" % n for n in range(10000))
    assert file["sha256"] == hashlib.sha256(expected).hexdigest()


def test_nothing_left(sluice):
    assert sluice.stored("incoming") == []
    if sluice.front == "nginx-handoff":
        wait_for(lambda: sluice.stored("spool") == [], what="nginx to clean up")
