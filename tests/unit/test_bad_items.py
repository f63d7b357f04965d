"""Items that no one expected never stop an audit, are never dropped, and are always reported."""

import codecs
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opskit.audit.report import AuditReport
from opskit.audit.run import audit_snapshot
from opskit.errors import CaptureError
from opskit.ledger.books import open_books
from opskit.read.capture import read_captures
from tests.captures import Item, balance, entry, write_capture

AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
GOOD = [entry("USER#good", 1, 500), balance("USER#good", owed_settled=500)]
ENTRY = entry("USER#bad", 2, 700)


def audited(tmp_path: Path, items: list[Item]) -> AuditReport:
    """The audit of a capture of these items, none of which may be lost."""
    capture = write_capture(tmp_path / "items.jsonl", items)
    snapshot = read_captures([capture], tmp_path / "snapshot")
    assert snapshot.manifest.items == len(items)
    return audit_snapshot(snapshot, as_of=AS_OF)


def raised(report: AuditReport) -> set[tuple[str, str, str]]:
    """What was found, as check, account and key."""
    return {(finding.check, finding.account, finding.key) for finding in report.findings}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("amount_cents", {"N": "12.5"}),
        ("amount_cents", {"N": "9" * 39}),
        ("amount_cents", {"N": "1E60"}),
        ("amount_cents", {"N": "NaN"}),
        ("amount_cents", {"N": 700}),
        ("amount_cents", {"N": 7.5}),
        ("amount_cents", 700),
        ("amount_cents", {"S": "700"}),
        ("amount_cents", {"L": [{"N": "700"}]}),
        ("amount_cents", {"N": "700", "S": "700"}),
        ("amount_cents", {}),
        ("amount_cents", {"NULL": True}),
        ("amount_cents", None),
        ("amount_cents", {"N": "-700"}),
        ("type", {"S": "refund"}),
        ("state", {"S": "SETTLED"}),
        ("ts", {"N": "1"}),
        ("entry_id", {"N": "5"}),
        ("reason", {"SS": ["usage"]}),
    ],
)
def test_a_malformed_entry_is_one_finding(tmp_path: Path, attribute: str, value: Any) -> None:
    """An entry with a wrong attribute is reported by its key and is no drift of its account."""
    bad = ENTRY | {attribute: value}
    total = 1000 + (-700 if value == {"N": "-700"} else 700)
    rest = [entry("USER#bad", 3, 1000), balance("USER#bad", owed_settled=total)]
    report = audited(tmp_path, [*GOOD, bad, *rest])
    assert raised(report) == {("entries.well_formed", "USER#bad", ENTRY["sk"]["S"])}
    assert report.exit_code == 1


def test_an_absent_required_attribute_is_a_finding(tmp_path: Path) -> None:
    """An entry without its amount leaves its account unjudged, not wrong."""
    bad = {name: value for name, value in ENTRY.items() if name != "amount_cents"}
    report = audited(tmp_path, [*GOOD, bad, balance("USER#bad", owed_settled=700)])
    assert raised(report) == {("entries.well_formed", "USER#bad", ENTRY["sk"]["S"])}
    assert report.unjudged == ("USER#bad",)


@pytest.mark.parametrize("attribute", ["sk", "pk"])
@pytest.mark.parametrize("value", [None, {"N": "5"}, {"B": "aGk="}, "text"])
def test_an_item_without_a_usable_key_is_kept_whole(
    tmp_path: Path, attribute: str, value: Any
) -> None:
    """An item whose key is missing or of another type is unclassified, with all it holds."""
    bad = (
        {**ENTRY, attribute: value} if value else {k: v for k, v in ENTRY.items() if k != attribute}
    )
    capture = write_capture(tmp_path / "items.jsonl", [*GOOD, bad])
    snapshot = read_captures([capture], tmp_path / "snapshot")
    with open_books(snapshot) as books:
        [row] = books.rows("SELECT item, defects FROM unclassified")
    assert json.loads(str(row["item"])) == bad
    assert attribute in str(row["defects"])
    report = audit_snapshot(snapshot, as_of=AS_OF)
    assert [finding.check for finding in report.findings] == ["items.classified"]


