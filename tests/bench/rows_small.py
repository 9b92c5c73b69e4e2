"""Small durable uploads: 64 KiB JPEG, 100 connections, against Node and PHP-FPM doing the same."""
import json
import os
import statistics

from measure import run, say, settle
from services import TOP, Instance, Nginx, Php, Process, free_port

CHILDREN = 16
BOUNDARY = "------------------------sluicebench0001"


def form_body(path, picture):
    """One multipart body with one file, ready to be sent again and again."""
    with open(picture, "rb") as f:
        data = f.read()
    with open(path, "wb") as f:
        f.write(("--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"photo.jpg\"\r\n"
                 "Content-Type: image/jpeg\r\n\r\n" % BOUNDARY).encode())
        f.write(data)
        f.write(("\r\n--%s--\r\n" % BOUNDARY).encode())
    return path


def load(url, body, seconds, connections, token=None):
    env = dict(os.environ, BENCH_BODY=body, BENCH_TYPE="multipart/form-data; boundary=" + BOUNDARY)
    if token:
        env["BENCH_TOKEN"] = token
    out = run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--timeout", "30s", "--latency",
               "-s", TOP + "/tests/bench/post.lua", url], env=env)
    r = json.loads(next(l for l in out.splitlines() if l.startswith("{")))
    if r["bad"]:
        raise RuntimeError("%s: %d bad answers of %d" % (url, r["bad"], r["requests"]))
    return {"rate": r["requests"] / (r["us"] / 1e6), "p99": r["p99"] / 1000}


def rows(ctx, table):
    d = ctx.sub("small")
    picture = ctx.picture_of_bytes(65536)
    body = form_body(d + "/body", picture)
    sl = Instance(ctx.sub("sluice-small"), ctx.build, "nginx",
                  ["pool.pm=static", "pool.max_children=%d" % CHILDREN, "store.min_free=0"])
    stop = [sl.stop]
    try:
        sl.stop_worker()
        sl.sql("CREATE TABLE IF NOT EXISTS public.bench_file (id uuid PRIMARY KEY, name text, size bigint,"
               " type text, sha256 bytea, created_at timestamptz DEFAULT now())")
        for who in ("node", "php"):
            os.makedirs("%s/%s/files" % (d, who), exist_ok=True)
            os.makedirs("%s/%s/incoming" % (d, who), exist_ok=True)
        dsn = sl.env["SLUICE_DSN"]
        node_ports = {}
        for processes in (1, 2):
            port = node_ports[processes] = free_port()
            stop.append(Process(["node", ctx.node_dir + "/upload.js", str(port), d + "/node",
                                 ctx.dsn_uri(dsn), str(processes)], port,
                                env={"NODE_ENV": "production"}).stop)
        php = Php(d + "/php", CHILDREN, ctx.dsn_pdo(dsn))
        stop.append(php.stop)
        web = Nginx(d + "/php", php=TOP + "/tests/bench/php/upload.php")
        stop.append(web.stop)
        targets = {
            "sluice": (sl.url + "/api/upload", sl.token),
            "node": ("http://127.0.0.1:%d/upload" % node_ports[1], None),
            "cluster": ("http://127.0.0.1:%d/upload" % node_ports[2], None),
            "php": (web.url + "/upload", None),
        }
        results = {k: [] for k in targets}
        for k, (url, token) in targets.items():
            load(url, body, 2, 10, token)
        for i in range(ctx.runs):
            for k, (url, token) in list(targets.items())[:: 1 if i % 2 == 0 else -1]:
                settle()
                results[k].append(load(url, body, ctx.seconds, 100, token))
                say("    %s: %.0f/s, p99 %.0f ms" % (k, results[k][-1]["rate"], results[k][-1]["p99"]))
        med = {k: {m: statistics.median(r[m] for r in v) for m in ("rate", "p99")}
               for k, v in results.items()}
        ours = med["sluice"]
        for k, name, goal in (("node", "Node (express, multer, pg)", ">= 3"),
                              ("cluster", "the same, a cluster of 2", ""), ("php", "PHP-FPM", "")):
            table.add("64 KiB JPEG, durable, 100 connections: requests/s", name,
                      ours["rate"] / med[k]["rate"], goal,
                      "%.0f/s against %.0f/s" % (ours["rate"], med[k]["rate"]))
            table.add("the same: p99", name, ours["p99"] / med[k]["p99"], "",
                      "%.0f ms against %.0f ms" % (ours["p99"], med[k]["p99"]))
    finally:
        for f in reversed(stop):
            f()
