"""The setup walkthrough's answer: what stands between the wanted tables and the live ones."""

from dataclasses import dataclass

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
        wanted, changes = len(self.plan.wanted), len(self.plan.changes)
        if self.verdict == "in sync":
            return f"All {wanted} tables are as wanted"
        parts = (
            (changes, "to create or complete"),
            (len(self.plan.conflicts), "in conflict"),
            (len(self.plan.differences), "different"),
            (len(self.plan.unknown), "not readable"),
        )
        said = ", ".join(f"{number} {words}" for number, words in parts if number)
        return f"Of {wanted} tables: {said}"
