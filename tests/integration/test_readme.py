"""The lines of README.md's table work when they are pasted into a shell, one after the other."""

import re
import subprocess

from instance import SRCDIR, on_fronts

pytestmark = on_fronts("nginx")

ROW = re.compile(r"^\| .* \| `(.*)` \|$")


def pasted_lines():
    text = (SRCDIR / "README.md").read_text()
    table = text[text.index("| what | with curl |"):].split("\n\n")[0]
    rows = [ROW.match(line) for line in table.splitlines()]
    return [row.group(1).replace("\\|", "|") for row in rows if row]


def test_table(sluice, tmp_path):
    (tmp_path / "tests").symlink_to(SRCDIR / "tests")
    (tmp_path / "README.md").symlink_to(SRCDIR / "README.md")
    lines = pasted_lines()
    assert len(lines) >= 12
    script = [
        "set -e",
        f'eval "$({SRCDIR}/scripts/instance env {sluice.dir})"',
        'auth="Authorization: Bearer $SLUICE_TOKEN"',
        # as pasted, but an error of HTTP is an error here
        'curl() { command curl -sS --fail-with-body --max-time 30 "$@"; }',
    ]
    for line in lines:
        script += ["echo", line]
        if line.startswith("id="):
            # a person is slower than the worker
            script.append("until curl -H \"$auth\" $SLUICE_URL/api/files/$id |"
                          " grep -q '\"thumbnailStatus\": *\"ready\"'; do sleep 0.2; done")
    done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=tmp_path, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "back.jpg").read_bytes() == (
        SRCDIR / "tests" / "data" / "sample.jpg").read_bytes()
    assert (tmp_path / "small.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
