"""Every error of this package, each saying who can act on it."""

from __future__ import annotations

from enum import StrEnum


class SchemasError(Exception):
    """Root of the errors of `latchway.schemas`."""


class DraftFault(StrEnum):
    """Why a draft is not an event of the catalog; the code under which it is kept."""

    NOT_JSON = "not_json"
    UNKNOWN_TYPE = "unknown_type"
    SCHEMA = "schema"
    TOO_LARGE = "too_large"


class DraftInvalid(SchemasError):
    """A driver's draft does not fit the catalog: reject it, and mend the driver.

    `reason` is in plain words, names the field, and never repeats the field's value: what does
    not fit may be a code.
    """

    def __init__(self, code: DraftFault, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class EnvelopeInvalid(SchemasError):
    """What was received is no CloudEvent, or not one of ours; the sender must be mended."""


class EnvelopeTooLarge(SchemasError):
    """An encoded event is above 64 KiB: park it, it will never fit."""

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the encoded event has {size} bytes, the limit is {limit}")
        self.size = size
        self.limit = limit


class SchemaRecordRefused(SchemasError):
    """The catalog and its checked-in record disagree in a way that only its author can settle."""
