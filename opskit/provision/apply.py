"""Carry out a plan: create, wait until ACTIVE, enable TTL; nothing is deleted or replaced.

Each step is decided from live state, so an apply that was cut short is continued by another.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from opskit.errors import EXIT_FAILED, AccessError, PlanError, ReadError, StalePlanError
from opskit.provision.changes import Change, Standing, Step, changes
from opskit.provision.patience import Patience
from opskit.provision.plan import Plan, plan
from opskit.provision.writes import Outcome, Written, create_table, enable_ttl
from opskit.tables.describe import describe_table
from opskit.tables.live import SETTLING, LiveTable, Presence
from opskit.tables.spec import TableSpec

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_AT_ONCE = 9  # AWS takes hundreds; the catalogue has nine


@dataclass(frozen=True, slots=True)
class Done:
    """A step carried out on a table, by this apply or, for ALREADY, by somebody else."""

    logical: str
    name: str
    step: Step
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that could not be carried out, and why; later steps of the table are left."""

    logical: str
    name: str
    step: Step
    why: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did, what it could not do, and the plan that is left, read afresh."""

    done: tuple[Done, ...]
    failures: tuple[Failure, ...]
    remaining: Plan

    @property
    def exit_code(self) -> int:
        """2 when a step failed, else what the remaining plan says."""
        return EXIT_FAILED if self.failures else self.remaining.exit_code


def _silent(message: str) -> None:
    del message


@dataclass(slots=True)
class _Run:
    """One apply under way; only the calling thread touches it."""

    client: "DynamoDBClient"
    progress: Callable[[str], None]
    patience: Patience
    done: list[Done] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unsupported: bool = False

    def left(self, chosen: Iterable[Change], *steps: Step) -> list[Change]:
        """The changes that hold one of the steps, on tables where nothing failed."""
        failed = {failure.logical for failure in self.failures}
        return [c for c in chosen if c.logical not in failed and set(steps) & set(c.steps)]

    def succeeded(self, change: Change, step: Step, outcome: Outcome, said: str) -> None:
        self.done.append(Done(change.logical, change.name, step, outcome))
        self.progress(f"{change.logical} ({change.name}): {said}")

    def failed(self, change: Change, step: Step, why: str) -> None:
        self.failures.append(Failure(change.logical, change.name, step, why))
        self.progress(f"{change.logical} ({change.name}): {why}")


def apply_plan(
    client: "DynamoDBClient",
    accepted: Plan,
    *,
    progress: Callable[[str], None] = _silent,
    patience: Patience | None = None,
) -> Applied:
    """Do what the accepted plan says, then read everything again.

    Raises StalePlanError, having written nothing, when the live tables no longer give this plan,
    and PlanError when interrupted. One table's failure does not stop the others.
    """
    require_current(client, accepted)
    run = _Run(client, progress, replace(patience or Patience(), stop=Event()))
    try:
        _create(run, run.left(accepted.changes, Step.CREATE))
        _await(run, run.left(accepted.changes, Step.CREATE, Step.WAIT))
        _enable_ttl(run, run.left(accepted.changes, Step.ENABLE_TTL))
    except KeyboardInterrupt:
        run.patience.stop.set()
        raise PlanError(_interrupted(run)) from None
    remaining = plan(
        client,
        accepted.wanted,
        account=accepted.target.account,
        can_set_ttl=False if run.unsupported else None,
    )
    return Applied(tuple(run.done), tuple(run.failures), remaining)


def require_current(client: "DynamoDBClient", accepted: Plan) -> None:
    """Raise StalePlanError unless planning again gives the accepted plan."""
    fresh = plan(client, accepted.wanted, account=accepted.target.account)
    if fresh.id == accepted.id:
        return
    if (fresh.target.region, fresh.target.endpoint_url) != (
        accepted.target.region,
        accepted.target.endpoint_url,
    ):
        raise StalePlanError(f"the plan is for {accepted.target}, the client is for {fresh.target}")
    moved = sorted(_work(fresh) ^ _work(accepted))
    named = ", ".join(dict.fromkeys(logical for logical, _ in moved))
    raise StalePlanError(f"the live tables moved since the plan was made ({named}); plan again")


def _work(of: Plan) -> set[tuple[str, str]]:
    steps = {(change.logical, step.value) for change in of.changes for step in change.steps}
    return steps | {(remark.logical, remark.text) for remark in of.remarks}


def _interrupted(run: _Run) -> str:
    steps = ", ".join(f"{done.step} {done.logical}" for done in run.done) or "nothing yet"
    return f"interrupted after: {steps}; `opskit apply` again continues from there"


_Write = Callable[["DynamoDBClient", TableSpec, Patience], Written]


def _in_parallel(
    run: _Run, chosen: list[Change], write: _Write
) -> Iterator[tuple[Change, Written]]:
    """Send one write for each change, yielding each as it is answered."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="opskit-apply")
    try:
        sent = {pool.submit(write, run.client, c.spec, run.patience): c for c in chosen}
        for future in as_completed(sent):
            try:
                yield sent[future], future.result()
            except (BotoCoreError, AccessError, ReadError) as error:
                yield sent[future], Written(Outcome.REFUSED, f"{error}; apply again")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _create(run: _Run, chosen: list[Change]) -> None:
    for change, written in _in_parallel(run, chosen, create_table):
        if written.outcome is Outcome.REFUSED:
            run.failed(change, Step.CREATE, written.why)
        else:
            made = "being made" if written.outcome is Outcome.DONE else "already being made"
            run.succeeded(change, Step.CREATE, written.outcome, made)


