"""What the checks of the source tree share: where the files are, and TAP."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIP_DIRS = {"build-aux", "node_modules", "__pycache__", "corpus", "var", ".pytest_cache"}


def files(*tops, ends=(".c", ".h")):
    """Paths below the given folders, from the top of the tree, sorted."""
    found = []
    for top in tops:
        for folder, dirs, names in os.walk(os.path.join(ROOT, top)):
            dirs[:] = [d for d in dirs if d not in SKIP_DIRS and not d.startswith(".")]
            for name in names:
                path = os.path.join(folder, name)
                if (not ends or name.endswith(ends)) and not os.path.islink(path):
                    found.append(os.path.relpath(path, ROOT))
    return sorted(found)


def lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read().splitlines()


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = False

    def result(self, name, problems, notes=()):
        """One test: it passes when there are no problems. Notes are told and do not fail it."""
        self.count += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for text in problems:
            print(f"# {text}")
        for text in notes:
            print(f"# note: {text}")
        self.failed = self.failed or bool(problems)

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
