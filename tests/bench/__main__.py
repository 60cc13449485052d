"""`make bench`: first figures of the full path, each beside the same-run baselines.

Prints a table and, with --json FILE, writes the figures. Needs mosquitto; takes minutes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.baselines import group_commit
from bench.process import cpu_s, pss_mb
from bench.traffic import (
    Run,
    event_key,
    measure,
    raw_key,
    start_load,
    start_receiver,
)
from support.bridge import Bridge
from support.event_path import BROKER, CONFIG
from support.hub import Hub
from support.mosquitto import Mosquitto

LOCKS = 20
SECONDS = 10
BURST = 20_000
RATES: tuple[float | None, ...] = (500.0, 2000.0, None)


@dataclass(frozen=True)
class Figure:
    """One line of the table: a contestant at a rate."""

    contestant: str
    offered: float | None
    run: Run
    cpu_ms: float
    memory_mb: float

    def row(self) -> dict[str, object]:
        return {
            "contestant": self.contestant,
            "offered_per_s": self.offered or "as fast as it goes",
            "reached_per_s": round(self.run.rate),
            "p50_ms": round(self.run.percentile(0.50), 2),
            "p90_ms": round(self.run.percentile(0.90), 2),
            "p99_ms": round(self.run.percentile(0.99), 2),
            "cpu_ms_per_event": round(self.cpu_ms, 3),
            "pss_mb": round(self.memory_mb, 1),
            "lost": self.run.lost,
        }


def count_of(rate: float | None) -> int:
    return BURST if rate is None else int(rate * SECONDS)


def run_forwarder(folder: Path, rate: float | None) -> Figure:
    with Mosquitto(folder / "near", *BROKER) as near, Mosquitto(folder / "far", *BROKER) as far:
        script = Path(__file__).with_name("baselines.py")
        arguments = [sys.executable, str(script), str(near.port), str(far.port)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as forwarder:
            assert forwarder.stdout is not None
            forwarder.stdout.readline()
            receiver = start_receiver(far.port, "zigbee2mqtt/#", raw_key)
            before = cpu_s(forwarder.pid)
            load = start_load(near.port, count_of(rate), rate, LOCKS)
            run = measure(receiver, load, count_of(rate), 120)
            used, memory = cpu_s(forwarder.pid) - before, pss_mb(forwarder.pid)
            forwarder.kill()
    return Figure("bare forwarder", rate, run, used * 1000 / max(run.arrived, 1), memory)


def run_hub(folder: Path, rate: float | None) -> Figure:
    with Mosquitto(folder / "near", *BROKER) as near, Mosquitto(folder / "far", *BROKER) as far:
        config = CONFIG.format(
            folder=folder, local_port=near.port, cloud_port=far.port, keep_alive_s=30
        ).replace("events_per_s = 5000, burst = 10000", "events_per_s = 50000, burst = 100000")
        hub = Hub(folder, config)
        try:
            with Bridge(near.port, LOCKS):
                hub.start()
                hub.wait_ready()
                hub.wait_until(
                    lambda: len(json.loads(hub.get("/v1/devices")[1])["devices"]) == LOCKS,
                    "all locks are known",
                )
            receiver = start_receiver(far.port, "latchway/#", event_key)
            assert hub.process is not None
            before = cpu_s(hub.process.pid)
            load = start_load(near.port, count_of(rate), rate, LOCKS)
            run = measure(receiver, load, count_of(rate), 120)
            used, memory = cpu_s(hub.process.pid) - before, pss_mb(hub.process.pid)
            hub.stop()
        finally:
            hub.close()
    return Figure("latchway", rate, run, used * 1000 / max(run.arrived, 1), memory)


def median_of(figures: list[Figure]) -> dict[str, object]:
    rows = [figure.row() for figure in figures]
    merged: dict[str, object] = {}
    for key, first in rows[0].items():
        values = [row[key] for row in rows]
        merged[key] = statistics.median(values) if isinstance(first, (int, float)) else first
    merged["p90_spread_ms"] = f"{min(r['p90_ms'] for r in rows)}-{max(r['p90_ms'] for r in rows)}"
    return merged


RATIOS = ("reached_per_s", "p50_ms", "p90_ms", "p99_ms", "cpu_ms_per_event", "pss_mb")


def beside(line: dict[str, object], baseline: dict[str, object]) -> dict[str, object]:
    """Add the line's ratios to the baseline of the same rate and run."""
    ratios = {key: round(float(str(line[key])) / float(str(baseline[key])), 2) for key in RATIOS}
    return {**line, "times_the_forwarder": ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each line; the median counts")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    report: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as top:
        commits = {batch: round(group_commit(Path(top), batch)) for batch in (1, 20, 100)}
        print("bare group commit, rows/s by batch:", commits)
        report["group_commit_rows_per_s"] = commits
        lines = []
        for rate in RATES:
            baseline: dict[str, object] = {}
            for contestant in (run_forwarder, run_hub):
                figures = []
                for number in range(options.runs):
                    folder = Path(top) / f"{contestant.__name__}-{rate}-{number}"
                    folder.mkdir()
                    figures.append(contestant(folder, rate))
                line = median_of(figures)
                lines.append(beside(line, baseline) if baseline else line)
                baseline = baseline or line
                print(json.dumps(lines[-1]), flush=True)
        report["paths"] = lines
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