def _await(run: _Run, pending: list[Change]) -> None:
    """Poll until every table and every index of it is ACTIVE, or the deadline."""
    pauses = run.patience.pauses(run.patience.active_within)
    while pending:
        states = {change.logical: describe_table(run.client, change.name) for change in pending}
        pending = [
            change for change in pending if not _settled(run, change, states[change.logical])
        ]
        if pending:
            run.progress(f"waiting until ACTIVE: {', '.join(c.logical for c in pending)}")
            if not pauses.another():
                break
    for change in pending:
        state = _state(states[change.logical])
        why = f"still {state} after {run.patience.active_within:.0f} s; apply again to go on"
        run.failed(change, Step.WAIT, why)


def _state(live: LiveTable) -> str:
    return ", ".join(live.settling) or live.status or live.presence


def _settled(run: _Run, change: Change, live: LiveTable) -> bool:
    """Record a table that is ready or will never be; False while it is under way.

    Just after CreateTable, DescribeTable may not know the table yet.
    """
    if live.presence is Presence.UNKNOWN:
        missing = ", ".join(live.missing)
        run.failed(change, Step.WAIT, f"cannot be watched: the permission {missing} is missing")
    elif live.status and live.status not in {"ACTIVE", *SETTLING}:
        run.failed(change, Step.WAIT, f"is {live.status}; plan again when it is ACTIVE or gone")
    elif not live.usable:
        return False
    elif unlike := _unlike_the_plan(change, live):
        run.failed(change, Step.CREATE, f"made meanwhile by somebody else and left: {unlike}")
    else:
        run.succeeded(change, Step.WAIT, Outcome.DONE, "ACTIVE")
    return True


def _unlike_the_plan(change: Change, live: LiveTable) -> str:
    """How a table this apply meant to create is not the one that is there now."""
    if Step.CREATE not in change.steps:
        return ""
    _, remarks = changes({change.logical: change.spec}, {change.logical: live})
    grave = {Standing.CONFLICT, Standing.DIFFERENCE}
    return "; ".join(remark.text for remark in remarks if remark.standing in grave)


def _enable_ttl(run: _Run, chosen: list[Change]) -> None:
    for change, written in _in_parallel(run, chosen, enable_ttl):
        if written.outcome is Outcome.REFUSED:
            run.failed(change, Step.ENABLE_TTL, written.why)
        elif written.outcome is Outcome.UNSUPPORTED:
            if not run.unsupported:
                run.progress("TTL cannot be set on this endpoint; left out")
            run.unsupported = True
        else:
            said = f"TTL on {change.spec.ttl_attribute}"
            run.succeeded(change, Step.ENABLE_TTL, written.outcome, said)
