"""The config file: strict models, and errors that name file, line, column, key and fix."""

from __future__ import annotations

from latchway.gateway.config.loader import check_file, load, parse
from latchway.gateway.config.models import Config, VendorConfig
from latchway.gateway.config.problems import ConfigInvalid, Problem

__all__ = ["Config", "ConfigInvalid", "Problem", "VendorConfig", "check_file", "load", "parse"]
