"""The posting rules as data, read from `posting_rules.toml`."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from opskit.ledger.counters import Counters


@dataclass(frozen=True, slots=True)
class PostingRule:
    """One row of the rules: which entries it is for, and its effect per minor unit.

    `type`, `state` and `reason` are None where the rule holds for any.
    """

    name: str
    type: str | None
    state: str | None
    reason: str | None
    effect: Counters

    def matches(self, type_: str | None, state: str | None, reason: str | None) -> bool:
        """Whether the rule is for entries of this type, state and reason."""
        wanted = ((self.type, type_), (self.state, state), (self.reason, reason))
        return all(mine is None or mine == theirs for mine, theirs in wanted)


@cache
def posting_rules() -> tuple[PostingRule, ...]:
    """The rules of the service's data contract, one for each reason."""
    text = files("opskit.ledger").joinpath("posting_rules.toml").read_text("utf-8")
    rules = []
    for rule in tomllib.loads(text)["rule"]:
        selectors = {name: rule.pop(name, None) for name in ("name", "type", "state")}
        reasons = rule.pop("reason", [None])
        effect = Counters.of(rule)
        rules += [PostingRule(**selectors, reason=reason, effect=effect) for reason in reasons]
    return tuple(rules)


def effect_of(type_: str | None, state: str | None, reason: str | None) -> Counters | None:
    """The effect per minor unit of an entry, or None where no rule is for it."""
    for rule in posting_rules():
        if rule.matches(type_, state, reason):
            return rule.effect
    return None
