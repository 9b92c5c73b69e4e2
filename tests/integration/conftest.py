"""Fixtures: `sluice` is shared by the tests of a module, `fresh` makes instances of a test's own."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from instance import BUILDDIR, FRONTS, Instance, missing_tools  # noqa: E402

MISSING = missing_tools()


@pytest.fixture(scope="session", autouse=True)
def tools():
    if MISSING:
        message = f"missing: {', '.join(MISSING)}"
        if os.environ.get("SLUICE_REQUIRE_ALL"):
            pytest.exit(message, returncode=1)
        pytest.skip(message)


def make_directory():
    base = BUILDDIR / "tests" / "integration"
    base.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="i-", dir=base))
    path.chmod(0o755)
    return path


def destroy(instance):
    """Ends the instance; with SLUICE_KEEP set its directory stays for a look."""
    if os.environ.get("SLUICE_KEEP"):
        instance.stop()
    else:
        instance.destroy()
        shutil.rmtree(instance.dir, ignore_errors=True)


@pytest.fixture(scope="module", params=FRONTS)
def sluice(request):
    """One instance per module and front; `pytestmark = on_fronts("nginx")` chooses among them.

    A module's SETTINGS = {"section.key": "value"} are its configuration.
    """
    instance = Instance.start(make_directory(), front=request.param,
                              set=getattr(request.module, "SETTINGS", None))
    yield instance
    destroy(instance)


@pytest.fixture(autouse=True)
def errors_are_declared(request):
    """Fails the test when a program logged an error that the test did not declare."""
    instance = request.getfixturevalue("sluice") if "sluice" in request.fixturenames else None
    if instance is None:
        yield
        return
    known = instance.errors()
    yield
    errors = instance.undeclared_errors(known)
    instance.expected.clear()
    assert not errors, "undeclared errors in the log:\n" + "\n".join(errors)


@pytest.fixture
def fresh():
    """fresh(front=..., set={...}, pg={...}) starts an instance for this test alone."""
    instances = []

    def start(**args):
        instance = Instance.start(make_directory(), **args)
        instances.append(instance)
        return instance

    yield start
    errors = []
    for instance in instances:
        errors += instance.undeclared_errors()
        destroy(instance)
    assert not errors, "undeclared errors in the log:\n" + "\n".join(errors)
