"""Thumbnails: CPU time of the worker (all its processes) for a picture, against sharp's."""
import json
import os
import signal
import statistics
import subprocess
import time

from measure import run, say, settle
from services import Instance

CASES = (("JPEG 12 MP", "4000x3000", "jpg"), ("JPEG 4 MP", "2400x1700", "jpg"), ("PNG 4 MP", "2400x1700", "png"),
         ("WebP 4 MP", "2400x1700", "webp"))


def tree_cpu(argv, until):
    """Runs a daemon until the condition holds; CPU seconds of it and all its descendants."""
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.time() + 300
    while not until():
        if time.time() > end or p.poll() is not None:
            p.kill()
            raise RuntimeError("the worker did not finish its jobs")
        time.sleep(0.05)
    p.send_signal(signal.SIGTERM)
    _, code, usage = os.wait4(p.pid, 0)
    p.returncode = code
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def rows(ctx, table):
    count = ctx.thumbs
    sl = Instance(ctx.sub("sluice-thumb"), ctx.build, "nginx",
                  ["worker.children=1", "rendition.small.fit=256x256", "rendition.small.quality=80",
                   "store.min_free=0", "upload.max_size=0"])
    try:
        sl.stop_worker()
        worker = [ctx.build + "/sluice-worker", "-c", sl.env["SLUICE_CONF"]]
        pending = "SELECT count(*) FROM sluice.job"
        if sl.sql(pending) != "0":
            tree_cpu(worker, lambda: sl.sql(pending) == "0")
        for name, size, ext in CASES:
            picture = ctx.picture(size, ext)
            ours, theirs, rss = [], [], 0
            for _ in range(ctx.runs):
                settle()
                base, _ = tree_cpu(worker, lambda: True if time.sleep(1.0) is None else False)
                for i in range(count):
                    run(["curl", "-sS", "-f", "-o", "/dev/null", "-T", picture, "-H",
                         "Authorization: Bearer " + sl.token, sl.url + "/api/upload/p%d.%s" % (i, ext)])
                cpu, rss = tree_cpu(worker, lambda: sl.sql(pending) == "0")
                ours.append((cpu - base) / count)
                r = json.loads(run(["node", ctx.node_dir + "/thumb.js", "256", "80", str(count), picture]))
                theirs.append(r["cpu"] / r["pictures"])
            bad = sl.sql("SELECT count(*) FROM sluice.file WHERE thumbnail_status <> 'ready'")
            if bad != "0":
                raise RuntimeError("%s thumbnails are not ready" % bad)
            a, b = statistics.median(ours), statistics.median(theirs)
            say("    %s: %.1f ms against %.1f ms" % (name, a * 1e3, b * 1e3))
            table.add("thumbnails per core-second, %s to 256 px" % name, "sharp", b / a, "",
                      "%.1f/s against %.1f/s; peak %.0f MiB against %.0f MiB"
                      % (1 / a, 1 / b, rss / 1024, r["maxRssKiB"] / 1024))
    finally:
        sl.stop()
