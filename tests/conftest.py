"""What holds for every test, however the run was started."""

from __future__ import annotations

import signal

# A run in the background of a script inherits SIGINT ignored, and so would every process that a
# test starts: the tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
