"""The worker: every picture it can read, every end a job can have, and what happens when it dies."""

import json
import os
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

import picture
import pytest
from instance import DATA, on_fronts, process_runs, wait_for

pytestmark = on_fronts("nginx")
SETTINGS = {
    "rendition.small.fit": "256x256",
    "rendition.square.crop": "100x100",
    "rendition.square.format": "png",
    "rendition.web.fit": "128x1000",
    "rendition.web.format": "webp",
    "rendition.web.quality": "70",
    "rendition.pixels.fit": "64x64",
    "rendition.pixels.format": "png",
    "worker.lease": "3s",
    "worker.poll": "200ms",
    "worker.max_attempts": "2",
    "worker.children": "2",
}
PICTURES = DATA / "pictures"
RED, GREEN, BLUE, WHITE = (208, 0, 0), (0, 192, 0), (0, 0, 208), (240, 240, 240)
STRAIGHT = (RED, GREEN, BLUE, WHITE)  # top left, top right, bottom left, bottom right
TURNED = {1: STRAIGHT, 2: (GREEN, RED, WHITE, BLUE), 3: (WHITE, BLUE, GREEN, RED),
          4: (BLUE, WHITE, RED, GREEN), 5: (RED, BLUE, GREEN, WHITE), 6: (BLUE, RED, WHITE, GREEN),
          7: (WHITE, GREEN, BLUE, RED), 8: (GREEN, WHITE, RED, BLUE)}
GOOD = {name: STRAIGHT for name in (
    "plain.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "palette.png", "deep.png", "moving.gif",
    "lossy.webp", "lossless.webp", "lzw.tiff", "raw.tiff", "plain.bmp", "plain.heic", "plain.avif")}
GOOD.update({f"turned{n}.jpg": colours for n, colours in TURNED.items()})
GOOD["profile.jpg"] = (GREEN, RED, BLUE, WHITE)  # its profile has red and green swapped
GOOD["grey.jpg"] = None
GOOD["alpha.png"] = None
CORRUPT = ["bomb.png", "bomb-bilevel.png", "cut.avif", "cut.gif", "cut.jpg", "cut.png", "cut.tiff",
           "cut.webp", "damaged.jpg", "head.jpg"]


def upload(sluice, name):
    return sluice.upload(name, (PICTURES / name).read_bytes())["id"]


@pytest.fixture(scope="module")
def made(sluice):
    """All good pictures, with their thumbnails."""
    ids = {name: upload(sluice, name) for name in GOOD}
    return {name: sluice.thumbnail(file_id, timeout=60) for name, file_id in ids.items()}


def rendition(sluice, file, name):
    answer = sluice.get(f"/api/files/{file['id']}/thumbnail/{name}")
    assert answer.status_code == 200, answer.text
    return answer


def near(pixel, colour):
    return all(abs(a - b) <= 40 for a, b in zip(pixel, colour))


def history(sluice, file_id):
    return sluice.sql("SELECT state, attempts, coalesce(last_error, '') FROM sluice.job_history"
                      f" WHERE file_id = '{file_id}' ORDER BY id")


