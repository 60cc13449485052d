"""What a vendor's tests need: a fake context, a virtual clock, an in-memory broker, the contract.

Shipped with Latchway for drivers of other packages too; needs no test framework. A vendor's tests
parametrize `CHECKS` over an `MqttCase`:

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    async def test_the_driver_contract(check):
        await check(CASE)
"""

from __future__ import annotations

from latchway.drivers.testing.broker import FakeBroker, FakeMqttClient, Publication
from latchway.drivers.testing.clock import VirtualClock, settle
from latchway.drivers.testing.context import FakeContext, RejectedInput, SubmittedBatch
from latchway.drivers.testing.contract_kit import CHECKS, ContractBroken, MqttCase, check_manifest
from latchway.drivers.testing.garbage import GARBAGE

__all__ = [
    "CHECKS",
    "GARBAGE",
    "ContractBroken",
    "FakeBroker",
    "FakeContext",
    "FakeMqttClient",
    "MqttCase",
    "Publication",
    "RejectedInput",
    "SubmittedBatch",
    "VirtualClock",
    "check_manifest",
    "settle",
]
