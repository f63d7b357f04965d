"""`opskit demo`: the whole road on a sandbox, ending in found = planted."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opskit.cli.given import PATH
from opskit.cli.options import Common, common_options, progress
from opskit.errors import EXIT_CLEAN, EXIT_FAILED, EXIT_FINDINGS, SandboxError

if TYPE_CHECKING:
    from opskit.audit.report import AuditReport
    from opskit.notebook.record import RunRecord
    from opskit.sandbox.proof import Tally
    from opskit.sandbox.seed import Books
    from opskit.sandbox.state import Sandbox

SETUP, STATEMENT, AUDIT = "setup", "account_statement", "balance_audit"

SETTLE_SECONDS = 1
"""How long accounts at fault must lie still: nobody else writes to a demo's sandbox."""

EXPECTED: Mapping[str, int] = {
    SETUP: EXIT_CLEAN,
    STATEMENT: EXIT_FINDINGS,
    AUDIT: EXIT_FINDINGS,
}
"""How each runbook must end on books with planted faults."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the steps of one demo share: the sandbox, the books and where runs are recorded."""

    sandbox: "Sandbox"
    books: "Books"
    runs: Path
    folder: Path
    say: Say


@click.command(short_help="Provision, load, audit and report on a sandbox.")
@click.option(
    "--keep", is_flag=True, help="Leave the sandbox running, as `opskit sandbox up` does."
)
@click.option("--out", type=PATH, help="Where run folders are made.")
@common_options
def demo(common: Common, *, keep: bool, out: Path | None) -> None:
    """Provision, load, audit and report on a sandbox; exit 0 when found is what was planted."""
    from opskit.cli.runbooks import place_of_runs
    from opskit.notebook.record import new_run_folder
    from opskit.sandbox.lab import SEED
    from opskit.sandbox.proof import tallies
    from opskit.sandbox.seed import sample_books

    say: Say = progress if common.json else click.echo
    began = time.monotonic()
    runs = place_of_runs("--out", out, Path.cwd()).resolve()
    books = sample_books(SEED, common.as_of.replace(microsecond=0))
    with ExitStack() as stack:
        sandbox = _started(stack, say, keep=keep)
        folder = new_run_folder(runs, "demo", datetime.now(UTC))
        scene = Scene(sandbox, books, runs, folder, say)
        _provision(scene)
        _load(scene, keep=keep)
        report = _audit(scene)
        records = _run_runbooks(scene)
    proof = tallies(books.faults, report)
    page = runs / records[AUDIT].id / "audit.html"
    proven = _told(say, proof, records)
    _conclude(say, page, keep=keep, seconds=time.monotonic() - began)
    if common.json:
        common.emit(_document(proof, page, records, proven=proven))
    raise SystemExit(EXIT_CLEAN if proven else EXIT_FAILED)


@contextmanager
def _step(say: Say, title: str) -> Iterator[list[str]]:
    """Say a step when it is done, with what it appended and how long it took."""
    began = time.monotonic()
    told: list[str] = []
    yield told
    say(f"{title:<12} {'; '.join(told):<66} {time.monotonic() - began:5.1f} s")


def _started(stack: ExitStack, say: Say, *, keep: bool) -> "Sandbox":
    """A sandbox that ends with the stack, or one that is left running."""
    from opskit.sandbox.server import Wanted, current_sandbox, running_sandbox, start_sandbox

    if keep and current_sandbox(os.environ):
        raise SandboxError("a sandbox already runs; `opskit sandbox down` stops it first")
    with _step(say, "sandbox") as told:
        if keep:
            sandbox = start_sandbox(Wanted(), environ=os.environ)
        else:
            sandbox = stack.enter_context(running_sandbox())
        told.append(f"{sandbox.engine} on {sandbox.endpoint_url}")
    return sandbox


def _provision(scene: Scene) -> None:
    from opskit.sandbox.load import make_tables, seeding_client

    with _step(scene.say, "apply") as told:
        endpoint = scene.sandbox.endpoint_url
        applied = make_tables(seeding_client(endpoint), endpoint)
        told.append(f"{len(applied.remaining.wanted)} tables made")
        told.append("planned again: " + ("nothing left" if applied.remaining.is_empty else "more"))


def _load(scene: Scene, *, keep: bool) -> None:
    from opskit.sandbox.environment import sandbox_settings
    from opskit.sandbox.load import load, seeding_client
    from opskit.sandbox.server import remember_books

    with _step(scene.say, "load") as told:
        endpoint = scene.sandbox.endpoint_url
        count = load(seeding_client(endpoint), sandbox_settings(endpoint).table_names, scene.books)
        told.append(f"{count:,} items; {len(scene.books.faults)} findings planted")
    if keep:
        remember_books(scene.sandbox, scene.books.name, environ=os.environ)


