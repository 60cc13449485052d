"""The end that comes whatever hangs: no database thread keeps a failed gateway half alive."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from latchway.gateway.logs import LogWriter

EXIT_FAILED = 1

HARD_END_S = 1.5
"""From the first fault that nothing can mend to the end of the process."""


class HardEnd:
    """Ends the process a little later than it is armed; arming it twice changes nothing."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._armed = False
        self._asked = False

    def asked_before(self) -> bool:
        """Tell whether somebody asked for a stop before this one."""
        asked, self._asked = self._asked, True
        return asked

    def arm(self) -> None:
        """Start the countdown."""
        if not self._armed:
            self._armed = True
            timer = threading.Timer(HARD_END_S, self._end)
            timer.daemon = True
            timer.start()

    def _end(self) -> None:
        self._writer.flush(timeout_s=0.3)
        os._exit(EXIT_FAILED)
