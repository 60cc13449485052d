"""The `latchway` command: its options and the list of its commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from latchway.gateway.cli import config, demo, devices, events, outbox, run, status

app = typer.Typer(
    name="latchway",
    help="The gateway between a building's smart locks and the cloud: durable, validated, "
    "isolated per vendor.",
    epilog="Start with `latchway demo`. Each command explains itself: `latchway events --help`.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for each in (run, demo, status, devices, events):
    each.register(app)
outbox.register(app)
config.register(app)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - costs 20 ms, only wanted here

        sys.stdout.write(f"latchway {version('latchway')}\n")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Options that stand before the command."""
    del version  # its callback has done the work


def main() -> None:
    """Run the command line and end the process."""
    for stream in (sys.stdout, sys.stderr):
        # A name in Cyrillic on a Latin-1 terminal is escaped instead of ending the command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # real streams
    app()


if __name__ == "__main__":
    main()
