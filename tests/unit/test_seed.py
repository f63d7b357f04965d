"""The sample books: deterministic, healthy but for what is planted, and planted for each check."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opskit.audit.report import AuditReport, Verdict
from opskit.audit.run import audit_snapshot
from opskit.read.capture import read_captures
from opskit.sandbox.account import Processor
from opskit.sandbox.faults import RECIPES
from opskit.sandbox.items import Item, attribute, major_units
from opskit.sandbox.proof import tallies
from opskit.sandbox.seed import Books, sample_books
from opskit.settings import LOGICAL_TABLES
from opskit.tables.catalog import ENTRIES
from opskit.tables.items import SERVICE_PARTITIONS, KindName, Layout, kind_of

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
COUNTERS = ("owed_pending", "owed_settled", "payments_pending", "payments_settled")
Balances = dict[str, Counter[str]]


def audited(books: Books, folder: Path) -> AuditReport:
    """The audit of the billing items, written to a capture file and read back."""
    capture = folder / "books.jsonl"
    lines = (json.dumps({"Item": held}) + "\n" for held in books.items["billing"])
    capture.write_text("".join(lines))
    return audit_snapshot(read_captures([capture], folder / "snapshot"), as_of=AS_OF)


def plain(held: Item, name: str) -> str:
    """The text of an attribute, whatever its type."""
    return str(next(iter(held[name].values())))


def posted(books: Books) -> Balances:
    """Each account's counters, added up here from the contract's table and nothing of opskit."""
    balances: Balances = {}
    for held in books.items["billing"]:
        if not plain(held, "sk").startswith("LEDGER#"):
            continue
        kind, state, reason = (plain(held, name) for name in ("type", "state", "reason"))
        amount = int(plain(held, "amount_cents"))
        sums = balances.setdefault(plain(held, books.layout), Counter())
        if state == "reversed":
            continue
        if kind == "adjustment":
            sums["owed_settled"] += -amount if reason == "dispute_funds_reinstated" else amount
        else:
            sums[f"{'owed' if kind == 'debit' else 'payments'}_{state}"] += amount
    return balances


def stored(books: Books) -> Balances:
    """Each account's counters as its BALANCE says."""
    return {
        plain(held, books.layout): Counter(
            {name: int(plain(held, f"{name}_cents")) for name in COUNTERS}
        )
        for held in books.items["billing"]
        if plain(held, "sk") == "BALANCE"
    }


def items_of(books: Books, prefix: str) -> list[Item]:
    """The billing items whose sort key starts so."""
    return [held for held in books.items["billing"] if plain(held, "sk").startswith(prefix)]


def test_the_same_arguments_give_the_same_books() -> None:
    """The seed and the as-of date decide every byte; another seed gives other books."""
    once, again, other = (sample_books(seed, AS_OF, accounts=30) for seed in (1, 1, 2))
    assert once == again
    assert once.items["billing"] != other.items["billing"]


def test_another_as_of_date_only_moves_the_books() -> None:
    """The accounts and their amounts do not depend on when the books are made."""
    later = sample_books(1, datetime(2027, 3, 1, tzinfo=UTC), accounts=30, faults=False)
    assert stored(later) == stored(sample_books(1, AS_OF, accounts=30, faults=False))


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("seed", [1, 7])
def test_healthy_books_satisfy_the_posting_rules(seed: int, layout: Layout) -> None:
    """Every stored counter equals a sum made independently, and none is negative."""
    books = sample_books(seed, AS_OF, layout=layout, faults=False)
    held, sums = stored(books), posted(books)
    assert set(sums) <= set(held)
    for account, balance in held.items():
        expected = sums.get(account, Counter())
        assert {name: balance[name] for name in COUNTERS} == {n: expected[n] for n in COUNTERS}
        assert min(balance.values()) >= 0


def test_healthy_books_raise_nothing(tmp_path: Path) -> None:
    """Books without faults are clean under every check; what is only worth a look is no fault."""
    books = sample_books(7, AS_OF, faults=False)
    report = audited(books, tmp_path)
    assert books.faults == ()
    assert report.verdict is Verdict.CLEAN
    assert [tally for tally in tallies((), report) if not tally.equal] == []


@pytest.mark.parametrize(("seed", "layout"), [(7, "pk"), (7, "user_sub"), (1, "pk"), (2, "pk")])
def test_what_is_planted_is_exactly_what_is_found(seed: int, layout: str, tmp_path: Path) -> None:
    """Found and planted are one set over check, account, key and the drift's amounts."""
    books = sample_books(seed, AS_OF, layout=Layout(layout))
    report = audited(books, tmp_path)
    proof = tallies(books.faults, report)
    assert [tally for tally in proof if not tally.equal] == []
    assert sum(tally.found for tally in proof) == len(books.faults) > 30


def test_every_kind_of_fault_is_planted() -> None:
    """Every recipe finds an account of its own, and every check on the ledger has a fault."""
    books = sample_books(7, AS_OF)
    accounts = {fault.account for fault in books.faults} - SERVICE_PARTITIONS
    assert len(accounts) == sum(times for _, times in RECIPES)
    assert {fault.check for fault in books.faults} == {
        "balances.stored_equals_entries",
        "balances.present",
        "balances.possible",
        "entries.well_formed",
        "entries.amount_not_zero",
        "webhooks.unmatched_resolved",
        "entries.known_posting_rule",
        "entries.unique_processor_id",
        "links.payment_entry_exists",
        "links.amounts_agree",
    }


