"""A repair plan for people and programs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from opskit.audit.repair import Repair, RepairPlan
from opskit.present.columns import columns, paragraph, underlined
from opskit.present.escape import plain
from opskit.present.words import amount, counted

NOTICE = (
    "Nothing here has been carried out, and opskit never does: read it, have it approved, run each "
    "update by hand. An update whose condition fails changed nothing; audit again then."
)
WIDTH = 100


def repair_json(plan: RepairPlan) -> dict[str, object]:
    """The plan as a document; each `request` is what `--cli-input-json` takes."""
    return {
        "source": plan.source,
        "notice": NOTICE,
        "repairs": [_repair(repair) for repair in plan.repairs],
        "not_repairable": [{"account": left.account, "reason": left.reason} for left in plan.left],
    }


def _repair(repair: Repair) -> dict[str, object]:
    return {
        "account": repair.account,
        "currency": repair.currency,
        "stored": asdict(repair.stored),
        "computed": asdict(repair.computed),
        "updated_at": repair.updated_at,
        "why": repair.why,
        "request": repair.request(),
    }


def repair_text(plan: RepairPlan) -> str:
    """The plan to read, each update with the command that a person may run."""
    head = f"{counted(len(plan.repairs), 'update')} planned, {len(plan.left):,} not repairable"
    lines = [head, plain(plan.source), *paragraph("", NOTICE, width=WIDTH, hang=0)]
    for number, repair in enumerate(plan.repairs, start=1):
        lines += underlined(f"{number}. {plain(repair.account)}")
        lines += _told(repair)
    if plan.left:
        lines += underlined("NOT REPAIRABLE")
    for left in plan.left:
        lines += paragraph("-", f"{left.account}: {left.reason}", width=WIDTH, hang=2)
    return "\n".join(lines) + "\n"


def _told(repair: Repair) -> Iterator[str]:
    stored: Mapping[str, int] = asdict(repair.stored)
    computed: Mapping[str, int] = asdict(repair.computed)
    rows = [
        (
            name.replace("_", " "),
            amount(stored[name], repair.currency),
            amount(computed[name], repair.currency),
        )
        for name in stored
    ]
    yield from columns(("counter", "stored", "to be"), rows, right={1, 2})
    yield from paragraph("Why", repair.why, width=WIDTH)
    yield "aws dynamodb update-item --cli-input-json '"
    # ASCII JSON whose apostrophes are spelled out: a shell takes it whole between apostrophes.
    request = json.dumps(repair.request(), indent=2, ensure_ascii=True)
    yield request.replace("'", "\\u0027") + "'"
