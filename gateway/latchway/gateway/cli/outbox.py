"""`latchway outbox`: the account line by line, and the inputs that were rejected."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import typer

from latchway.gateway.cli.guard import (
    READ_EXITS,
    ConfigOption,
    JsonOption,
    connect,
    epilog,
    guarded,
    print_json,
)
from latchway.gateway.cli.screen import (
    Screen,
    bytes_of,
    number,
    printable,
    stdout_screen,
    table,
)

Record = dict[str, Any]

RAW_SHOWN = 400
"""Characters of a rejected input that are shown; --json has all of it."""

_FATES = ("acknowledged", "waiting", "parked", "expired", "compacted", "dropped", "withdrawn")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(
        invoke_without_command=True,
        epilog=epilog("latchway outbox\nlatchway outbox rejected --limit 5", *READ_EXITS),
    )(outbox)
    group.command(
        epilog=epilog(
            "latchway outbox stats\nlatchway outbox stats --json | jq .account_difference",
            *READ_EXITS,
        )
    )(stats)
    group.command(
        epilog=epilog(
            "latchway outbox rejected\n"
            "latchway outbox rejected --vendor zigbee2mqtt --limit 5\n"
            "latchway outbox rejected --json | jq -r '.rejected[0].raw_base64' | base64 -d",
            *READ_EXITS,
        )
    )(rejected)
    app.add_typer(group, name="outbox")


def outbox(
    context: typer.Context, *, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Show what is stored, delivered, waiting, rejected.

    Without a command it shows the stats.
    """
    if context.invoked_subcommand is None:
        stats(as_json=as_json, config=config)


@guarded
def stats(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show the account: what came in, and what became of it.

    Intake: received = stored + duplicate + rejected + refused. Delivery: routed = acknowledged +
    waiting + parked + expired + compacted + dropped + withdrawn. --json prints the answer of
    /v1/outbox.
    """
    report = connect(config).get("/v1/outbox")
    if as_json:
        print_json(report)
        return
    screen = stdout_screen()
    screen.lines(stats_lines(report, screen))


@guarded
def rejected(
    *,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1000, help="Most rejects to show.")
    ] = 20,
    vendor: Annotated[
        str | None, typer.Option("--vendor", help="Only rejects of this vendor.", metavar="NAME")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show inputs that did not fit, each with its reason.

    The newest is the last. Control characters and bytes that are not UTF-8 are shown as escapes,
    so that no input can act on your terminal. --json prints the answer of /v1/outbox/rejected,
    with the input in base64 and, where it is UTF-8, as text.
    """
    query = {"limit": str(limit), **({"vendor": vendor} if vendor else {})}
    report = connect(config).get("/v1/outbox/rejected", query)
    if as_json:
        print_json(report)
        return
    screen = stdout_screen()
    found = report["rejected"]
    if not found:
        screen.line("No rejected input is kept.")
    for reject in reversed(found):
        screen.lines(reject_lines(reject, screen))


def stats_lines(report: Record, screen: Screen) -> list[str]:
    """Return both identities as tables. Columns of zeros are left out, but for the first ones."""
    columns = ("received", "stored", "duplicate", "rejected", "refused")
    intake = [["INTAKE", *(name.upper() for name in columns)]]
    intake += [
        [line["vendor"], *(number(line[name]) for name in columns)] for line in report["intake"]
    ]
    lanes = report["lanes"]
    fates = [
        name for index, name in enumerate(_FATES) if index < 3 or any(line[name] for line in lanes)
    ]
    delivery = [["LANE", "EPOCH", "ROUTED", *(name.upper() for name in fates)]]
    delivery += [
        [
            line["lane"],
            str(line["epoch"]),
            number(line["routed"]),
            *(number(line[name]) for name in fates),
        ]
        for line in lanes
    ]
    return [
        *table(intake, screen.width, numeric=range(1, 6)),
        "",
        *(table(delivery, screen.width, numeric=range(1, 10)) if lanes else ["No lane yet."]),
        "",
        *_sums(report, screen),
    ]


def _sums(report: Record, screen: Screen) -> list[str]:
    difference, size = report["account_difference"], report["size"]
    closes = (
        screen.paint("The account closes: difference 0.", "green")
        if difference == 0
        else screen.paint(f"The account does NOT close: difference {difference}.", "red")
    )
    limit = f" of {bytes_of(size['limit_bytes'])}" if size["limit_bytes"] else ""
    on_disk = f"{bytes_of(size['database_bytes'])}{limit}, log {bytes_of(size['wal_bytes'])}"
    return [closes, f"On disk: {on_disk}."]


def reject_lines(reject: Record, screen: Screen) -> list[str]:
    """Return one reject as lines, safe for a terminal."""
    origin = " ".join(
        printable(part) for part in (reject["vendor"], reject["device"] or "") if part
    )
    head = f"{reject['at']}  {origin}  {printable(reject['code'])}"
    lines = [screen.paint(head, "bold"), f"  reason: {printable(reject['reason'])}"]
    if reject["topic"] is not None:
        lines.append(f"  topic:  {printable(reject['topic'])}")
    raw = base64.b64decode(reject["raw_base64"])
    shown = printable(raw.decode("utf-8", errors="backslashreplace"))
    more = f"... ({number(len(raw))} bytes, all in --json)" if len(shown) > RAW_SHOWN else ""
    return [*lines, f"  input:  {shown[:RAW_SHOWN]}{more}"]
