"""The local API, asked over its real socket, in front of a view in memory."""

from __future__ import annotations

import base64
import json
import logging
import os

import pytest

from latchway.gateway.api.models import (
    DevicesReport,
    EventsReport,
    OutboxReport,
    RejectedReport,
    StatusReport,
)
from latchway.gateway.api.server import serve
from latchway.gateway.errors import GatewayStopping
from latchway.gateway.view import OutboxUnreadable, Readiness, SinkState
from support.api_client import api_client, get_json
from support.view import FakeView, device, event, intake, lane, reject, served, sink


@pytest.fixture
def view():
    return FakeView()


@pytest.fixture
async def client(view, tmp_path):
    async with served(view, tmp_path) as path, api_client(path) as session:
        yield session


async def test_status_says_ok_and_shows_hub_vendors_sinks_and_account(client):
    status, answer = await get_json(client, "/v1/status")
    report = StatusReport.model_validate(answer)
    assert (status, report.verdict, report.problems) == (200, "ok", ())
    assert report.hub.name == "front building"
    assert report.vendors[0].vendor == "zigbee2mqtt"
    assert report.sinks[0].in_flight == 3
    assert report.outbox is not None
    assert report.outbox.account_difference == 0


async def test_status_says_degraded_where_there_is_a_problem(view, client):
    view.sink_statuses = (sink(state=SinkState.WAITING),)
    view.lanes = (lane(waiting=7, parked=1),)
    _, answer = await get_json(client, "/v1/status")
    assert answer["verdict"] == "degraded"
    assert answer["sinks"][0]["waiting"] == 7
    assert answer["sinks"][0]["parked"] == 1


async def test_status_answers_also_while_the_outbox_cannot_be_read(view, client):
    view.failure = OutboxUnreadable("disk failed")
    status, answer = await get_json(client, "/v1/status")
    assert status == 200
    assert answer["outbox"] is None
    assert answer["problems"][0]["id"] == "outbox.unavailable"


async def test_devices_come_by_vendor_and_name_with_source_and_age_of_each_attribute(view, client):
    view.stored_devices = (device("Shed"), device("back door", lock_state=("jammed", "cached")))
    _, answer = await get_json(client, "/v1/devices")
    report = DevicesReport.model_validate(answer)
    assert [each.name for each in report.devices] == ["back door", "Shed"]
    assert report.devices[0].attributes["lock_state"].source == "cached"


async def test_events_come_newest_first_as_cloudevents_and_page_by_page(view, client):
    view.history = [event(number) for number in range(1, 6)]
    _, newest = await get_json(client, "/v1/events", limit=2)
    report = EventsReport.model_validate(newest)
    assert [each["id"] for each in report.events] == ["event-5", "event-4"]
    assert report.events[0]["specversion"] == "1.0"
    assert report.events[0]["data"]["state"] == "locked"
    _, older = await get_json(client, "/v1/events", limit=2, before=newest["next"])
    assert [each["id"] for each in older["events"]] == ["event-3", "event-2"]
    _, oldest = await get_json(client, "/v1/events", limit=2, before=older["next"])
    assert [each["id"] for each in oldest["events"]] == ["event-1"]
    assert oldest["next"] is None


async def test_a_pattern_searches_the_history_beyond_the_newest_events(view, client):
    jammed = event(3, state="jammed")
    view.history = [event(1), event(2), jammed, *(event(number) for number in range(4, 1500))]
    pattern = json.dumps({"data": {"state": ["jammed"]}})
    _, answer = await get_json(client, "/v1/events", pattern=pattern)
    assert [each["id"] for each in answer["events"]] == ["event-3"]
    assert answer["next"] is None


async def test_a_page_of_large_events_ends_early_and_says_where_to_go_on(view, client):
    view.history = [event(number, note="x" * 60_000) for number in range(1, 200)]
    _, newest = await get_json(client, "/v1/events", limit=1000)
    assert 50 < len(newest["events"]) < 150
    _, older = await get_json(client, "/v1/events", limit=1000, before=newest["next"])
    got = [*newest["events"], *older["events"]]
    assert got[0]["id"] == "event-199"
    assert int(newest["events"][-1]["id"][6:]) == int(older["events"][0]["id"][6:]) + 1


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("{oops", "not JSON at character 2"),
        ("[1]", "a pattern is a JSON object"),
        ('{"type":[{"perfix":"io."}]}', "perfix"),
        ("[" * 8000, "pattern"),
    ],
)
async def test_a_pattern_that_is_none_is_refused_with_the_place(client, pattern, words):
    status, answer = await get_json(client, "/v1/events", pattern=pattern)
    assert (status, answer["code"]) == (400, "pattern_invalid")
    assert words in answer["message"]
    assert answer["fix"]


