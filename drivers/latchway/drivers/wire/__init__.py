"""The wire between the gateway and one worker: frames, their typed messages, and the socket.

Both sides share this one definition. Design section 7.
"""

from __future__ import annotations

from latchway.drivers.wire.batches import (
    MAXIMUM_DRAFTS,
    Batch,
    Reject,
    Stored,
    StoredNote,
    stored_frames,
)
from latchway.drivers.wire.config import Config, config_frames, merge_config
from latchway.drivers.wire.frame import (
    GENERATION,
    MAXIMUM_FRAME,
    Frame,
    FrameDecoder,
    Kind,
    encode,
)
from latchway.drivers.wire.link import FrameLink, FrameStream, open_link, open_stream
from latchway.drivers.wire.messages import Credit, Heartbeat, Hello, Log, Stop

__all__ = [
    "GENERATION",
    "MAXIMUM_DRAFTS",
    "MAXIMUM_FRAME",
    "Batch",
    "Config",
    "Credit",
    "Frame",
    "FrameDecoder",
    "FrameLink",
    "FrameStream",
    "Heartbeat",
    "Hello",
    "Kind",
    "Log",
    "Reject",
    "Stop",
    "Stored",
    "StoredNote",
    "config_frames",
    "encode",
    "merge_config",
    "open_link",
    "open_stream",
    "stored_frames",
]
