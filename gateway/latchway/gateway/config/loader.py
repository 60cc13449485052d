"""Reads a config file strictly: every problem is found at once, each with place, cause and fix."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from latchway.drivers.catalogue import installed_drivers
from latchway.drivers.errors import VendorInvalid
from latchway.gateway.config.models import (
    NAME_PATTERN,
    Config,
    HubSection,
    LogSection,
    QuotasSection,
    RouteSection,
    StopSection,
    VendorConfig,
)
from latchway.gateway.config.places import KeyPath, Place, key_places, nearest_place
from latchway.gateway.config.problems import (
    ConfigInvalid,
    Finding,
    Problem,
    dotted,
    findings_of,
    nearest_of,
    unknown_key,
)
from latchway.gateway.routing import PatternInvalid, Route, compile_pattern
from latchway.gateway.sinks.catalogue import SinkConfig
from latchway.gateway.sinks.settings import SinkSettings
from latchway.schemas import HUB_VENDOR

if TYPE_CHECKING:
    from latchway.drivers.contract import Vendor

SIZE_LIMIT = 1024 * 1024
"""Bytes of a config file; a larger one is some other file."""

SECTIONS = ("hub", "vendors", "sinks", "routes", "log", "stop")

_SYNTAX_PLACE = re.compile(
    r"^(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)$", re.DOTALL
)

Table = Mapping[str, object]
Model = TypeVar("Model", bound=BaseModel)
LoadVendor = Callable[[str], "Vendor"]


def load(path: Path, load_vendor: LoadVendor | None = None) -> Config:
    """Read and validate a config file. Raises `ConfigInvalid`."""
    try:
        with path.open("rb") as file:
            raw = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        fix = "write one (see the README), or name another with --config"
        raise ConfigInvalid([_whole(str(path), f"cannot be read: {reason}", fix)]) from None
    if len(raw) > SIZE_LIMIT:
        problem = f"has more than {SIZE_LIMIT} bytes"
        raise ConfigInvalid([_whole(str(path), problem, "name a Latchway config file")])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = len(before) - before.rfind(b"\n")
        place = Place(before.count(b"\n") + 1, column)
        fix = "save the file as UTF-8"
        raise ConfigInvalid([_at(str(path), place, "", "is not UTF-8 here", fix)]) from None
    return parse(text, str(path), load_vendor)


def check_file(path: Path) -> None:
    """Find also what only the machine can tell: files that are named but not there.

    Raises `ConfigInvalid`. The gateway starts without them and waits: one sink's certificate is
    no reason to keep the others from theirs.
    """
    load(path)
    text = path.read_text(encoding="utf-8")
    places = key_places(text)
    problems = [
        _at(str(path), nearest_place(places, key), dotted(key), f"no such file: {file}", _ABSENT)
        for key, file in _named_files(tomllib.loads(text), ())
        if _is_absent(file)
    ]
    if problems:
        raise ConfigInvalid(sorted(problems, key=lambda problem: (problem.line, problem.column)))


_ABSENT = "write the file, or correct its name"


def _named_files(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, Path]]:
    """Return every file that a key ending in `_file` names."""
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        if isinstance(inner, str) and str(key).endswith("_file"):
            yield (*path, key), Path(inner)
        else:
            yield from _named_files(inner, (*path, key))


def _is_absent(file: Path) -> bool:
    try:
        return not file.is_file()
    except PermissionError:  # the gateway's user may see more than who checks
        return False


def parse(text: str, source: str, load_vendor: LoadVendor | None = None) -> Config:
    """Validate the text of a config. `source` names it in messages. Raises `ConfigInvalid`."""
    document = _document(text, source)
    reader = _Reader(document, load_vendor or _load_installed_vendor)
    config = reader.read(source)
    if not reader.findings:
        return config
    places = key_places(text)
    problems = [
        _at(
            source,
            nearest_place(places, found.path),
            dotted(found.path),
            found.problem,
            found.fix,
            found.nearest,
        )
        for found in reader.findings
    ]
    raise ConfigInvalid(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def _document(text: str, source: str) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fix = "correct the TOML syntax there"
        found = _SYNTAX_PLACE.match(str(error))
        if found:
            place = Place(int(found["line"]), int(found["column"]))
            problem = _at(source, place, "", found["what"], fix)
        else:
            last = text.count("\n") + 1
            what = str(error).removesuffix(" (at end of document)")
            problem = _at(source, Place(last, len(text) - text.rfind("\n")), "", what, fix)
        raise ConfigInvalid([problem]) from None
    except RecursionError:
        problem = _whole(source, "is nested too deeply", "write flatter tables and lists")
        raise ConfigInvalid([problem]) from None


def _at(
    source: str, place: Place, key: str, problem: str, fix: str, nearest: str | None = None
) -> Problem:
    return Problem(source, place.line, place.column, key, problem, fix, nearest)


def _whole(source: str, problem: str, fix: str) -> Problem:
    return Problem(source, 0, 0, "", problem, fix)


def _load_installed_vendor(name: str) -> Vendor:
    from latchway.drivers.catalogue import load_vendor  # noqa: PLC0415 - imports the driver

    return load_vendor(name)


def sink_models() -> dict[str, type[SinkSettings]]:
    """Map each kind of sink, as `type` spells it, to the model of its section."""
    union = get_args(SinkConfig)[0]
    models: tuple[type[SinkSettings], ...] = get_args(union) or (union,)
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}


@dataclass(slots=True)
class _Reader:
    """Walks one parsed document and collects what is wrong with it."""

    document: Table
    load_vendor: LoadVendor
    findings: list[Finding] = field(default_factory=list)

    def read(self, source: str) -> Config:
        self.findings.extend(
            unknown_key((key,), SECTIONS) for key in self.document if key not in SECTIONS
        )
        hub = self._section("hub", HubSection)
        sinks = self._sinks()
        return Config(
            source=source,
            hub=hub or HubSection(),
            vendors=self._vendors(),
            sinks=sinks,
            routes=self._routes(sinks),
            log=self._section("log", LogSection) or LogSection(),
            stop=self._section("stop", StopSection) or StopSection(),
        )

    def _section(self, name: str, model: type[Model]) -> Model | None:
        return self._validated(self.document.get(name, {}), model, (name,))

    def _validated(self, data: object, model: type[Model], path: KeyPath) -> Model | None:
        try:
            return model.model_validate_json(_json(data), strict=True)
        except ValidationError as error:
            self.findings.extend(findings_of(error, model, path, data))
            return None

    def _named_tables(self, section: str) -> list[tuple[str, Table]]:
        tables = self.document.get(section, {})
        if not isinstance(tables, Mapping):
            fix = f"write a table for each: [{section}.NAME]"
            self.findings.append(Finding((section,), "must be a table", fix))
            return []
        found: list[tuple[str, Table]] = []
        for name, table in tables.items():
            if not re.fullmatch(NAME_PATTERN, name):
                fix = "use a-z, 0-9 and _, begin with a letter, at most 32 characters"
                self.findings.append(Finding((section, name), "is not a valid name", fix))
            elif not isinstance(table, Mapping):
                fix = f"write [{section}.{name}]"
                self.findings.append(Finding((section, name), "must be a table", fix))
            else:
                found.append((name, table))
        return found

    def _vendors(self) -> dict[str, VendorConfig]:
        vendors: dict[str, VendorConfig] = {}
        for name, table in self._named_tables("vendors"):
            if name == HUB_VENDOR:
                fix = "choose another name"
                self.findings.append(Finding(("vendors", name), "is the hub's own name", fix))
                continue
            vendor = self._vendor(name, dict(table))
            if vendor:
                vendors[name] = vendor
        return vendors

    def _vendor(self, name: str, table: dict[str, object]) -> VendorConfig | None:
        path: KeyPath = ("vendors", name)
        driver = table.pop("driver", name)
        quotas = self._validated(table.pop("quotas", {}), QuotasSection, (*path, "quotas"))
        if not isinstance(driver, str):
            fix = 'write the name of a driver in quotes: driver = "zigbee2mqtt"'
            self.findings.append(Finding((*path, "driver"), "must be text", fix))
            return None
        try:
            manifest = self.load_vendor(driver).manifest
        except VendorInvalid as error:
            self._no_driver((*path, "driver") if driver != name else path, driver, str(error))
            return None
        settings = self._validated(table, manifest.config, path)
        if settings is None or quotas is None:
            return None
        return VendorConfig(
            name=name,
            driver=driver,
            manifest=manifest,
            quotas=quotas.over(manifest.quotas),
            settings=_json(table),
        )

    def _no_driver(self, path: KeyPath, driver: str, message: str) -> None:
        problem, _, fix = message.partition(". ")
        nearest = None if driver in installed_drivers() else nearest_of(driver, installed_drivers())
        if nearest:
            fix = f'did you mean "{nearest}"?'
        fix = fix or "correct that package, or leave this section out"
        self.findings.append(Finding(path, problem, fix, nearest))

    def _sinks(self) -> dict[str, SinkSettings]:
        models = sink_models()
        kinds = ", ".join(f'"{kind}"' for kind in models)
        sinks: dict[str, SinkSettings] = {}
        for name, table in self._named_tables("sinks"):
            path: KeyPath = ("sinks", name, "type")
            kind = table.get("type")
            if kind is None:
                fix = f"add `type = ...`, one of: {kinds}"
                self.findings.append(Finding(path, "required key is missing", fix))
            elif not isinstance(kind, str) or kind not in models:
                nearest = nearest_of(str(kind), models)
                fix = f'did you mean "{nearest}"?' if nearest else f"use one of: {kinds}"
                self.findings.append(Finding(path, "no such kind of sink", fix, nearest))
            else:
                settings = self._validated(table, models[kind], ("sinks", name))
                if settings:
                    self._shared_file(name, settings, sinks)
                    sinks[name] = settings
        return sinks

    def _shared_file(
        self, name: str, settings: SinkSettings, others: Mapping[str, SinkSettings]
    ) -> None:
        """Two sinks in one file would rotate it away under each other."""
        mine = settings.own_file()
        if mine is None:
            return
        for other, its in others.items():
            file = its.own_file()
            if file is not None and normpath(file) == normpath(mine):
                fix = "give each sink a file of its own, or route both into one sink"
                self.findings.append(
                    Finding(("sinks", name, "path"), f"[sinks.{other}] has this file", fix)
                )

    def _routes(self, sinks: Mapping[str, SinkSettings]) -> tuple[Route, ...]:
        tables = self.document.get("routes")
        if tables is None:
            return tuple(Route(name=f"all_to_{sink}", sink=sink) for sink in sinks)
        if not isinstance(tables, list):
            self.findings.append(Finding(("routes",), "must be a list", "write [[routes]]"))
            return ()
        routes: list[Route] = []
        for index, table in enumerate(tables):
            route = self._route(("routes", index), table)
            if route is None:
                continue
            if any(route.name == other.name for other in routes):
                fix = "give each route a name of its own"
                self.findings.append(
                    Finding(("routes", index, "name"), "another route has this name", fix)
                )
            routes.append(route)
        return tuple(routes)

    def _route(self, path: KeyPath, table: object) -> Route | None:
        section = self._validated(table, RouteSection, path)
        if section is None:
            return None
        names = self.document.get("sinks", {})
        if not isinstance(names, Mapping) or section.sink not in names:
            known = list(names) if isinstance(names, Mapping) else []
            nearest = nearest_of(section.sink, known)
            fix = f'did you mean "{nearest}"?' if nearest else f"add [sinks.{section.sink}]"
            self.findings.append(Finding((*path, "sink"), "no such sink", fix, nearest))
        try:
            pattern = None if section.pattern is None else compile_pattern(section.pattern)
        except PatternInvalid as error:
            self.findings.append(
                Finding((*path, "pattern", *error.place), error.problem, error.fix)
            )
            return None
        return Route(name=section.name, sink=section.sink, pattern=pattern)


def _json(data: object) -> bytes:
    """Encode a parsed table; TOML's dates become text, which no section has a use for."""
    return json.dumps(data, default=str).encode()
