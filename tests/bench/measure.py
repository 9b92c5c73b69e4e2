"""Alternating runs, medians, ratios, and the table."""
import json
import os
import statistics
import subprocess
import sys
import time


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(argv, **kw):
    """Runs a command that must succeed; its output as text."""
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
    if p.returncode != 0:
        raise RuntimeError("%s: exit %d: %s" % (argv[0], p.returncode, (p.stderr or p.stdout)[-800:]))
    return p.stdout


def settle():
    """Lets the disk catch up, so that one run does not pay for the one before."""
    os.sync()
    time.sleep(0.3)


def alternate(ours, theirs, runs):
    """Runs both in turn (order changes every round); medians of what they return."""
    a, b = [], []
    for i in range(runs):
        for f, out in ((ours, a), (theirs, b))[:: 1 if i % 2 == 0 else -1]:
            settle()
            out.append(f())
    return statistics.median(a), statistics.median(b), a, b


class Table:
    """Rows of work, yardstick, ratio, goal ("<= 1.5", ">= 3") and whether it holds."""

    def __init__(self):
        self.rows = []

    def add(self, work, yardstick, ratio, goal, detail=""):
        holds = None
        if goal:
            op, limit = goal.split()[:2]
            holds = ratio <= float(limit) if op == "<=" else ratio >= float(limit)
        self.rows.append({"work": work, "yardstick": yardstick, "ratio": round(ratio, 3),
                          "goal": goal, "holds": holds, "detail": detail})
        say("  %s: %.3f x (goal %s) %s" % (work, ratio, goal or "none", detail))

    def text(self):
        head = ("work", "yardstick", "ratio", "goal", "holds", "measured")
        cells = [head] + [
            (r["work"], r["yardstick"], "%.2f" % r["ratio"], r["goal"] or "-",
             {True: "yes", False: "NO", None: "-"}[r["holds"]], r["detail"]) for r in self.rows]
        width = [max(len(c[i]) for c in cells) for i in range(5)]
        lines = ["  ".join([c[i].ljust(width[i]) for i in range(5)] + [c[5]]).rstrip() for c in cells]
        lines.insert(1, "  ".join("-" * w for w in width))
        return "\n".join(lines)

    def json(self, about):
        return json.dumps({"about": about, "rows": self.rows}, indent=1) + "\n"
