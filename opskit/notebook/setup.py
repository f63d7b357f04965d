"""The steps of the setup walkthrough: settings, plan, apply when asked for, TTL, the `.env`."""

from opskit.aws import PROVISION_OPERATIONS, dynamodb_client
from opskit.errors import PlanError, StalePlanError
from opskit.inspection.doctor import Diagnosis
from opskit.notebook.tables import TablesState
from opskit.present.columns import columns
from opskit.present.escape import plain
from opskit.provision.apply import apply_plan
from opskit.provision.changes import Step
from opskit.provision.plan import Plan, plan
from opskit.settings import LOGICAL_TABLES, Settings, problems
from opskit.tables.catalog import catalogue

WIDEST = 100


def diagnosis_text(diagnosis: Diagnosis) -> str:
    """Every setting with its origin and verdict, then credentials, region and endpoint."""
    readings = (*diagnosis.settings, *diagnosis.access)
    rows = [(r.health.value, r.subject, r.value or "-", r.source, r.note) for r in readings]
    return "\n".join(columns(("", "what", "value", "from", "note"), rows, widest=WIDEST))


def tables_state(settings: Settings, account: str) -> TablesState:
    """Compare the live tables with the wanted ones; nothing is written."""
    client = dynamodb_client(settings.connection)
    return TablesState(plan(client, catalogue(settings), account=account))


def apply_instruction(of: Plan) -> str:
    """What to set for this plan to be carried out, or why there is nothing to set."""
    if of.is_empty:
        return "Nothing was changed; there is nothing to apply."
    where = "" if of.target.local else f' and confirm to "{of.target.confirmation}"'
    return f'Nothing was changed. To carry this plan out, set apply to "{of.id}"{where}.'


def carry_out(settings: Settings, state: TablesState, plan_id: str, confirm: str) -> TablesState:
    """Apply the plan that `plan_id` names, and give the state it leaves.

    Raises StalePlanError when the plan is another by now, and PlanError when the account and
    region are not confirmed on an endpoint that is not this machine, or a step failed.
    """
    target = state.plan.target
    if state.plan.is_empty:
        print(apply_instruction(state.plan))
        return state
    if plan_id != state.plan.id:
        message = f"apply names plan {plan_id!r}, the plan is now {state.plan.id}"
        raise StalePlanError(f"{message}; read it above and name it if it is what you want")
    if not target.local and confirm != target.confirmation:
        message = f"confirm is {confirm!r}; set it to {target.confirmation!r}"
        raise PlanError(f"{message} to write to {target}")
    client = dynamodb_client(settings.connection, allow=PROVISION_OPERATIONS)
    applied = apply_plan(client, state.plan, progress=print)
    if applied.failures:
        first = applied.failures[0]
        message = f"{len(applied.failures)} steps failed, first {first.step} {first.name}"
        raise PlanError(f"{message}: {first.why}")
    return TablesState(applied.remaining, applied=True)


def ttl_text(state: TablesState) -> str:
    """Which tables let their items expire, by which attribute, and what the plan says of it."""
    rows = [
        (logical, spec.name, spec.ttl_attribute or "-", _ttl_verdict(state.plan, logical))
        for logical, spec in state.plan.wanted.items()
    ]
    return "\n".join(columns(("table", "name", "TTL wanted on", "state"), rows))


def _ttl_verdict(of: Plan, logical: str) -> str:
    steps = [step for change in of.changes if change.logical == logical for step in change.steps]
    said = [r.text for r in of.remarks if r.logical == logical and "TTL" in r.text]
    lacking = ["not on this endpoint" for r in of.unsupported if logical in r.text]
    if said or lacking:
        return "; ".join([*said, *lacking])
    if of.wanted[logical].ttl_attribute is None:
        return "none needed"
    return "to be enabled" if Step.ENABLE_TTL in steps else "enabled"


def env_text(settings: Settings) -> str:
    """The lines of a `.env` file that give the service and opskit the same table names."""
    faulty = {problem.variable for problem in problems(settings, required=LOGICAL_TABLES)}
    return "\n".join(
        _env_line(name, setting.value, faulty=name in faulty)
        for name, setting in settings.found.items()
        if name == "AWS_REGION" or not name.startswith("AWS_")
    )


def _env_line(name: str, value: str | None, *, faulty: bool) -> str:
    if faulty:
        return f"# {name}=...  needed, or to be corrected: see the settings above"
    return f"{name}={plain(value)}" if value else f"# {name}=..."
