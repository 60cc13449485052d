"""Drivers are found by name, and what is wrong with one is said."""

from __future__ import annotations

import sys

import pytest

from latchway.drivers.catalogue import BUILTIN, installed_drivers, load_vendor
from latchway.drivers.errors import VendorInvalid
from support.worker_peer import INSTALLED


@pytest.fixture
def third_party(monkeypatch):
    """A package that brings drivers, installed for the time of a test."""
    monkeypatch.syspath_prepend(str(INSTALLED))
    yield
    sys.modules.pop("testlock_drivers", None)


@pytest.mark.parametrize("name", BUILTIN)
def test_each_driver_of_ours_loads(name: str) -> None:
    assert load_vendor(name).manifest.name == name


def test_a_driver_of_another_package_loads_when_it_is_named(third_party) -> None:
    assert "testlock" in installed_drivers()
    assert "testlock_drivers" not in sys.modules
    assert load_vendor("testlock").manifest.title == "Test lock"


def test_an_unknown_driver_is_refused_with_the_known_ones() -> None:
    with pytest.raises(VendorInvalid, match=r"no driver 'zigbee2mqt'.*zigbee2mqtt"):
        load_vendor("zigbee2mqt")


def test_a_driver_that_does_not_import_is_named(third_party) -> None:
    with pytest.raises(VendorInvalid, match=r"testlock_missing.*ModuleNotFoundError"):
        load_vendor("testlock_broken")


def test_a_module_without_a_vendor_is_named(third_party) -> None:
    with pytest.raises(VendorInvalid, match="NOTHING that is a Vendor"):
        load_vendor("testlock_empty")