async def test_the_outbox_shows_both_identities_line_by_line(view, client):
    view.intake = (intake(stored=5, rejected=2),)
    view.lanes = (lane(acknowledged=3, waiting=2),)
    _, answer = await get_json(client, "/v1/outbox")
    report = OutboxReport.model_validate(answer)
    assert report.intake[0].received == 7
    assert report.lanes[0].lane == "zigbee2mqtt/cloud/main"
    assert answer["lanes"][0]["class"] == "main"
    assert report.account_difference == 0


async def test_rejected_inputs_keep_every_byte_and_the_reason(view, client):
    view.rejects = (reject(1), reject(2, vendor="nuki"), reject(3, raw=b"\xff\x00\x1b[2J"))
    _, answer = await get_json(client, "/v1/outbox/rejected", vendor="zigbee2mqtt", limit=5)
    report = RejectedReport.model_validate(answer)
    assert [each.id for each in report.rejected] == [3, 1]
    assert base64.b64decode(report.rejected[0].raw_base64) == b"\xff\x00\x1b[2J"
    assert report.rejected[0].raw_text is None
    assert report.rejected[1].raw_text == "{oops"


async def test_metrics_come_as_prometheus_reads_them(client):
    async with client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"latchway_intake_received_total" in await response.read()


async def test_health_answers_and_readiness_follows_outbox_and_writer(view, client):
    assert await get_json(client, "/healthz") == (200, {"ok": True})
    status, answer = await get_json(client, "/readyz")
    assert (status, answer["ready"]) == (200, True)
    view.ready = Readiness(outbox_open=True, writer_running=False)
    status, answer = await get_json(client, "/readyz")
    assert (status, answer["ready"], answer["writer_running"]) == (503, False, False)


@pytest.mark.parametrize(
    ("target", "query", "status", "code", "fix"),
    [
        ("/v1/statsu", {}, 404, "not_found", "did you mean /v1/status?"),
        ("/somewhere/else", {}, 404, "not_found", "use one of"),
        ("/v1/events", {"limt": "5"}, 400, "bad_parameter", "did you mean limit?"),
        ("/v1/events", {"limit": "0"}, 400, "bad_parameter", "openapi"),
        ("/v1/events", {"before": "yesterday"}, 400, "bad_parameter", "openapi"),
        ("/v1/status", {"verbose": "1"}, 400, "bad_parameter", "none"),
        ("/v1/../etc/passwd", {}, 404, "not_found", "use one of"),
    ],
)
async def test_a_wrong_request_is_answered_with_code_message_and_fix(
    client, target, query, status, code, fix
):
    got, answer = await get_json(client, target, **query)
    assert (got, answer["code"]) == (status, code)
    assert fix in answer["fix"]


async def test_other_methods_are_refused(client):
    for method in ("POST", "PUT", "DELETE", "PATCH", "HEAD"):
        async with client.request(method, "/v1/status") as response:
            assert response.status == 405


async def test_an_outbox_that_cannot_be_read_is_a_503_with_words(view, client):
    view.failure = OutboxUnreadable("the outbox is being opened anew")
    status, answer = await get_json(client, "/v1/events")
    assert (status, answer["code"]) == (503, "unavailable")
    assert "opened anew" in answer["message"]


async def test_a_gateway_that_is_ending_answers_503(view, client):
    view.failure = GatewayStopping("the gateway is ending")
    status, _ = await get_json(client, "/v1/outbox")
    assert status == 503


async def test_an_unforeseen_error_ends_one_request_and_is_logged(view, client, caplog):
    view.failure = RuntimeError("a bug")
    status, answer = await get_json(client, "/v1/outbox")
    assert (status, answer["code"]) == (500, "internal")
    assert "a bug" not in answer["message"]
    assert "a bug" in caplog.text
    view.failure = None
    assert (await get_json(client, "/v1/outbox"))[0] == 200


async def test_the_user_who_asks_is_logged_once_and_each_request_at_debug(view, tmp_path, caplog):
    log = logging.getLogger("test.peers")
    with caplog.at_level(logging.DEBUG, logger="test.peers"):
        async with serve(view, tmp_path, log) as path, api_client(path) as session:
            await get_json(session, "/healthz")
            await get_json(session, "/v1/status")
    records = [each for each in caplog.records if each.name == "test.peers"]
    at_info = [each for each in records if each.levelno == logging.INFO]
    assert [each.fields["uid"] for each in at_info] == [os.getuid()]
    paths = [each.fields["path"] for each in records if each.levelno == logging.DEBUG]
    assert paths == ["/healthz", "/v1/status"]
