"""A plan, and what an apply did, as text and as JSON documents."""

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum

from opskit.present.escape import plain
from opskit.provision.apply import Applied
from opskit.provision.changes import Change, Remark, Standing, Step
from opskit.provision.plan import Plan


class State(StrEnum):
    """How one table stands, the word that matters most."""

    CONFLICT = "conflict"
    DIFFERENCE = "difference"
    UNKNOWN = "unknown"
    CREATE = "create"
    CHANGE = "change"
    IN_SYNC = "in_sync"


MARKS = {
    State.CONFLICT: "!",
    State.DIFFERENCE: "!",
    State.UNKNOWN: "?",
    State.CREATE: "+",
    State.CHANGE: "~",
    State.IN_SYNC: " ",
}
_GRAVE = {
    Standing.CONFLICT: State.CONFLICT,
    Standing.DIFFERENCE: State.DIFFERENCE,
    Standing.UNKNOWN: State.UNKNOWN,
}
_STEP_WORDS = {Step.CREATE: "create", Step.WAIT: "wait for", Step.ENABLE_TTL: "enable"}


def plan_text(plan: Plan) -> str:
    """Render a plan for a terminal: where, one line a table with its mark, the sum of it."""
    width = max(map(len, plan.wanted), default=0)
    names = max((len(spec.name) for spec in plan.wanted.values()), default=0)
    lines = [f"Plan {plan.id}: {plan.target}", ""]
    for logical, spec in plan.wanted.items():
        mark = MARKS[table_state(plan, logical)]
        reasons = "; ".join(_reasons(plan, logical)) or "as wanted"
        lines.append(f"  {mark} {logical:<{width}}  {spec.name:<{names}}  {reasons}")
        lines += [f"      note: {remark.text}" for remark in _notes(plan, logical)]
    lines += [f"  - {remark.text}" for remark in plan.unsupported]
    return "\n".join(plain(line) for line in [*lines, "", summary(plan)])


def applied_text(applied: Applied) -> str:
    """Render what an apply did in a line or two, then what is left if anything is."""
    steps = Counter(done.step for done in applied.done)
    did = f"Applied: {steps[Step.CREATE]} created, TTL enabled on {steps[Step.ENABLE_TTL]}"
    lines = [f"{did}, {len(applied.failures)} failed."]
    lines += [f"  ! {f.logical} ({f.name}) {f.step}: {f.why}" for f in applied.failures]
    left = applied.remaining
    rest = summary(left) if left.exit_code == 0 else plan_text(left)
    lines += [f"  - {remark.text}" for remark in left.unsupported if left.exit_code == 0]
    return "\n".join([*(plain(line) for line in lines), rest])


def plan_json(plan: Plan) -> dict[str, object]:
    """Render a plan as one document; a table's `state` is one of the words of State."""
    return {
        "plan": plan.id,
        "account": plan.target.account or None,
        "region": plan.target.region,
        "endpoint": plan.target.endpoint_url,
        "in_sync": plan.exit_code == 0,
        "tables": [_table_json(plan, logical) for logical in plan.wanted],
        "unsupported": [remark.text for remark in plan.unsupported],
        "summary": dict(_counts(plan)),
    }


def applied_json(accepted: Plan, applied: Applied) -> dict[str, object]:
    """Render what an apply did as one document."""
    return {
        "applied": plan_json(accepted),
        "done": [
            {"table": d.logical, "name": d.name, "step": d.step, "outcome": d.outcome}
            for d in applied.done
        ],
        "failures": [
            {"table": f.logical, "name": f.name, "step": f.step, "why": f.why}
            for f in applied.failures
        ],
        "remaining": plan_json(applied.remaining),
    }


def table_state(plan: Plan, logical: str) -> State:
    """How one table stands; what opskit will not change outranks what it will."""
    standings = {remark.standing for remark in _remarks(plan, logical)}
    for standing, state in _GRAVE.items():
        if standing in standings:
            return state
    change = _change(plan, logical)
    if change is None:
        return State.IN_SYNC
    return State.CREATE if Step.CREATE in change.steps else State.CHANGE


def summary(plan: Plan) -> str:
    """Sum a plan up in one line."""
    counts = _counts(plan)
    if plan.exit_code == 0:
        return f"In sync: {counts[State.IN_SYNC]} tables are as wanted, nothing to do."
    return (
        f"Plan: {counts[State.CREATE]} to create, {counts[State.CHANGE]} to change, "
        f"{counts[State.CONFLICT] + counts[State.DIFFERENCE]} that opskit does not change, "
        f"{counts[State.UNKNOWN]} unknown, {counts[State.IN_SYNC]} as wanted."
    )


def _counts(plan: Plan) -> dict[State, int]:
    found = Counter(table_state(plan, logical) for logical in plan.wanted)
    return {state: found[state] for state in State}


def _change(plan: Plan, logical: str) -> Change | None:
    return next((change for change in plan.changes if change.logical == logical), None)


def _remarks(plan: Plan, logical: str) -> Iterator[Remark]:
    return (remark for remark in plan.remarks if remark.logical == logical)


def _notes(plan: Plan, logical: str) -> Iterable[Remark]:
    return (remark for remark in _remarks(plan, logical) if remark.standing is Standing.NOTE)


def _reasons(plan: Plan, logical: str) -> Iterator[str]:
    change = _change(plan, logical)
    if change:
        pairs = zip(change.steps, change.reasons, strict=True)
        yield from (f"{_STEP_WORDS[step]} {reason}" for step, reason in pairs)
    grave = (remark for remark in _remarks(plan, logical) if remark.standing in _GRAVE)
    yield from (f"{remark.standing}: {remark.text}" for remark in grave)


def _table_json(plan: Plan, logical: str) -> dict[str, object]:
    change = _change(plan, logical)
    steps = zip(change.steps, change.reasons, strict=True) if change else ()
    return {
        "table": logical,
        "name": plan.wanted[logical].name,
        "state": table_state(plan, logical),
        "steps": [{"step": step, "reason": reason} for step, reason in steps],
        "remarks": [
            {"standing": remark.standing, "text": remark.text} for remark in _remarks(plan, logical)
        ],
    }