@pytest.mark.parametrize("item", [None, [], 5, "text", {}])
def test_an_item_that_is_no_map_of_attributes_is_reported(tmp_path: Path, item: Any) -> None:
    """Even an Item that is not a map is a row a check reports."""
    report = audited(tmp_path, [*GOOD, item])
    assert [finding.check for finding in report.findings] == ["items.classified"]


def test_a_counter_that_cannot_be_read_leaves_the_account_unjudged(tmp_path: Path) -> None:
    """A BALANCE with a text counter is a finding, and no drift is guessed from it."""
    bad = balance("USER#bad", owed_settled=700) | {"owed_settled_cents": {"S": "700"}}
    report = audited(tmp_path, [*GOOD, ENTRY, bad])
    assert raised(report) == {("items.well_formed", "USER#bad", "BALANCE")}
    assert report.unjudged == ("USER#bad",)


def test_an_unknown_posting_rule_is_inconclusive_and_exits_3(tmp_path: Path) -> None:
    """An adjustment with a new reason is said, its account is not judged, nothing is guessed."""
    odd = entry("USER#odd", 3, 900, type="adjustment", reason="goodwill")
    report = audited(tmp_path, [*GOOD, odd, balance("USER#odd", owed_settled=900)])
    assert raised(report) == {("entries.known_posting_rule", "USER#odd", odd["sk"]["S"])}
    assert report.unjudged == ("USER#odd",)
    assert report.exit_code == 3


def test_one_key_twice_with_one_content_is_one_item(tmp_path: Path) -> None:
    """Identical copies, as overlapping captures hold them, count once."""
    capture = write_capture(tmp_path / "items.jsonl", GOOD * 2)
    snapshot = read_captures([capture, capture], tmp_path / "snapshot")
    assert snapshot.manifest.items == len(GOOD)
    assert snapshot.manifest.repeated == 3 * len(GOOD)
    assert audit_snapshot(snapshot, as_of=AS_OF).exit_code == 0


def test_one_key_twice_with_two_contents_judges_nothing(tmp_path: Path) -> None:
    """Copies that differ cannot both be the entry: both are shown, the account is unjudged."""
    other = ENTRY | {"amount_cents": {"N": "701"}}
    report = audited(tmp_path, [*GOOD, ENTRY, other, balance("USER#bad", owed_settled=700)])
    assert raised(report) == {("items.classified", "USER#bad", ENTRY["sk"]["S"])}
    assert report.unjudged == ("USER#bad",)


def _spelled_otherwise(item: Item) -> str:
    """A capture's line that says the same in another spelling."""
    line = json.dumps({"Item": dict(reversed(item.items()))}, indent=None, separators=(",", ":"))
    return line.replace("USER", "\\u0055SER") + "\n"


UNMATCHED = {"pk": {"S": "UNMATCHED"}, "sk": {"S": "evt_1"}, "payload": {"M": {"a": {"N": "1"}}}}
STRANGER = {"pk": {"S": "NOBODY"}, "sk": {"S": "X#1"}, "n": {"N": "1"}}


@pytest.mark.parametrize(
    "item", [ENTRY, ENTRY | {"state": {"N": "5"}}, UNMATCHED, STRANGER], ids=lambda i: i["sk"]["S"]
)
def test_copies_of_another_spelling_are_one_item(tmp_path: Path, item: Item) -> None:
    """The order of attributes, blanks and escapes do not make copies of an item differ."""
    capture = write_capture(tmp_path / "a.jsonl", [item])
    other = tmp_path / "b.jsonl"
    other.write_text(_spelled_otherwise(item))
    manifest = read_captures([capture, other], tmp_path / "snapshot").manifest
    assert (manifest.items, manifest.repeated) == (1, 1)


