"""The scripted sink keeps the contract of real ones: what is shown over it means something."""

from __future__ import annotations

import pytest

from latchway.gateway.sinks.errors import SinkUnreachable
from support.delivery import ScriptedSink, accept
from support.sink_contract import RemoteSinkContract, SinkBench


class TestScriptedSink(RemoteSinkContract):
    @pytest.fixture
    def bench(self) -> SinkBench:
        sink = ScriptedSink(window=500, answers=accept)
        nowhere = ScriptedSink()
        nowhere.failures = [SinkUnreachable("nothing listens there")]

        async def received(_count: int) -> list[str]:
            return [one.event.id for one in sink.sent]

        async def hang_up() -> None:
            sink.last.drop(by_server=True)

        return SinkBench(sink, nowhere, received, hang_up)
