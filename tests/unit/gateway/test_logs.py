"""One line per event, nothing secret, and nobody waits for a slow reader."""

from __future__ import annotations

import io
import logging
import threading

import pytest

from latchway.gateway import logs
from latchway.gateway.logs import LineFormatter, LogWriter, WorkerLog, fields


def record(message: str, level: int = logging.INFO, **values) -> logging.LogRecord:
    made = logging.LogRecord("latchway.gateway.writer", level, "", 0, message, (), None)
    made.__dict__.update(fields(**values))
    return made


def line(message: str, **values) -> str:
    return LineFormatter(journald=True).format(record(message, **values))


def test_a_line_has_priority_place_message_and_fields():
    assert line("worker died", vendor="zigbee2mqtt", pid=17) == (
        "<6>writer: worker died vendor=zigbee2mqtt pid=17"
    )


def test_a_terminal_sees_time_and_level_instead():
    text = LineFormatter(journald=False).format(record("ready", logging.WARNING))

    assert text[10] == "T"
    assert "Z WARNING writer: ready" in text


def test_values_with_spaces_are_quoted_and_lines_cannot_be_forged():
    assert line("x", reason="a b\n<1>forged") == '<6>writer: x reason="a b\\n<1>forged"'
    assert line("evil\n<1>forged") == "<6>writer: evil\\n<1>forged"


@pytest.mark.parametrize("key", ["password", "api_token", "client_secret", "pin", "private_key"])
def test_a_secret_never_reaches_a_line(key):
    assert "hunter2" not in line("x", **{key: "hunter2"})


def test_each_line_of_a_traceback_carries_its_priority():
    made = record("failed", logging.CRITICAL)
    with pytest.raises(ValueError) as caught:
        int("broken")
    made.exc_info = (caught.type, caught.value, caught.tb)

    lines = LineFormatter(journald=True).format(made).splitlines()

    assert len(lines) > 2
    assert all(part.startswith("<2>") for part in lines)


class Blocked(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()

    def write(self, text: str) -> int:
        self.open.wait(10)
        return super().write(text)


def test_a_blocked_reader_costs_lines_but_never_time():
    stream = Blocked()
    writer = LogWriter(stream, journald=True)

    for number in range(logs.QUEUE_LINES + 500):
        writer.emit(record(f"line {number}"))
    writer.flush(timeout_s=0.01)
    stream.open.set()
    writer.flush()
    writer.emit(record("the last"))
    writer.flush()

    text = stream.getvalue()
    assert "line 0\n" in text
    assert "the last" in text
    assert "lines dropped because nobody read them count=" in text


def test_configure_writes_our_lines_to_the_stream(monkeypatch):
    root, ours = logging.getLogger(), logging.getLogger("latchway")
    monkeypatch.setattr(root, "handlers", [])
    before = (root.level, ours.level)
    stream = io.StringIO()
    try:
        writer = logs.configure("info", stream)
        logging.getLogger("latchway.gateway.core").info("ready")
        logging.getLogger("latchway.gateway.core").debug("unseen")
        logging.getLogger("aiomqtt").info("unseen")
        writer.flush()
    finally:
        root.setLevel(before[0])
        ours.setLevel(before[1])

    assert stream.getvalue().endswith("core: ready\n")
    assert "unseen" not in stream.getvalue()


def test_a_worker_has_a_budget_and_what_is_withheld_is_counted(caplog):
    now = [0.0]
    log = WorkerLog("test", lambda: now[0])
    caplog.set_level(logging.INFO, "latchway.worker.test")

    for number in range(int(logs.WORKER_LINES_BURST) + 50):
        log.write(logging.INFO, f"line {number}")
    now[0] = 10.0
    log.write(logging.INFO, "later")

    messages = [(r.message, getattr(r, "fields", {})) for r in caplog.records]
    assert len(messages) == logs.WORKER_LINES_BURST + 2
    assert messages[-2] == ("lines withheld", {"count": 50})
    assert messages[-1][0] == "later"