def test_a_planted_drift_is_stored_less_posted() -> None:
    """The drift a fault names is the difference of the independent sums, to the minor unit."""
    books = sample_books(7, AS_OF)
    spoilt = {f.account for f in books.faults if f.check.startswith("entries.")}
    sound = [h for h in books.items["billing"] if plain(h, books.layout) not in spoilt]
    kept = Books(books.seed, AS_OF, books.layout, {"billing": tuple(sound)}, ())
    held, sums = stored(kept), posted(kept)
    for fault in books.faults:
        if "drift" in fault.evidence:
            here, there = (of.get(fault.account, Counter()) for of in (held, sums))
            drift = {name: here[name] - there[name] for name in COUNTERS}
            assert {name: value for name, value in drift.items() if value} == fault.evidence[
                "drift"
            ]


@pytest.mark.parametrize("layout", Layout)
def test_every_table_and_every_kind_of_item_has_content(layout: Layout) -> None:
    """All nine tables, all kinds but unclassified ones, and all three processors are there."""
    books = sample_books(7, AS_OF, layout=layout)
    assert {name for name, items in books.items.items() if items} == set(LOGICAL_TABLES)
    billing = books.items["billing"]
    kinds = {kind_of(layout, plain(held, layout), plain(held, "sk")) for held in billing}
    assert kinds == {*KindName} - {KindName.UNCLASSIFIED}
    partitions = {plain(held, layout) for held in billing}
    assert partitions >= SERVICE_PARTITIONS
    assert {p.removeprefix("USER#")[:2] for p in partitions - SERVICE_PARTITIONS} == {*Processor}
    assert 4_500 < books.count < 5_500


def test_no_key_is_used_twice() -> None:
    """Loading replaces nothing: each item of each table has a key of its own."""
    books = sample_books(7, AS_OF)
    for logical, items in books.items.items():
        names = [
            name for name in (ENTRIES[logical].key.partition, ENTRIES[logical].key.sort) if name
        ]
        keys = Counter(tuple(plain(held, name) for name in names) for held in items)
        assert keys.most_common(1)[0][1] == 1, logical


def test_payments_and_entries_belong_together() -> None:
    """In healthy books a payment's entry is there, has its amount, and agrees in how it ended."""
    books = sample_books(7, AS_OF, faults=False)
    entries = {(plain(e, "pk"), plain(e, "sk")): e for e in items_of(books, "LEDGER#")}
    ended = {"settled": {"succeeded"}, "pending": {"pending", "processing", "requires_action"}}
    linked = [payment for payment in items_of(books, "PAY#") if "ledger_sk" in payment]
    assert len(linked) > 1_000
    for payment in linked:
        entry = entries[plain(payment, "pk"), plain(payment, "ledger_sk")]
        assert payment["amount_cents"] == entry["amount_cents"]
        state, status = plain(entry, "state"), plain(payment, "status")
        assert (status in ended[state]) if state in ended else (status not in ended["settled"])


def test_no_time_is_after_the_as_of_date() -> None:
    """Nothing has happened yet that the books' date does not know of."""
    books = sample_books(7, AS_OF)
    now = int(AS_OF.timestamp())
    happened = ("created_at", "updated_at", "ts", "last_used_at", "last_seen_at", "used_at")
    times = [
        int(plain(held, name))
        for items in books.items.values()
        for held in items
        for name in happened
        if name in held
    ]
    assert max(times) <= now
    assert min(time for time in times if time) > now - 400 * 86_400


def test_nothing_in_the_books_has_expired() -> None:
    """An engine that deletes what its TTL attribute says is over would delete nothing."""
    books = sample_books(7, AS_OF)
    expiring = [h for items in books.items.values() for h in items if "ttl_epoch" in h]
    assert len(expiring) > 100
    assert min(int(plain(held, "ttl_epoch")) for held in expiring) > AS_OF.timestamp()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {"NULL": True}),
        (True, {"BOOL": True}),
        (12, {"N": "12"}),
        ("a", {"S": "a"}),
        ([1, "a"], {"L": [{"N": "1"}, {"S": "a"}]}),
        ({"a": {"b": 0}}, {"M": {"a": {"M": {"b": {"N": "0"}}}}}),
    ],
)
def test_plain_values_become_dynamodb_json(value: object, expected: object) -> None:
    """Each plain value has one form in DynamoDB JSON."""
    assert attribute(value) == expected


def test_a_float_has_no_form() -> None:
    """Money is never a float, so a float is a mistake."""
    with pytest.raises(TypeError, match="float"):
        attribute(19.99)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(15_966, "usd", "159.66"), (5, "eur", "0.05"), (700, "jpy", "700")],
)
def test_amounts_are_written_as_processors_write_them(
    amount: int, currency: str, text: str
) -> None:
    """Minor units become major ones without rounding or grouping."""
    assert major_units(amount, currency) == text
