"""What separates the live tables from the wanted ones: a comparison of values, nothing is asked.

What AWS or an operator may vary without harm to the service (capacity mode, table class, further
indexes) is a note and never a difference: a plan that nags about it would not be read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from opskit.tables.catalog import CODE_PATHS, billing_layout
from opskit.tables.items import Layout
from opskit.tables.live import SETTLING, LiveTable, Presence, TtlStatus
from opskit.tables.spec import Index, TableSpec


class Step(StrEnum):
    """What opskit can do to a table, in the order it is done."""

    CREATE = "create"
    WAIT = "wait"
    ENABLE_TTL = "enable_ttl"


class Standing(StrEnum):
    """Why something is said of a table that opskit will not change."""

    CONFLICT = "conflict"
    DIFFERENCE = "difference"
    UNKNOWN = "unknown"
    UNSUPPORTED = "unsupported"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to one table, and why, a reason for each step."""

    logical: str
    spec: TableSpec
    steps: tuple[Step, ...]
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """The table's name."""
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about one table; about the endpoint when `logical` is ""."""

    logical: str
    name: str
    standing: Standing
    text: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """One table as wanted and as found."""

    logical: str
    spec: TableSpec
    live: LiveTable
    ttl_writable: bool

    def remark(self, standing: Standing, text: str) -> Remark:
        return Remark(self.logical, self.spec.name, standing, text)


_Findings = Iterator[Remark | tuple[Step, str]]
"""What is said of a pair: remarks, and steps with their reasons."""


def changes(
    wanted: Mapping[str, TableSpec], live: Mapping[str, LiveTable], *, ttl_writable: bool = True
) -> tuple[tuple[Change, ...], tuple[Remark, ...]]:
    """Everything to be done, one change a table, and everything to be said.

    `live` has a reading for each wanted logical table. A table in conflict gets no change.
    """
    done: list[Change] = []
    said: list[Remark] = []
    for logical, spec in wanted.items():
        found = list(_findings(_Pair(logical, spec, live[logical], ttl_writable)))
        said += [item for item in found if isinstance(item, Remark)]
        steps = [item for item in found if not isinstance(item, Remark)]
        if steps:
            done.append(
                Change(logical, spec, tuple(s for s, _ in steps), tuple(r for _, r in steps))
            )
    return tuple(done), _unsupported_once(said)


def _unsupported_once(said: list[Remark]) -> tuple[Remark, ...]:
    """Say what the endpoint lacks once, not once for each table."""
    lacking = [remark.logical for remark in said if remark.standing is Standing.UNSUPPORTED]
    rest = [remark for remark in said if remark.standing is not Standing.UNSUPPORTED]
    if lacking:
        text = f"TTL cannot be set on this endpoint; items do not expire in {', '.join(lacking)}"
        rest.append(Remark("", "", Standing.UNSUPPORTED, text))
    return tuple(rest)


def _findings(pair: _Pair) -> _Findings:
    live = pair.live
    if live.presence is Presence.UNKNOWN:
        missing = ", ".join(live.missing)
        text = f"may or may not exist: the permission {missing} on it is missing"
        yield pair.remark(Standing.UNKNOWN, text)
    elif live.presence is Presence.ABSENT:
        yield from _creation(pair)
    elif live.spec is not None:
        yield from list(_conflicts(pair, live.spec)) or _reconciliation(pair, live.spec)
    if pair.logical == "billing" and live.presence is not Presence.UNKNOWN:
        yield from _code_path_notes(pair, live.spec or pair.spec)


def _creation(pair: _Pair) -> _Findings:
    indexes = "".join(f", with index {index.name} on {index}" for index in pair.spec.indexes)
    yield Step.CREATE, f"key {pair.spec.key}{indexes}, on-demand"
    yield from _ttl(pair, None)


def _reconciliation(pair: _Pair, found: TableSpec) -> _Findings:
    live = pair.live
    if live.status not in {"ACTIVE", *SETTLING}:
        text = f"is {live.status}; plan again when it is ACTIVE or gone"
        yield pair.remark(Standing.DIFFERENCE, text)
        return
    if live.settling:
        yield Step.WAIT, f"{', '.join(live.settling)}: it is waited for"
    for index in pair.spec.indexes:
        yield from _missing_index(pair, index)
    yield from _ttl(pair, found.ttl_attribute)
    yield from _notes(pair, found)


def _conflicts(pair: _Pair, found: TableSpec) -> Iterator[Remark]:
    if found.key != pair.spec.key:
        text = f"its key is {found.key}, wanted {pair.spec.key}; a key cannot be changed"
        path = _wrong_code_path(pair.spec, found) if pair.logical == "billing" else ""
        yield pair.remark(Standing.CONFLICT, text + path)
    for wanted in pair.spec.indexes:
        other = found.index(wanted.name)
        if other not in {None, wanted}:
            text = f"index {wanted.name} is on {other}, wanted {wanted}; it cannot be changed"
            yield pair.remark(Standing.CONFLICT, text)


def _wrong_code_path(wanted: TableSpec, found: TableSpec) -> str:
    needed, has = billing_layout(wanted.key), billing_layout(found.key)
    cannot = f"; the {CODE_PATHS[needed]} code cannot use it" if needed else ""
    if has is None:
        return f"{cannot}, nor can any other billing code of the service"
    remedy = f"if that is meant, set OPSKIT_BILLING_LAYOUT={has}"
    return f"{cannot}, only the {CODE_PATHS[has]} code can ({remedy})"


def _code_path_notes(pair: _Pair, spec: TableSpec) -> Iterator[Remark]:
    layout = billing_layout(spec.key)
    if spec.key != pair.spec.key or layout is None:
        return
    other = Layout.USER_SUB if layout is Layout.PK else Layout.PK
    text = f"keyed by {layout}, it serves the {CODE_PATHS[layout]} code"
    text += f"; the {CODE_PATHS[other]} code (key {other}) cannot use it"
    yield pair.remark(Standing.NOTE, text)
    if layout is Layout.USER_SUB and pair.spec.ttl_attribute != "ttl":
        text = "CCBill's webhook markers carry their expiry in `ttl`, so they never expire"
        yield pair.remark(Standing.NOTE, text)


def _missing_index(pair: _Pair, index: Index) -> Iterator[Remark]:
    state = pair.live.index_status.get(index.name)
    if state is None:
        text = f"index {index.name} on {index} is missing; opskit adds no index to a live table"
        yield pair.remark(Standing.DIFFERENCE, text)
    elif state not in {"ACTIVE", *SETTLING}:
        text = f"index {index.name} is {state}; plan again when it is gone"
        yield pair.remark(Standing.DIFFERENCE, text)


def _ttl(pair: _Pair, found: str | None) -> _Findings:
    """Compare the TTL attribute, None being off, unless the endpoint or a grant hides it."""
    wanted, status = pair.spec.ttl_attribute, pair.live.ttl
    if status is TtlStatus.UNKNOWN:
        text = "its TTL could not be read: the permission dynamodb:DescribeTimeToLive is missing"
        yield pair.remark(Standing.UNKNOWN, text)
    elif wanted is None:
        yield from _unwanted_ttl(pair, found)
    elif status is TtlStatus.UNSUPPORTED:
        yield pair.remark(Standing.UNSUPPORTED, "TTL")
    elif status is TtlStatus.DISABLING:
        text = f"TTL is being disabled; plan again within the hour to enable it on {wanted}"
        yield pair.remark(Standing.DIFFERENCE, text)
    else:
        yield from _wanted_ttl(pair, wanted, found)


def _wanted_ttl(pair: _Pair, wanted: str, found: str | None) -> _Findings:
    if found is None and pair.ttl_writable:
        yield Step.ENABLE_TTL, f"TTL on {wanted}"
    elif found is None:
        yield pair.remark(Standing.UNSUPPORTED, "TTL")
    elif found != wanted:
        text = f"TTL is on {found}, wanted on {wanted}: that takes two runs, to disable it and,"
        text += " at least an hour later, to enable it; opskit disables no TTL"
        yield pair.remark(Standing.DIFFERENCE, text)
    elif pair.live.ttl is TtlStatus.ENABLING:
        text = f"TTL on {wanted} is being enabled; that can take an hour"
        yield pair.remark(Standing.NOTE, text)


def _unwanted_ttl(pair: _Pair, found: str | None) -> Iterator[Remark]:
    if found is not None:
        text = f"TTL deletes its items by {found}, which the service does not write here"
        yield pair.remark(Standing.DIFFERENCE, f"{text}; opskit disables no TTL")


def _notes(pair: _Pair, found: TableSpec) -> Iterator[Remark]:
    live = pair.live
    more = [index.name for index in found.indexes if pair.spec.index(index.name) is None]
    if more:
        yield pair.remark(Standing.NOTE, f"has further indexes: {', '.join(more)}")
    if live.billing_mode != "PAY_PER_REQUEST":
        yield pair.remark(Standing.NOTE, f"capacity mode {live.billing_mode}, made on-demand")
    if live.class_name != "STANDARD":
        yield pair.remark(Standing.NOTE, f"table class {live.class_name}")
