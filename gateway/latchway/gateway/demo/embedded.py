"""The embedded MQTT broker as a process: `python -m latchway.gateway.demo.embedded CONFIG`.

Runs rumqttd as the package `iotcore` brings it, and ends when its stdin does, so that it never
outlives the demo.
"""

from __future__ import annotations

import os
import sys
import threading


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


def main() -> None:
    """Serve until killed, or until whoever started us is gone."""
    import iotcore  # noqa: PLC0415 - an extra of the package, asked for only here

    threading.Thread(target=_end_with_parent, daemon=True).start()
    iotcore.Broker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
