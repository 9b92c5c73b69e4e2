"""Tells pytest's results as TAP: one line a test, failures explained in comments behind it."""

import sys

import pytest


class Tap:
    def __init__(self):
        self.count = 0
        self.out = sys.__stdout__

    def say(self, text):
        print(text, file=self.out, flush=True)

    def comment(self, text):
        for line in text.splitlines():
            self.say(f"# {line}")

    def result(self, ok, name, skip=None):
        self.count += 1
        name = name.replace("#", "\\#")
        directive = f" # SKIP {skip}" if skip is not None else ""
        self.say(f"{'ok' if ok else 'not ok'} {self.count} - {name}{directive}")

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("/")[-1]
        if report.skipped:
            reason = report.longrepr
            self.result(True, name, reason[2] if isinstance(reason, tuple) else str(reason))
        elif report.failed:
            where = "" if report.when == "call" else f" ({report.when})"
            self.result(False, name + where)
            self.comment(report.longreprtext)
            for title, content in report.sections:
                self.comment(f"--- {title}\n{content}")
        elif report.when == "call":
            self.result(True, name)

    def pytest_collectreport(self, report):
        if report.failed:
            self.result(False, f"{report.nodeid} (collection)")
            self.comment(report.longreprtext)

    def pytest_sessionfinish(self, session, exitstatus):
        # 2: interrupted, 3: internal error, 4: usage error, and what pytest.exit asks for
        if self.count == 0 and exitstatus != 0:
            self.say(f"Bail out! pytest ended with {exitstatus}")
        else:
            self.say(f"1..{self.count}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """Takes the place of pytest's own reporter (whose options stay: others read them)."""
    config.pluginmanager.unregister(name="terminalreporter")
    config.pluginmanager.register(Tap())
