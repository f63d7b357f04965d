"""Every rule of DynamoDB that the validator enforces, each broken in turn.

The expectations are AWS's documented rules; moto accepts many of these tables.
"""

import pytest

from opskit.errors import SettingsError
from opskit.provision.plan import require_valid
from opskit.tables import Index, Key, Projection, TableSpec
from opskit.tables.spec import AttributeType, violations

GOOD = Key("pk", "sk")
LOCAL = Index("local", Key("pk", "other"), local=True)


def spec(
    name: str = "table", key: Key = GOOD, *indexes: Index, ttl: str | None = None
) -> TableSpec:
    """A table that breaks no rule unless an argument does."""
    return TableSpec(name, key, indexes, ttl)


def many(count: int, **more: object) -> tuple[Index, ...]:
    """That many indexes with names of their own."""
    return tuple(Index(f"index-{n}", Key("pk", "o"), **more) for n in range(count))  # type: ignore[arg-type]


BROKEN = [
    ("table-name", spec("")),
    ("table-name", spec("ab")),
    ("table-name", spec("a" * 256)),
    ("table-name", spec("a b c")),
    ("table-name", spec("a/b/c")),
    ("table-name", spec("name\n")),
    ("table-name", spec("nаme")),  # noqa: RUF001
    ("table-name", spec("arn:aws:dynamodb:eu-central-1:123456789012:table/x")),
    ("index-name", spec("table", GOOD, Index("i", Key("a")))),
    ("key-distinct", spec("table", Key("pk", "pk"))),
    ("attribute-name", spec("table", Key(""))),
    ("attribute-name", spec("table", Key("ü" * 128))),
    ("attribute-type", spec("table", GOOD, Index("idx", Key("sk", "pk", AttributeType.NUMBER)))),
    ("index-repeated", spec("table", GOOD, Index("idx", Key("a")), Index("idx", Key("b")))),
    ("index-count", spec("table", GOOD, *many(21))),
    ("index-count", spec("table", GOOD, *many(6, local=True))),
    ("index-included", spec("table", GOOD, Index("idx", Key("a"), Projection.INCLUDE))),
    (
        "index-included",
        spec("table", GOOD, Index("idx", Key("a"), Projection.KEYS_ONLY, frozenset({"x"}))),
    ),
    (
        "index-included",
        spec(
            "table",
            GOOD,
            Index("idx", Key("a"), Projection.INCLUDE, frozenset(f"x{n}" for n in range(21))),
        ),
    ),
    (
        "index-included",
        spec(
            "table",
            GOOD,
            *many(6, projection=Projection.INCLUDE, included=frozenset(map(str, range(17)))),
        ),
    ),
    ("index-local", spec("table", Key("pk"), LOCAL)),
    ("index-local", spec("table", GOOD, Index("local", Key("other", "sk"), local=True))),
    ("ttl-name", spec(ttl="")),
    ("ttl-name", spec(ttl="t" * 256)),
    ("ttl-key", spec("table", Key("pk", "sk", sort_type=AttributeType.NUMBER), ttl="sk")),
    ("ttl-number", spec("table", GOOD, Index("idx", Key("dies_at")), ttl="dies_at")),
]


@pytest.mark.parametrize(("rule", "broken"), BROKEN)
def test_each_broken_rule_is_named(rule: str, broken: TableSpec) -> None:
    """A table that breaks a rule is faulted for that rule and no other."""
    assert {violation.rule for violation in violations(broken)} == {rule}


@pytest.mark.parametrize(
    "good",
    [
        spec("a.b"),
        spec("a" * 255),
        spec("table", Key("ü" * 127)),
        spec("table", GOOD, *many(20)),
        spec("table", GOOD, LOCAL),
        spec(
            "table", GOOD, Index("idx", Key("dies_at", None, AttributeType.NUMBER)), ttl="dies_at"
        ),
    ],
)
def test_the_limits_themselves_are_allowed(good: TableSpec) -> None:
    """A table at a limit is accepted."""
    assert violations(good) == ()


def test_every_broken_rule_is_told_at_once() -> None:
    """One line names each table, what is wrong with it, and the rule."""
    wanted = {"one": spec("ab"), "two": spec("table", Key("k", "k")), "three": spec()}
    with pytest.raises(SettingsError) as refusal:
        require_valid(wanted)
    text = str(refusal.value)
    assert "one: 'ab'" in text
    assert "rule key-distinct" in text
    assert "three" not in text
    assert "\n" not in text
