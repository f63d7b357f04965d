"""The setup walkthrough's answer: what stands between the wanted tables and the live ones."""

from dataclasses import dataclass

from opskit.present.plan import summary
from opskit.provision.plan import Plan


@dataclass(frozen=True, slots=True)
class TablesState:
    """A plan as a runbook's answer; `applied` tells whether one was carried out before it."""

    plan: Plan
    applied: bool = False

    @property
    def verdict(self) -> str:
        """In sync, or why not, the gravest reason first."""
        plan = self.plan
        if plan.conflicts:
            return "conflict"
        if plan.unknown:
            return "unknown"
        return "in sync" if not (plan.changes or plan.differences) else "differs"

    @property
    def exit_code(self) -> int:
        """The exit status a shell sees."""
        return self.plan.exit_code

    @property
    def summary(self) -> str:
        """The state in one line."""
        return summary(self.plan)
