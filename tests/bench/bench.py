"""The benchmark of sluice: every row is a ratio against a yardstick measured in the same run."""
import argparse
import os
import platform
import shutil
import sys
import time
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import rows_download
import rows_large
import rows_memory
import rows_small
import rows_thumb
from measure import Table, run, say

PARTS = {"large": rows_large, "small": rows_small, "memory": rows_memory, "thumb": rows_thumb,
         "download": rows_download}


class Context:
    """Sizes, counts and places of this run."""

    def __init__(self, args):
        self.dir = os.path.abspath(args.dir)
        self.build = os.path.abspath(args.build)
        self.node_dir = os.path.abspath(args.node)
        self.runs = args.runs or (1 if args.quick else 5)
        self.seconds = 3 if args.quick else 10
        self.size_large = (64 << 20) if args.quick else (1 << 30)
        self.sizes_memory = [1 << 10, 64 << 20] if args.quick else [1 << 10, 1 << 20, 1 << 30, 10 << 30]
        self.thumbs = 5 if args.quick else 30
        os.makedirs(self.dir, exist_ok=True)

    def sub(self, name):
        d = os.path.join(self.dir, name)
        os.makedirs(d, exist_ok=True)
        return d

    @staticmethod
    def size_text(n):
        for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
            if n >= 1 << shift:
                return "%d %s" % (n >> shift, unit)
        return "%d B" % n

    @staticmethod
    def convert():
        for name in ("convert-im6.q16", "convert"):
            if shutil.which(name):
                return name
        raise RuntimeError("ImageMagick's convert is not installed")

    def picture(self, size, ext):
        """A synthetic photograph: clouds, noise, detail; the same on every machine."""
        path = "%s/picture-%s.%s" % (self.dir, size, ext)
        if not os.path.exists(path):
            say("making %s" % path)
            run([self.convert(), "-size", size, "-seed", "7", "plasma:tomato-steelblue", "-attenuate", "0.15",
                 "+noise", "Gaussian", "-depth", "8", "-quality", "92", "-sampling-factor", "2x2", path])
        return path

    def picture_of_bytes(self, n):
        """A JPEG of exactly n bytes (padded behind its end, as cameras do)."""
        path = "%s/picture-%d-bytes.jpg" % (self.dir, n)
        run([self.convert(), "-size", "480x360", "-seed", "7", "plasma:tomato-steelblue", "-quality", "80", path])
        size = os.path.getsize(path)
        if size > n:
            raise RuntimeError("%s has %d bytes, more than %d" % (path, size, n))
        with open(path, "ab") as f:
            f.write(b"\0" * (n - size))
        return path

    @staticmethod
    def dsn_words(dsn):
        words = dict(w.split("=", 1) for w in dsn.split())
        return {k: v.strip("'") for k, v in words.items()}

    def dsn_uri(self, dsn):
        w = self.dsn_words(dsn)
        return "postgresql://%s@/%s?host=%s" % (w.get("user", ""), w["dbname"], quote(w["host"], safe=""))

    def dsn_pdo(self, dsn):
        w = self.dsn_words(dsn)
        return "pgsql:" + ";".join("%s=%s" % (k, w[k]) for k in ("host", "port", "dbname", "user") if k in w)


def about(args):
    cpu = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    return {"date": time.strftime("%Y-%m-%d"), "quick": args.quick, "cpu": cpu, "cores": os.cpu_count(),
            "kernel": platform.release().split("-")[0], "only": args.only or "all"}


def main():
    p = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    p.add_argument("--quick", action="store_true",
                   help="small sizes, one run each: proves that the benchmark works, not a figure")
    p.add_argument("--json", metavar="FILE", help="write the rows as JSON as well")
    p.add_argument("--only", metavar="PART[,PART]", help="of: " + ", ".join(PARTS))
    p.add_argument("--runs", type=int, help="alternating runs of each row (default 5; quick: 1)")
    p.add_argument("--dir", required=True, help=argparse.SUPPRESS)
    p.add_argument("--build", required=True, help=argparse.SUPPRESS)
    p.add_argument("--node", required=True, help=argparse.SUPPRESS)
    args = p.parse_args()
    only = args.only.split(",") if args.only else list(PARTS)
    for name in only:
        if name not in PARTS:
            p.error("no such part: %s" % name)
    ctx, table, failed = Context(args), Table(), []
    for name in only:
        say("%s:" % name)
        try:
            PARTS[name].rows(ctx, table)
        except (RuntimeError, OSError) as e:
            say("%s could not be measured: %s" % (name, e))
            failed.append(name)
    print(table.text())
    if args.json:
        with open(args.json, "w") as f:
            f.write(table.json(about(args)))
    if failed:
        print("not measured: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
