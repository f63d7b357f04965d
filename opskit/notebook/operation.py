"""What a runbook's cells call: one operation, from its parameters to its record."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from opskit.audit.report import AuditReport
from opskit.aws import caller_identity, is_loopback
from opskit.errors import ParameterError
from opskit.instants import utc_instant
from opskit.ledger.statement import Statement
from opskit.notebook.parameters import check_values, parameters_hash, path_from, require_paths
from opskit.notebook.record import (
    BASE_VARIABLE,
    ENV_FILE_VARIABLE,
    RUN_FOLDER_VARIABLE,
    RunRecord,
    new_run_folder,
    read_record,
    runs_folder,
    versions,
    with_files,
    write_record,
)
from opskit.notebook.runbook import Runbook, find_runbook
from opskit.notebook.tables import TablesState
from opskit.notebook.verdict import Answer, judgement
from opskit.present.escape import plain
from opskit.settings import LOGICAL_TABLES, Settings, load_settings, require

if TYPE_CHECKING:
    import pandas as pd

    from opskit.read.snapshot import Snapshot


def begin(slug: str, names: Mapping[str, object]) -> "Operation":
    """The operation of the runbook `slug` with the parameters found in `names`."""
    runbook = find_runbook(slug, start=Path.cwd(), environ=os.environ)
    held = {p.name: names[p.name] for p in runbook.parameters if p.name in names}
    values = check_values(runbook.parameters, held)
    require_paths(runbook.parameters, values, _base(runbook))
    env_file = os.environ.get(ENV_FILE_VARIABLE)
    settings = load_settings(environ=os.environ, env_file=Path(env_file) if env_file else None)
    return Operation(runbook, values, settings)


def _base(runbook: Runbook) -> Path:
    """Where relative paths of parameters start: where the run was asked for, or the project."""
    return Path(os.environ.get(BASE_VARIABLE) or runbook.path.parent.parent)


class Operation:
    """One operation; its folder is made when something is first put into it."""

    def __init__(
        self, runbook: Runbook, parameters: Mapping[str, object], settings: Settings
    ) -> None:
        self.runbook = runbook
        self.parameters = dict(parameters)
        self.settings = settings
        self.started = datetime.now(UTC)

    def banner(self) -> str:
        """Where this operation would read, and that it only reads; nothing is asked of AWS."""
        connection = self.settings.connection
        kind = "on this machine" if is_loopback(connection.endpoint_url) else "LIVE"
        place = f"{connection.endpoint_url or 'AWS'} ({kind})"
        if self.parameters.get("source"):
            place = "none: everything comes from the files in source"
        lines = [
            f"opskit {versions()['opskit']}: {self.runbook.title}",
            f"region    {connection.region or 'not set'}",
            f"endpoint  {place}",
            f"settings  {self.settings.env_file or 'no .env file'}",
            f"mode      {self._mode()}",
        ]
        return "\n".join(lines)

    def _mode(self) -> str:
        return "writes only with a plan's id" if self.runbook.writes else "read-only"

    @cached_property
    def folder(self) -> Path:
        """The folder of this run, made on first use, readable by its owner alone."""
        given = os.environ.get(RUN_FOLDER_VARIABLE)
        if given:
            return Path(given)
        runs = runs_folder(self.runbook.path.parent.parent, os.environ)
        return new_run_folder(runs, self.runbook.slug, self.started)

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Whom AWS takes this operation for, and where; asked once, when first needed."""
        connection = self.settings.connection
        caller = caller_identity(connection)
        found = {
            "account": caller.account or "",
            "principal": caller.principal or "",
            "region": connection.region or "",
            "endpoint": connection.endpoint_url or "AWS",
        }
        if os.environ.get(RUN_FOLDER_VARIABLE):  # so that a run that fails later says who it was
            write_record(self.folder, replace(read_record(self.folder), identity=found))
        return found

    @property
    def as_of(self) -> datetime:
        """The UTC instant to judge by: the parameter `as_of`, or the start when it is empty."""
        text = str(self.parameters.get("as_of", ""))
        if not text:
            return self.started
        value = utc_instant(text)
        if value is None:
            message = f"parameter as_of is {text!r}; give a UTC date such as 2026-01-31"
            raise ParameterError(message)
        return value

    def path(self, text: str) -> Path:
        """A path of a parameter: from the folder the run was asked in, or the project's."""
        return path_from(_base(self.runbook), text)

    def snapshot(self, source: Sequence[str], *, account: str = "") -> "Snapshot":
        """The books to work on: a snapshot folder or captures, or live where `source` is empty.

        A live read takes one account's partition when `account` is given, else the whole table.
        """
        from opskit.notebook.sources import live_snapshot, stored_snapshot

        if source:
            taken = stored_snapshot([self.path(text) for text in source], self._new_place())
        else:
            require(self.settings, "billing")
            print(f"account   {self.identity['account'] or 'unknown'}")
            taken = live_snapshot(self.settings, self._new_place(), account=account)
        manifest = taken.manifest
        print(f"{manifest.verdict}: {manifest.items:,} items\n{plain(manifest.describe())}")
        return taken

    def _new_place(self) -> Path:
        """A folder that is not there yet, for a snapshot: a cell may be run again."""
        names = ["snapshot", *(f"snapshot-{number}" for number in range(2, 1000))]
        return next(self.folder / n for n in names if not (self.folder / n).exists())

    def audit(self, snapshot: "Snapshot") -> AuditReport:
        """Run every check over the snapshot, judged as of the parameter `as_of`."""
        from opskit.audit.run import audit_snapshot

        return audit_snapshot(snapshot, as_of=self.as_of)

    def sql(self, snapshot: "Snapshot", text: str) -> "pd.DataFrame":
        """The whole answer of one SELECT over the snapshot's views, as a frame."""
        from opskit.audit import sql

        return sql(snapshot, text, as_of=self.as_of)

    def statement(self, snapshot: "Snapshot", account: str) -> Statement:
        """The statement of one account: a user id, or the partition key as stored."""
        from opskit.ledger.books import open_books
        from opskit.ledger.statement import account_statement

        with open_books(snapshot) as books:
            return account_statement(books, account, as_of=self.as_of)

    def check_settings(self) -> None:
        """Print every setting with its origin and verdict, then credentials and endpoint."""
        from opskit.inspection.doctor import diagnose
        from opskit.notebook.setup import diagnosis_text

        print(diagnosis_text(diagnose(self.settings)))

    def plan(self) -> TablesState:
        """Print what separates the live tables from the wanted ones; nothing is written."""
        from opskit.notebook.setup import tables_state
        from opskit.present.plan import plan_text

        require(self.settings, *LOGICAL_TABLES)
        state = tables_state(self.settings, self.identity["account"])
        print(plan_text(state.plan))
        return state

    def apply(self, state: TablesState, plan_id: str, confirm: str) -> TablesState:
        """Carry out the plan that `plan_id` names; without one nothing is written."""
        from opskit.notebook.setup import apply_instruction, carry_out

        if plan_id:
            return carry_out(self.settings, state, plan_id, confirm)
        print(apply_instruction(state.plan))
        return state

    def ttl(self, state: TablesState) -> None:
        """Print which tables let their items expire, and by which attribute."""
        from opskit.notebook.setup import ttl_text

        print(ttl_text(state))

    def env_file(self) -> None:
        """Print the lines of a `.env` file that name the same tables again."""
        from opskit.notebook.setup import env_text

        print(env_text(self.settings))

    def show(self, answer: Answer) -> None:
        """Show an answer as a part of the notebook; what items hold is text in it."""
        from opskit.notebook.documents import show

        show(answer)

    def verdict(self, answer: Answer) -> None:
        """Print the verdict as plain text, which every copy of the notebook keeps."""
        judged = judgement(answer)
        print(f"{judged.verdict.upper()}: {plain(judged.summary)} (exit {judged.exit_code})")

    def finish(self, answer: Answer) -> None:
        """Write the answer's documents and the run's record, and say where they are."""
        from opskit.notebook.documents import write_documents

        write_documents(self.folder, answer)
        judged = judgement(answer)
        record = replace(
            self._record(),
            verdict=judged.verdict,
            exit_code=judged.exit_code,
            summary=judged.summary,
            identity=self._known_identity(),
            finished=datetime.now(UTC),
        )
        write_record(self.folder, with_files(record, self.folder))
        print(f"recorded in {self.folder}")

    def _record(self) -> RunRecord:
        if os.environ.get(RUN_FOLDER_VARIABLE):
            return read_record(self.folder)
        return RunRecord(
            id=self.folder.name,
            slug=self.runbook.slug,
            title=self.runbook.title,
            parameters=self.parameters,
            parameters_sha256=parameters_hash(self.parameters),
            notebook_sha256=self.runbook.sha256,
            started=self.started,
            versions=versions(),
        )

    def _known_identity(self) -> Mapping[str, str]:
        """The identity when AWS was asked for it; a run on files never asks."""
        asked = "identity" in self.__dict__
        return self.identity if asked else {"endpoint": "none, read from files"}
