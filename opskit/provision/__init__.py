"""Plans for the service's tables, and the only code that carries one out."""

from opskit.provision.apply import Applied, apply_plan
from opskit.provision.plan import Plan, plan

__all__ = ["Applied", "Plan", "apply_plan", "plan"]
