"""Peak memory of a child from 1 KiB to 10 GiB, and of the whole pool under 100 uploads at once."""
import os
import subprocess

from measure import run
from services import Instance

MIB = 1 << 20


def children_of(pid):
    out = []
    for t in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, t)) as f:
            out += [int(x) for x in f.read().split()]
    return out


def status(pid, key):
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    return 0


def reset_peak(pid):
    with open("/proc/%d/clear_refs" % pid, "w") as f:
        f.write("5")


def put_zeros(url, token, size):
    """A body that takes no disk on the sending side."""
    head = subprocess.Popen(["head", "-c", str(size), "/dev/zero"], stdout=subprocess.PIPE)
    code = run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-T", "-",
                "-H", "Authorization: Bearer " + token, "-H", "Expect:", url], stdin=head.stdout)
    head.stdout.close()
    head.wait()
    if code != "201":
        raise RuntimeError("upload of %d bytes answered %s" % (size, code))


def rows(ctx, table):
    settings = ["upload.allow=*/*", "upload.max_size=0", "store.min_free=0", "pool.pm=static"]
    sl = Instance(ctx.sub("sluice-memory"), ctx.build, "nginx", settings + ["pool.max_children=1"])
    try:
        master = sl.pid("SLUICE_FCGI_PID")
        peaks = {}
        put_zeros(sl.url + "/api/upload/warm", sl.token, 1 << 16)
        for size in ctx.sizes_memory:
            child = children_of(master)[0]
            reset_peak(child)
            put_zeros(sl.url + "/api/upload/m", sl.token, size)
            peaks[size] = status(child, "VmHWM")
            run(["curl", "-sS", "-f", "-X", "DELETE", "-H", "Authorization: Bearer " + sl.token, sl.url
                 + "/api/files/" + sl.sql("SELECT id FROM sluice.file WHERE name = 'm' LIMIT 1")])
        least, most = ctx.sizes_memory[0], ctx.sizes_memory[-1]
        spread = (max(peaks.values()) - peaks[least]) / MIB
        table.add("peak memory of a child, %s to %s: MiB above the smallest"
                  % (ctx.size_text(least), ctx.size_text(most)), "itself", spread, "<= 1",
                  ", ".join("%s: %.1f MiB" % (ctx.size_text(s), p / MIB) for s, p in peaks.items()))
    finally:
        sl.stop()
    sl = Instance(ctx.sub("sluice-memory"), ctx.build, "nginx", settings + ["pool.max_children=100"])
    try:
        pids = [sl.pid("SLUICE_FCGI_PID")] + children_of(sl.pid("SLUICE_FCGI_PID"))
        before = sum(status(p, "RssAnon") for p in pids)
        body = ctx.dir + "/m16"
        with open(body, "wb") as f:
            f.truncate(16 * MIB)
        many = [subprocess.Popen(["curl", "-sS", "-o", "/dev/null", "--limit-rate", "8M", "-T", body, "-H",
                                  "Authorization: Bearer " + sl.token, sl.url + "/api/upload/c%d" % i])
                for i in range(100)]
        peak = before
        while any(p.poll() is None for p in many):
            peak = max(peak, sum(status(p, "RssAnon") for p in pids if os.path.exists("/proc/%d" % p)))
        if any(p.returncode for p in many):
            raise RuntimeError("one of 100 uploads failed")
        table.add("private memory of the pool under 100 uploads of 16 MiB at once", "itself, idle",
                  peak / before, "", "%.1f MiB against %.1f MiB, 101 processes" % (peak / MIB, before / MIB))
    finally:
        sl.stop()