@pytest.mark.parametrize(
    "spellings",
    [
        ('{"N":"1"}', '{"N":"2"}'),
        ('{"N":1}', '{"N":1.0}'),
        ('{"N":1}', '{"N":"1"}'),
        ('{"S":"a","S":"b"}', '{"S":"b"}'),
        ('{"L":[{"N":"1"},{"N":"2"}]}', '{"L":[{"N":"2"},{"N":"1"}]}'),
        ('{"N":1e999}', '{"N":1e998}'),
    ],
)
def test_copies_of_another_content_differ(tmp_path: Path, spellings: tuple[str, str]) -> None:
    """What is no matter of spelling still makes copies differ, also in what JSON permits."""
    key = '{"Item":{"pk":{"S":"NOBODY"},"sk":{"S":"X#1"},"n":'
    lines = [f"{key}{spelling}}}}}\n" for spelling in spellings]
    capture = tmp_path / "items.jsonl"
    capture.write_text("".join(lines))
    assert read_captures([capture], tmp_path / "snapshot").manifest.items == 2


def test_findings_of_copies_have_ids_of_their_own(tmp_path: Path) -> None:
    """Copies that differ, and items without a key, are findings that can be told apart."""
    others = [ENTRY | {"amount_cents": {"N": str(amount)}} for amount in (701, 702)]
    keyless = [{"n": {"N": "1"}}, {"n": {"N": "2"}}, {"n": {"N": "10"}}]
    report = audited(tmp_path, [*GOOD, ENTRY, *others, *keyless, STRANGER])
    findings = [finding for finding in report.findings if finding.check == "items.classified"]
    assert len(findings) == len({finding.id for finding in findings}) == 7
    copies = [f.evidence.get("copy") for f in findings if f.key == ENTRY["sk"]["S"]]
    assert sorted(map(str, copies)) == ["1", "2", "3"]
    assert "copy" not in next(f for f in findings if f.account == "NOBODY").evidence


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_byte_order_mark_begins_a_capture(
    tmp_path: Path, packed: Callable[[bytes], bytes]
) -> None:
    """What some editors put before UTF-8 is no part of the first item, gzip or not."""
    content = write_capture(tmp_path / "items.jsonl", GOOD).read_bytes()
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(packed(codecs.BOM_UTF8 + content))
    assert read_captures([marked], tmp_path / "snapshot").manifest.items == len(GOOD)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_capture_in_utf_16_is_called_that(tmp_path: Path, encoding: str) -> None:
    """A capture redirected by a shell that writes UTF-16 is refused with what to do about it."""
    text = write_capture(tmp_path / "items.jsonl", GOOD).read_text()
    wide = tmp_path / "wide.jsonl"
    wide.write_text(text, encoding=encoding)
    with pytest.raises(CaptureError, match=r"wide\.jsonl is UTF-16; save it as UTF-8"):
        read_captures([wide], tmp_path / "snapshot")
    assert not (tmp_path / "snapshot").exists()


def test_a_mark_is_no_blank_elsewhere(tmp_path: Path) -> None:
    """A byte-order mark that begins another line is not passed over."""
    capture = write_capture(tmp_path / "items.jsonl", GOOD)
    capture.write_bytes(capture.read_bytes().replace(b"\n", b"\n" + codecs.BOM_UTF8, 1))
    with pytest.raises(CaptureError, match="line 2"):
        read_captures([capture], tmp_path / "snapshot")


def test_empty_books_pass_nothing(tmp_path: Path) -> None:
    """With nothing to examine every check is visibly skipped, and the books are not clean."""
    report = audited(tmp_path, [])
    assert {result.outcome for result in report.results} == {"skipped"}
    assert report.exit_code == 3


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    """Ten thousand of the largest amounts add up, and the counter's difference is to the cent."""
    largest = 10**15
    items = [entry("USER#rich", number, largest) for number in range(10_000)]
    report = audited(tmp_path, [*items, balance("USER#rich", owed_settled=largest)])
    drift = [f.evidence["drift"] for f in report.findings if f.check.endswith("_equals_entries")]
    assert drift == [{"owed_settled": -9_999 * largest}]


def test_keys_like_those_of_entries_are_reported_and_spoil_nothing(tmp_path: Path) -> None:
    """An item whose sort key only begins like an entry's leaves the account judged."""
    odd = [
        {**ENTRY, "pk": {"S": "USER#good"}, "sk": {"S": sk}} for sk in ("LEDGERX#1", "BALANCE#2")
    ]
    report = audited(tmp_path, [*GOOD, *odd])
    assert {finding.check for finding in report.findings} == {"items.classified"}
    assert report.unjudged == ()