# ---- pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
def test_picture_gets_all_its_renditions(sluice, made, name):
    file = made[name]
    assert file["thumbnailStatus"] == "ready", file
    kinds = {"small": "jpeg", "square": "png", "web": "webp", "pixels": "png"}
    assert {t["rendition"] for t in file["thumbnails"]} == set(kinds)
    for thumbnail in file["thumbnails"]:
        kind = kinds[thumbnail["rendition"]]
        answer = rendition(sluice, file, thumbnail["rendition"])
        assert answer.headers["Content-Type"] == thumbnail["contentType"] == f"image/{kind}"
        assert len(answer.content) == thumbnail["size"]
        size = {"jpeg": picture.jpeg_size, "webp": picture.webp_size,
                "png": lambda data: picture.Png(data).size}[kind](answer.content)
        assert size == (thumbnail["width"], thumbnail["height"])
    if GOOD[name]:
        png = picture.Png(rendition(sluice, file, "pixels").content)
        width, height = png.size
        for i, colour in enumerate(GOOD[name]):
            x, y = (width // 4, width * 3 // 4)[i % 2], (height // 4, height * 3 // 4)[i // 2]
            assert near(png.at(x, y), colour), (i, png.at(x, y))


def test_fit_stays_inside_the_box_and_crop_fills_it(sluice, made):
    sizes = {t["rendition"]: (t["width"], t["height"]) for t in made["plain.jpg"]["thumbnails"]}
    assert sizes == {"small": (256, 192), "square": (100, 100), "web": (128, 96),
                     "pixels": (64, 48)}
    sizes = {t["rendition"]: (t["width"], t["height"]) for t in made["turned6.jpg"]["thumbnails"]}
    assert sizes["small"] == (192, 256)


def test_small_picture_is_not_enlarged(made):
    sizes = {t["rendition"]: (t["width"], t["height"]) for t in made["raw.tiff"]["thumbnails"]}
    assert sizes["small"] == (64, 48)


def test_metadata_is_stripped(sluice, made):
    data = rendition(sluice, made["turned6.jpg"], "small").content
    assert picture.jpeg_metadata(data) == []
    for text in (b"Exif", b"SLUICE ONE", b"2026:06:21"):
        assert text not in data
    chunks = picture.Png(rendition(sluice, made["profile.jpg"], "square").content).chunks
    assert not {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP"} & set(chunks)


def test_transparency_becomes_white_in_jpeg_and_stays_in_png(sluice, made):
    png = picture.Png(rendition(sluice, made["alpha.png"], "pixels").content)
    assert png.at(10, 10)[3] == 0
    assert png.at(50, 10)[3] == 255


@pytest.mark.parametrize("name", CORRUPT)
def test_corrupt_picture_fails_with_a_reason_and_not_for_ever(sluice, expect_log, name):
    expect_log("failed|attempt")
    file = sluice.thumbnail(upload(sluice, name), timeout=30)
    assert file["thumbnailStatus"] == "failed", file
    assert len(file["thumbnailError"]) > 5
    assert file["thumbnails"] == []
    [[state, attempts, reason]] = history(sluice, file["id"])
    assert state == "dead" and int(attempts) <= 2 and reason == file["thumbnailError"]
    assert sluice.sql(f"SELECT 1 FROM sluice.job WHERE file_id = '{file['id']}'") == []
    assert [p for p in sluice.stored("thumbnails") if file["id"] in p.name] == []


def test_no_thumbnail_of_what_is_no_picture(sluice):
    file = sluice.upload("a.txt", b"hello\n")
    assert file["thumbnailStatus"] == "none"
    assert history(sluice, file["id"]) == []
    answer = sluice.get(f"/api/files/{file['id']}/thumbnail")
    assert (answer.status_code, answer.json()["thumbnailStatus"]) == (404, "none")


def test_empty_picture_has_no_job(sluice):
    assert sluice.upload("empty.png", b"")["thumbnailStatus"] == "none"


def test_unknown_rendition_is_404(sluice, made):
    answer = sluice.get(f"/api/files/{made['plain.jpg']['id']}/thumbnail/huge")
    assert (answer.status_code, answer.json()["type"]) == (
        404, "urn:problem-type:sluice:not-found")


# ---- jobs --------------------------------------------------------------------------------------


def descendants(pid):
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        try:
            text = Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue
        todo += [int(word) for word in text.split()]
        found += [int(word) for word in text.split()]
    return found


class Stopped:
    """The decoders stand still, so that a job stays in the worker's hands."""

    def __init__(self, sluice):
        self.pids = descendants(sluice.pid("worker"))

    def __enter__(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            if process_runs(pid):
                os.kill(pid, signal.SIGCONT)


def test_pending_thumbnail_is_404_with_retry_after(sluice):
    with Stopped(sluice):
        file_id = upload(sluice, "plain.jpg")
        answer = sluice.get(f"/api/files/{file_id}/thumbnail")
    assert answer.status_code == 404
    assert answer.json()["thumbnailStatus"] == "generating"
    assert int(answer.headers["Retry-After"]) >= 1
    assert sluice.thumbnail(file_id)["thumbnailStatus"] == "ready"


def test_job_of_a_killed_worker_is_done_by_the_next_after_the_lease(sluice, expect_log):
    expect_log("zygote")
    with Stopped(sluice):
        file_id = upload(sluice, "plain.jpg")
        wait_for(lambda: sluice.sql(f"SELECT 1 FROM sluice.job WHERE file_id = '{file_id}'"
                                    " AND state = 'running'"), what="the job to run")
        sluice.kill("worker")
    sluice.restart(only="sluice-worker")
    started = time.monotonic()
    assert sluice.thumbnail(file_id, timeout=20)["thumbnailStatus"] == "ready"
    assert time.monotonic() - started < 10
    [[state, attempts, _]] = history(sluice, file_id)
    assert (state, attempts) == ("done", "2")


def test_worker_told_to_stop_gives_its_jobs_back(sluice, expect_log):
    expect_log("zygote")
    file_id = upload(sluice, "plain.jpg")
    sluice.restart(only="sluice-worker")
    assert sluice.thumbnail(file_id)["thumbnailStatus"] == "ready"
    assert history(sluice, file_id)[0][:2] == ["done", "1"]


def test_killed_decoders_are_started_anew(sluice, expect_log):
    expect_log("zygote|decoder|attempt")
    launcher = descendants(sluice.pid("worker"))[0]
    for pid in descendants(launcher):
        os.kill(pid, signal.SIGKILL)
    for _ in range(2):
        file = sluice.thumbnail(upload(sluice, "plain.jpg"), timeout=30)
        assert file["thumbnailStatus"] == "ready", file


def test_worker_that_can_start_no_decoders_any_more_ends_to_be_replaced(sluice, expect_log):
    expect_log("zygote|launcher")
    worker = sluice.pid("worker")
    os.kill(descendants(worker)[0], signal.SIGKILL)
    file_id = upload(sluice, "plain.jpg")
    wait_for(lambda: not process_runs(worker), timeout=10, what="the worker to end")
    sluice.restart(only="sluice-worker")
    assert sluice.thumbnail(file_id)["thumbnailStatus"] == "ready"
    assert history(sluice, file_id)[-1][0] == "done"


def reload_worker(sluice, **settings):
    path = sluice.conf.parent / "conf.d" / "70-worker.conf"
    path.write_text("[worker]\n" + "".join(f"{k} = {v}\n" for k, v in settings.items()))
    path.chmod(0o644)
    before = sluice.log("sluice-worker").count("started with")
    sluice.signal("worker", signal.SIGHUP)
    wait_for(lambda: sluice.log("sluice-worker").count("started with") > before,
             what="the worker to take its new configuration")


def plain_png(width, height):
    """A picture that is small in the file and large in memory, and not too large."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\0" + b"\x80\x40\x20" * width) * height, 9)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0,
            0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def test_poison_job_is_dead_after_its_attempts_others_go_on_and_it_can_be_retried(
        sluice, expect_log):
    expect_log("failed|attempt")
    reload_worker(sluice, memory="64M")
    file = sluice.upload("poison.png", plain_png(5000, 4000))
    other = upload(sluice, "plain.jpg")
    assert sluice.thumbnail(other)["thumbnailStatus"] == "ready"
    failed = sluice.thumbnail(file["id"], timeout=30)
    assert failed["thumbnailStatus"] == "failed", failed
    [[state, attempts, reason]] = history(sluice, file["id"])
    assert (state, attempts) == ("dead", "2"), reason
    dead = json.loads(sluice.admin("jobs", "dead", "--json").stdout)
    rows = dead if isinstance(dead, list) else dead["rows"]
    [row] = [row for row in rows if row["file"] == file["id"]]
    assert row["error"] == reason
    # the operator gives more memory and asks again
    reload_worker(sluice, memory="768M")
    sluice.admin("jobs", "retry", str(row["id"]))
    wait_for(lambda: sluice.get(f"/api/files/{file['id']}").json()["thumbnailStatus"] == "ready",
             what="the second chance")


def test_picture_that_takes_too_long_is_given_up(sluice, expect_log):
    expect_log("failed|attempt")
    reload_worker(sluice, wall_time="1s", cpu_time="1s")
    data = plain_png(6500, 6500)
    file = sluice.upload("slow.png", data)
    done = sluice.thumbnail(file["id"], timeout=40)
    # a fast machine may manage it; then there is nothing to see
    if done["thumbnailStatus"] == "failed":
        assert "longer than" in done["thumbnailError"] or "processor" in done["thumbnailError"]
    reload_worker(sluice)
    assert sluice.thumbnail(upload(sluice, "plain.jpg"))["thumbnailStatus"] == "ready"


def test_two_workers_share_the_queue_and_each_job_is_done_once(sluice):
    command = [f"{sluice.env['SLUICE_BIN']}/sluice-worker", "-c", str(sluice.conf)]
    log = sluice.log_dir / "second-worker.log"
    with open(log, "wb") as out:
        second = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                  cwd="/", env={"PATH": "/usr/bin:/bin"})
    try:
        wait_for(lambda: "started with" in log.read_text(), what="the second worker")
        ids = [upload(sluice, "plain.jpg") for _ in range(16)]
        for file_id in ids:
            assert sluice.thumbnail(file_id)["thumbnailStatus"] == "ready"
    finally:
        second.terminate()
        assert second.wait(20) == 0
    for file_id in ids:
        assert [row[:2] for row in history(sluice, file_id)] == [["done", "1"]]
