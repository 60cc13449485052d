"""The kit passes a driver that keeps the contract, and finds each planted fault."""

from __future__ import annotations

import pytest

from latchway.drivers.testing import CHECKS, ContractBroken
from support import echo_lock
from support.echo_lock import EchoDriver, echo_case


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_a_driver_that_keeps_the_contract_passes(check) -> None:
    await check(echo_case())


@pytest.mark.parametrize(
    ("driver", "rule"),
    [
        (echo_lock.UndeclaredEvents, "emits_only_declared_and_valid_events"),
        (echo_lock.IgnoresCancellation, "stops_when_cancelled"),
        (echo_lock.TrustsItsInput, "survives_garbage"),
        (echo_lock.TellsSecrets, "never_tells_secrets"),
        (echo_lock.AcknowledgesEarly, "acknowledges_only_what_is_stored"),
        (echo_lock.NeverAcknowledges, "acknowledges_only_what_is_stored"),
        (echo_lock.RepeatsItself, "reports_changes_only_against_stored_state"),
    ],
)
async def test_each_planted_fault_is_found(driver: type[EchoDriver], rule: str) -> None:
    check = next(each for each in CHECKS if each.__name__ == rule)
    with pytest.raises(ContractBroken):
        await check(echo_case(driver))
