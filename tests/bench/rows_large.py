"""Large uploads: 1 GiB raw and multipart, streamed and handed off, against nginx's own DAV PUT."""
import os
import subprocess

from measure import alternate, run
from services import Instance, Nginx


def curl(*argv):
    """Seconds that curl says the transfer took; anything but a 2xx is an error."""
    out = run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", *argv])
    code, seconds = out.split()
    if not code.startswith("2"):
        raise RuntimeError("%s answered %s" % (argv[-1], code))
    return float(seconds)


def random_file(path, size):
    with open(path, "wb") as f:
        left = size
        while left:
            n = min(left, 1 << 24)
            f.write(os.urandom(n))
            left -= n
    return path


def rows(ctx, table):
    size = ctx.size_large
    src = random_file(ctx.dir + "/large.bin", size)
    nginx = Nginx(ctx.sub("nginx-large"))
    put = ctx.sub("nginx-large") + "/dav/f"

    def dav():
        t = curl("-T", src, nginx.url + "/dav/f")
        os.unlink(put)
        return t

    def dav_durable():
        """The same, and then what sluice does before it answers: the file on disk."""
        t = curl("-T", src, nginx.url + "/dav/f")
        p = subprocess.run(["sh", "-c", "date +%s.%N; sync \"$1\"; date +%s.%N", "sh", put],
                           stdout=subprocess.PIPE, text=True, check=True)
        a, b = (float(x) for x in p.stdout.split())
        os.unlink(put)
        return t + b - a

    try:
        for front, word, goal in (("nginx", "streamed", "<= 1.5"), ("nginx-handoff", "handed off", "<= 1.0")):
            sl = Instance(ctx.sub("sluice-" + front), ctx.build, front,
                          ["upload.allow=*/*", "upload.max_size=0", "store.min_free=0"])
            try:
                head = ["-H", "Authorization: Bearer " + sl.token]

                def drop():
                    sl_id = sl.sql("SELECT id FROM sluice.file LIMIT 1")
                    run(["curl", "-sS", "-f", "-X", "DELETE", *head, sl.url + "/api/files/" + sl_id])

                def raw():
                    t = curl("-T", src, *head, sl.url + "/api/upload/large.bin")
                    drop()
                    return t

                def form():
                    t = curl("-F", "file=@" + src, *head, sl.url + "/api/upload")
                    drop()
                    return t

                for f, kind in ((raw, "raw PUT"), (form, "multipart")):
                    name = "%s of %s, %s" % (kind, ctx.size_text(size), word)
                    ours, theirs, _, _ = alternate(f, dav, ctx.runs)
                    table.add(name, "nginx DAV PUT", ours / theirs, goal,
                              "%.2f s against %.2f s" % (ours, theirs))
                    ours, theirs, _, _ = alternate(f, dav_durable, ctx.runs)
                    table.add(name, "nginx DAV PUT, then fsync", ours / theirs, "",
                              "%.2f s against %.2f s" % (ours, theirs))
            finally:
                sl.stop()
    finally:
        nginx.stop()
        os.unlink(src)
