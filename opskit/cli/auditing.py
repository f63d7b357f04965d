"""How `audit` and `repair plan` come to a report: read, judge, confirm, compare, waive, pack."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opskit.cli.given import DEADLINE, PATH
from opskit.cli.options import Common, progress
from opskit.cli.outputs import require_new
from opskit.cli.sources import source
from opskit.errors import CaptureError, InputError

if TYPE_CHECKING:
    from opskit.audit.check import Check
    from opskit.audit.compare import EarlierRun
    from opskit.audit.pack import PackManifest
    from opskit.audit.pseudonyms import Pseudonyms
    from opskit.audit.report import AuditReport, CheckResult
    from opskit.audit.waivers import Waiver
    from opskit.cli.exported import Exports
    from opskit.read.snapshot import Snapshot

SETTLE_WINDOW_OPTION = click.option(
    "--settle-window",
    type=click.IntRange(0),
    metavar="SECONDS",
    help="How long an account must lie still before a fault in it counts (120).",
)
NO_CONFIRM = click.option(
    "--no-confirm",
    is_flag=True,
    help="Judge a live table by one reading; recent writes stay undecided.",
)
_OPTIONS = (
    click.option("--pack", type=PATH, metavar="DIR", help="Also make an evidence pack, once."),
    click.option(
        "--previous",
        type=PATH,
        metavar="PACK_OR_JSON",
        help="Compare with an earlier run: its evidence pack, or its report's JSON.",
    ),
    click.option(
        "--waivers", "waiver_file", type=PATH, metavar="FILE.toml", help="Findings answered for."
    ),
    SETTLE_WINDOW_OPTION,
    NO_CONFIRM,
    click.option(
        "--pseudonymise", is_flag=True, help="Name accounts by keyed pseudonyms in all output."
    ),
    click.option(
        "--pseudonym-key-file",
        "key_file",
        type=PATH,
        envvar="OPSKIT_PSEUDONYM_KEY_FILE",
        show_envvar=True,
        help="The file with the pseudonyms' key, 32 bytes or more.",
    ),
    DEADLINE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options that concern evidence said."""

    pack: Path | None = None
    previous: Path | None = None
    waiver_file: Path | None = None
    settle_window: int | None = None
    no_confirm: bool = False
    pseudonymise: bool = False
    key_file: Path | None = None
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class Books:
    """Which books are judged, with which checks and parameters, and whether their history is."""

    sources: tuple[Path, ...]
    captures: tuple[Path, ...]
    checks: "tuple[Check, ...]"
    parameters: Mapping[str, str]
    history: bool = True
    exports: "Exports | None" = None

    @property
    def live(self) -> bool:
        """Whether they are those of the live table."""
        return not self.sources and not self.captures and not self.exports


@dataclass(frozen=True, slots=True)
class Judged:
    """A report, the snapshot it rests on, and what was given for it."""

    report: "AuditReport"
    snapshot: "Snapshot"
    given: "_Given"
    parameters: Mapping[str, str]
    started: datetime


@dataclass(frozen=True, slots=True)
class _Given:
    """What the options named, read before anything is asked of AWS."""

    waivers: "tuple[Waiver, ...]"
    key: bytes | None
    previous: "PackManifest | None"
    earlier: "EarlierRun | None"


def evidence_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that concern evidence to a verb, which takes them as keywords of `Asked`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def judged(common: Common, books: Books, asked: Asked) -> Iterator[Judged]:
    """The report of the books by everything that was asked; the snapshot lives as long as this."""
    from opskit.read.snapshot import scratch_folder

    given = _given(asked)
    started = datetime.now(UTC)
    books = replace(books, parameters=parameters_of(common, books, asked.settle_window))
    taking = source(common, books.sources, books.captures, books.exports, within=asked.deadline)
    with taking as taken, scratch_folder() as scratch:
        if books.live and not asked.no_confirm:
            report, snapshot = confirmed(common, books, (taken, scratch), asked.deadline)
        else:
            report, snapshot = audited(common, books, taken), taken
        report = _beside_earlier(report, snapshot, asked, given, history=books.history)
        yield Judged(report, snapshot, given, books.parameters, started)


def parameters_of(common: Common, books: Books, settle_window: int | None) -> dict[str, str]:
    """The parameters of the checks, found to be such before anything is read."""
    from opskit.audit.parameters import SETTLE_WINDOW, run_values

    parameters = dict(books.parameters)
    if settle_window is not None:
        if SETTLE_WINDOW in parameters:
            raise InputError(f"--settle-window and --param {SETTLE_WINDOW} are one; give one")
        parameters[SETTLE_WINDOW] = str(settle_window)
    run_values(books.checks, parameters, common.as_of)
    return parameters


