"""Downloads by X-Accel-Redirect against the same file served statically by plain nginx."""
import json
import os
import statistics

from measure import alternate, run, settle
from rows_large import curl, random_file
from services import Instance, Nginx


def rows(ctx, table):
    sl = Instance(ctx.sub("sluice-download"), ctx.build, "nginx",
                  ["upload.allow=*/*", "upload.max_size=0", "store.min_free=0", "pool.pm=static"])
    web = Nginx(ctx.sub("nginx-download"))
    static = ctx.sub("nginx-download") + "/static"
    try:
        head = ["-H", "Authorization: Bearer " + sl.token]
        large = random_file(static + "/large", ctx.size_large)
        small = random_file(static + "/small", 65536)
        ids = {}
        for name, path in (("large", large), ("small", small)):
            ids[name] = json.loads(run(["curl", "-sS", "-f", "-T", path, *head,
                                        sl.url + "/api/upload/" + name]))["id"]
        ours, theirs, _, _ = alternate(
            lambda: curl(*head, sl.url + "/api/download/" + ids["large"]),
            lambda: curl(web.url + "/static/large"), ctx.runs)
        table.add("download of %s: time" % ctx.size_text(ctx.size_large), "plain nginx", ours / theirs, "",
                  "%.2f s against %.2f s" % (ours, theirs))

        def rate(url, *extra):
            out = run(["wrk", "-t1", "-c32", "-d%ds" % ctx.seconds, *extra, url])
            if "Non-2xx" in out:
                raise RuntimeError("%s: answers that are no 2xx" % url)
            return float(next(l for l in out.splitlines() if l.startswith("Requests/sec")).split()[1])

        a, b = [], []
        for _ in range(ctx.runs):
            settle()
            a.append(rate(sl.url + "/api/download/" + ids["small"], *head))
            b.append(rate(web.url + "/static/small"))
        ours, theirs = statistics.median(a), statistics.median(b)
        table.add("download of 64 KiB, 32 connections: requests/s", "plain nginx", ours / theirs, "",
                  "%.0f/s against %.0f/s" % (ours, theirs))
    finally:
        web.stop()
        sl.stop()
        for f in os.listdir(static):
            os.unlink(static + "/" + f)
