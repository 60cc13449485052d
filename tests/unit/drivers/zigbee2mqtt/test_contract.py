"""The driver keeps the contract that every driver keeps."""

from __future__ import annotations

import json

import pytest

from latchway.drivers.testing import CHECKS, MqttCase, Publication
from latchway.drivers.zigbee2mqtt import VENDOR
from support.zigbee2mqtt import BASE, device_list, lock


def _message(tail: str, value: object) -> Publication:
    return Publication(f"{BASE}/{tail}", json.dumps(value).encode())


CASE = MqttCase(
    VENDOR,
    greeting=(
        _message("bridge/state", {"state": "online"}),
        _message("bridge/devices", device_list(lock("front"), lock("back", 2))),
    ),
    traffic=(
        _message(
            "front",
            {
                "action": "unlock",
                "action_source": 0,
                "action_user": 3,
                "linkquality": 120,
                "users": {"3": {"pin_code": "90817263", "status": "enabled"}},
            },
        ),
        _message("front", {"lock_state": "unlocked", "state": "UNLOCK", "linkquality": 120}),
        _message(
            "back", {"lock_state": "locked", "last_used_pin_code": "90817263", "linkquality": 9}
        ),
        _message("bridge/logging", {"level": "error", "message": "pincodevalue 90817263"}),
    ),
    secrets=("90817263",),
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_driver_contract(check):
    await check(CASE)
