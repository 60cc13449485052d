"""`python -m latchway.drivers.worker`: started by the gateway with one end of a socket pair."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from typing import NoReturn

from latchway.drivers.contract import VendorName
from latchway.drivers.worker.host import Exit, WorkerHost


def main() -> NoReturn:
    """Run one worker and end the process with its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m latchway.drivers.worker", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("--vendor", required=True, help="name of the vendor in the config")
    parser.add_argument("--driver", required=True, help="name of the driver to run for it")
    parser.add_argument("--fd", required=True, type=int, help="inherited connected Unix socket")
    arguments = parser.parse_args()
    try:
        connected = socket.socket(fileno=arguments.fd)
        connected.getpeername()
    except OSError as error:
        parser.error(f"--fd {arguments.fd} is no connected socket ({error}); the gateway gives it")
    asyncio.run(_live(VendorName(arguments.vendor), arguments.driver, connected))
    raise AssertionError("unreachable: _live ends the process")


async def _live(vendor: VendorName, driver: str, connected: socket.socket) -> NoReturn:
    ended = await WorkerHost(vendor, driver, connected).run()
    if ended.status not in (Exit.STOPPED, Exit.GATEWAY_LOST):
        sys.stderr.write(f"worker of {vendor}: {ended.reason}\n")
        sys.stderr.flush()
    # At once: neither a driver that ignores its cancellation nor a thread that resolves a name
    # may hold up the end, and everything worth keeping is with the gateway.
    os._exit(ended.status)


if __name__ == "__main__":
    main()