def _given(asked: Asked) -> _Given:
    """Read what the options name, so that a mistake in it is told at once."""
    from opskit.audit.compare import read_earlier
    from opskit.audit.pseudonyms import KEY_FILE_VARIABLE, Pseudonyms, read_key
    from opskit.audit.waivers import read_waivers

    if asked.pack:
        require_new("--pack", asked.pack)
    if asked.pseudonymise and not asked.key_file:
        message = "--pseudonymise needs a key of 32 bytes or more; put it in a file of yours"
        raise InputError(f"{message} and name that in {KEY_FILE_VARIABLE}")
    key = read_key(asked.key_file) if asked.pseudonymise and asked.key_file else None
    waivers = read_waivers(asked.waiver_file) if asked.waiver_file else ()
    previous = _previous(asked)
    if key and previous and previous.pseudonym_key != Pseudonyms(key, ()).key_id:
        message = "--previous was made under another key than --pseudonym-key-file holds"
        raise InputError(f"{message}; name the file with the key it was made under")
    earlier = read_earlier(asked.previous) if asked.previous else None
    return _Given(waivers, key, previous, earlier)


def _previous(asked: Asked) -> "PackManifest | None":
    """The manifest of the previous pack, found unaltered; None where a report's JSON was named."""
    from opskit.audit.pack import PackManifest
    from opskit.audit.verify import verify_pack

    if asked.previous is None or not asked.previous.is_dir():
        return None
    manifest = PackManifest.read(asked.previous)
    differences = verify_pack(asked.previous).differences
    if differences:
        raise CaptureError(f"--previous is not as it was packed: {differences[0]}")
    if bool(manifest.pseudonym_key) != asked.pseudonymise:
        message = "--previous names accounts by pseudonyms, and this run does not"
        if asked.pseudonymise:
            message = "--pseudonymise: the previous pack names accounts as they are"
        raise InputError(f"{message}; runs are compared only when both do the same")
    return manifest


def audited(common: Common, books: Books, taken: "Snapshot") -> "AuditReport":
    """The report of a snapshot as it was read."""
    from opskit.audit.run import audit_snapshot

    return audit_snapshot(
        taken,
        as_of=common.judged_at(taken.manifest.source.as_of),
        checks=books.checks,
        parameters=books.parameters,
        progress=progress,
    )


def confirmed(
    common: Common, books: Books, places: "tuple[Snapshot, Path]", deadline: float
) -> "tuple[AuditReport, Snapshot]":
    """The live table's report after its accounts at fault were read again."""
    from opskit.audit.confirm import LiveBooks, confirm
    from opskit.audit.parameters import SETTLE_WINDOW, SETTLE_WINDOW_SECONDS
    from opskit.audit.reread import Stillness, account_reader
    from opskit.aws import reading_client
    from opskit.read.patience import Patience

    taken, scratch = places
    settings = common.settings()
    client = reading_client(settings.connection)
    window = int(books.parameters.get(SETTLE_WINDOW, SETTLE_WINDOW_SECONDS))
    at_once = replace(books, parameters={**books.parameters, SETTLE_WINDOW: "0"})
    table = settings.table_names["billing"]
    answer = confirm(
        LiveBooks(taken, account_reader(client, table, Patience(deadline)), scratch),
        books.checks,
        lambda snapshot: audited(common, at_once, snapshot),
        Stillness(window, time.sleep),
        progress,
    )
    return answer.report, answer.snapshot


def _beside_earlier(
    report: "AuditReport", snapshot: "Snapshot", asked: Asked, given: _Given, *, history: bool
) -> "AuditReport":
    """The report with history looked at, pseudonyms, waivers, and the comparison, in that order."""
    from opskit.audit.compare import compared
    from opskit.audit.pseudonyms import pseudonymous
    from opskit.audit.waivers import waived

    names = names_for(snapshot, given)
    if names:
        report = pseudonymous(report, names)
    if history:
        looked_at = _history(snapshot, asked, given, names)
        report = replace(report, results=(*report.results, looked_at))
    if given.waivers:
        report = waived(report, given.waivers)
    if given.earlier:
        report = replace(report, comparison=compared(report, given.earlier))
    return report


def names_for(snapshot: "Snapshot", given: _Given) -> "Pseudonyms | None":
    """The pseudonyms of the snapshot's accounts, None where they keep their names."""
    from opskit.audit.pseudonyms import pseudonyms_for

    return pseudonyms_for(snapshot, given.key) if given.key else None


def _history(
    snapshot: "Snapshot", asked: Asked, given: _Given, names: "Pseudonyms | None"
) -> "CheckResult":
    """What became of the entries of the previous pack."""
    from opskit.audit.history import NO_PREVIOUS, history_result, history_skipped
    from opskit.audit.pack import SNAPSHOT
    from opskit.audit.packed import packed_snapshot
    from opskit.read.snapshot import open_snapshot, scratch_folder

    if asked.previous is None or given.previous is None:
        why = "the previous run given is a report without its books; give its evidence pack"
        return history_skipped(why if asked.previous else NO_PREVIOUS)
    earlier = open_snapshot(asked.previous / SNAPSHOT)
    if names is None:
        return history_result(earlier, snapshot)
    with scratch_folder() as scratch:
        return history_result(earlier, packed_snapshot(snapshot, scratch, names))
