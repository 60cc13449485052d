"""Facts about the door leaf."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from latchway.schemas.catalog.base import ConfirmingSource, EventData
from latchway.schemas.vocabulary import DoorState, Priority


class DoorStateChanged(EventData):
    """The door sensor reported another state than the one last stored."""

    event_type: ClassVar[str] = "io.latchway.door.state_changed.v1"
    priority: ClassVar[Priority] = Priority.STATE
    owner: ClassVar[str] = "drivers"
    examples: ClassVar[tuple[dict[str, object], ...]] = (
        {"state": "open", "previous": "closed", "source": "reported"},
    )

    state: DoorState = Field(description="The door state that the sensor confirmed.")
    previous: DoorState = Field(description="The state stored before; `unknown` at first sight.")
    source: ConfirmingSource = Field(
        description="`reported` unasked, or `read` as an answer to our question."
    )
