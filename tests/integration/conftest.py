"""Fixtures. `sluice`, `start_instance`: instances shared by the tests of a module; `fresh`: of one
test alone; `service`: a sluice-fcgi of a test's own beside an instance.

An error or a warning in a log passes when the test declared it, before or after, and fails it
otherwise:

    def test_x(sluice, expect_log):
        expect_log("connection to server")
"""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from instance import BUILDDIR, FRONTS, Instance, missing_tools  # noqa: E402

MISSING = missing_tools()
LIVE = []  # instances of the module


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


def complain(errors):
    assert not errors, "undeclared errors in the log:\n" + "\n".join(errors)


@pytest.fixture(scope="module")
def start_instance():
    """start_instance(front=..., set={...}, pg={...}) for all tests of the module."""
    mine = []

    def start(**args):
        mine.append(Instance.start(make_directory(), **args))
        LIVE.append(mine[-1])
        return mine[-1]

    yield start
    for instance in mine:
        LIVE.remove(instance)
        destroy(instance)


@pytest.fixture(scope="module", params=FRONTS)
def sluice(request):
    """One instance per module and front; `pytestmark = on_fronts("nginx")` chooses among them.

    A module's SETTINGS = {"section.key": "value"} are its configuration.
    """
    instance = Instance.start(make_directory(), front=request.param,
                              set=getattr(request.module, "SETTINGS", None))
    LIVE.append(instance)
    yield instance
    LIVE.remove(instance)
    destroy(instance)


@pytest.fixture(autouse=True)
def errors_are_declared(expected_log):
    """Fails the test when a program logged an error that the test did not declare."""
    known = {instance: instance.errors() for instance in LIVE}
    yield
    errors = []
    for instance in LIVE:
        instance.expected += expected_log
        errors += instance.undeclared_errors(known.get(instance, ()))
        instance.expected.clear()
    complain(errors)


@pytest.fixture
def expected_log():
    return []


@pytest.fixture
def expect_log(expected_log):
    """expect_log(regular expression): errors and warnings like this are no failure of this test."""
    return lambda pattern: expected_log.append(re.compile(pattern))


@pytest.fixture
def fresh(expected_log):
    """fresh(front=..., set={...}, pg={...}) starts an instance for this test alone."""
    instances = []

    def start(**args):
        instance = Instance.start(make_directory(), **args)
        instances.append(instance)
        return instance

    yield start
    errors = []
    for instance in instances:
        instance.expected += expected_log
        errors += instance.undeclared_errors()
        destroy(instance)
    complain(errors)


@pytest.fixture
def service(expected_log):
    """service(instance, how=..., set={...}): see tests/support/service.py."""
    from service import Service

    services = []

    def start(instance, **args):
        # a socket's path holds 107 bytes
        directory = Path(tempfile.mkdtemp(prefix="sluice-", dir="/tmp"))
        services.append(directory)
        services[-1] = Service(instance, directory, **args)
        return services[-1]

    yield start
    errors = []
    for one in services:
        if not isinstance(one, Path):
            one.close()
            one.expected += expected_log
            errors += one.undeclared_errors()
        shutil.rmtree(one if isinstance(one, Path) else one.dir, ignore_errors=True)
    complain(errors)
