"""The wheel as a user gets it: what is in it, and that it works in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("schemas", "outbox", "drivers", "gateway")


def run(*command, **options):
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, **options
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build wheel and source archive from the tree, with the backend that is installed."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An empty environment with the wheel; what it depends on is lent by ours, never the tree."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    packages = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # A .pth inside a lent folder is not read, so our editable install stays out.
    (Path(packages) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def python(environment, code):
    return run(environment / "bin" / "python", "-I", "-c", code, cwd="/").strip()


def test_the_command_tells_its_version(environment):
    version = run(environment / "bin" / "latchway", "--version", cwd="/")
    assert "0.1.0" in version


def test_everything_is_imported_from_the_wheel(environment):
    code = "import latchway.{0} as package; print(package.__file__)"
    for package in PACKAGES:
        file = python(environment, code.format(package))
        assert file.startswith(str(environment)), file


def test_latchway_itself_is_a_namespace(environment, names):
    assert "latchway/__init__.py" not in names
    assert python(environment, "import latchway; print(latchway.__file__)") == "None"


def test_a_consumer_reads_an_event_with_the_schemas_alone(environment):
    code = (
        "from latchway.schemas import CompletenessCheck, Envelope, lookup\n"
        "print(lookup('io.latchway.lock.state_changed.v1').__name__, Envelope.__name__)\n"
        "print(CompletenessCheck().verdict().complete)"
    )
    assert python(environment, code).splitlines() == ["LockStateChanged Envelope", "True"]


def test_a_driver_author_gets_the_test_kit_without_pytest_being_installed(environment):
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from latchway.drivers.testing import FakeContext\n"
        "print(FakeContext.__name__)"
    )
    assert python(environment, code) == "FakeContext"


def test_types_sql_and_json_schemas_come_along(names):
    for package in PACKAGES:
        assert f"latchway/{package}/py.typed" in names
    assert any(name.startswith("latchway/outbox/sql/") for name in names)
    assert any(name.startswith("latchway/gateway/registry/sql/") for name in names)
    assert any(
        name.startswith("latchway/schemas/json/") and name.endswith(".json") for name in names
    )


def test_neither_tests_nor_anything_beside_the_packages_comes_along(names):
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"latchway"}
    assert not [name for name in names if "/tests/" in name or name.endswith((".pyc", ".db"))]


def test_the_licence_comes_along(names):
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_a_wheel_can_be_built_from_the_source_archive(built, names, tmp_path):
    run("tar", "-xzf", next(built.glob("*.tar.gz")), "-C", tmp_path)
    source = next(tmp_path.iterdir())
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=source)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as again:
        assert sorted(again.namelist()) == sorted(names)