def _audit(scene: Scene) -> "AuditReport":
    """Snapshot the live billing table, audit the snapshot, and read what is at fault again."""
    from opskit.audit.check import load_checks
    from opskit.audit.confirm import LiveBooks, confirm
    from opskit.audit.reread import Stillness, account_reader
    from opskit.audit.run import audit_snapshot
    from opskit.aws import dynamodb_client
    from opskit.read.scan import snapshot_table
    from opskit.sandbox.environment import sandbox_connection, sandbox_settings

    endpoint = scene.sandbox.endpoint_url
    table = sandbox_settings(endpoint).table_names["billing"]
    with _step(scene.say, "snapshot") as told:
        client = dynamodb_client(sandbox_connection(endpoint))
        taken = snapshot_table(client, table, scene.folder / "snapshot")
        told.append(f"{taken.manifest.verdict}: {taken.manifest.items:,} items of {table}")
    with _step(scene.say, "audit") as told:
        checks = load_checks()
        at_once = {"settle_window": "0"}
        live = LiveBooks(taken, account_reader(client, table), scene.folder / "confirmed")
        report = confirm(
            live,
            checks,
            lambda books: audit_snapshot(
                books, as_of=scene.books.as_of, checks=checks, parameters=at_once
            ),
            Stillness(SETTLE_SECONDS, time.sleep),
        ).report
        told.append(f"{len(report.results)} checks; {report.verdict}; confirmed by two more reads")
    return report


def _run_runbooks(scene: Scene) -> "dict[str, RunRecord]":
    """Run the three runbooks headless at once, against the sandbox and the snapshot."""
    as_of = f"{scene.books.as_of:%Y-%m-%dT%H:%M:%SZ}"
    drifted = next(fault.account for fault in scene.books.faults if "drift" in fault.evidence)
    given: Mapping[str, dict[str, object]] = {
        SETUP: {},
        STATEMENT: {"account": drifted, "as_of": as_of},
        AUDIT: {"source": [str(scene.folder / "snapshot")], "as_of": as_of},
    }
    with ThreadPoolExecutor(len(given)) as pool:
        running = {slug: pool.submit(_run_runbook, scene, slug, v) for slug, v in given.items()}
        return {slug: run.result() for slug, run in running.items()}


def _run_runbook(scene: Scene, slug: str, values: dict[str, object]) -> "RunRecord":
    from opskit.notebook.run import run_notebook
    from opskit.notebook.runbook import find_runbook
    from opskit.sandbox.environment import isolated_environment, sandbox_environment

    variables = sandbox_environment(scene.sandbox.endpoint_url)
    with _step(scene.say, "run") as told:
        record = run_notebook(
            find_runbook(slug, start=Path.cwd(), environ=os.environ),
            values,
            runs_dir=scene.runs,
            environment=isolated_environment(os.environ, variables),
        )
        told.append(f"{slug}: {record.verdict}")
    return record


def _told(say: Say, proof: "tuple[Tally, ...]", records: "Mapping[str, RunRecord]") -> bool:
    """Show planted beside found and how the runbooks ended; True when all is as it must be."""
    busy = [tally for tally in proof if tally.planted or tally.found]
    say(f"\n{'check':<40} {'planted':>8} {'found':>8}")
    for tally in busy:
        _tell_tally(say, tally)
    say(f"{f'{len(proof) - len(busy)} other checks':<40} {0:>8} {0:>8}  =")
    equal = all(tally.equal for tally in proof)
    planted, found = sum(t.planted for t in busy), sum(t.found for t in busy)
    say(f"{'in all, every drift to the cent':<40} {planted:>8} {found:>8}  {'=' if equal else '!'}")
    wrong = [
        f"runbook {slug} ended with {record.exit_code}: {record.error or record.summary}"
        for slug, record in records.items()
        if record.exit_code != EXPECTED[slug]
    ]
    for line in wrong:
        say(line)
    return equal and not wrong


def _tell_tally(say: Say, tally: "Tally") -> None:
    """One line for a check, and one for whatever is only planted or only found."""
    say(f"{tally.check:<40} {tally.planted:>8} {tally.found:>8}  {'=' if tally.equal else '!'}")
    for word, marks in (("missed", tally.missed), ("unexpected", tally.unexpected)):
        for mark in marks:
            say(f"    {word}: {' '.join(mark[1:])}")


def _conclude(say: Say, page: Path, *, keep: bool, seconds: float) -> None:
    if page.exists():
        say(f"\nreport      {page}")
        say("            one file that needs no network; the runs lie beside it")
    else:
        say(f"\nno report   the runbook did not get so far; see {page.parent}")
    if keep:
        say("sandbox     left running; `opskit sandbox status` tells how to use it")
    say("next        `make lab` opens the same in JupyterLab")
    say(f"took        {seconds:.1f} s")


def _document(
    proof: "tuple[Tally, ...]", page: Path, records: "Mapping[str, RunRecord]", *, proven: bool
) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "found_is_planted": proven,
        "checks": [{**asdict(tally), "equal": tally.equal} for tally in proof],
        "runs": {slug: record.id for slug, record in records.items()},
        "report": str(page),
    }
