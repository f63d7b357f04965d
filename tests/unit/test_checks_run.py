"""How checks run: their parameters, accounts half way through a write, observations, the verb."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from opskit.audit.check import (
    Check,
    builtin_statements,
    load_checks,
    parse_check,
    select_checks,
)
from opskit.audit.parameters import bound, given_parameters, run_values
from opskit.audit.report import AuditReport, Outcome, Verdict
from opskit.audit.run import audit_snapshot
from opskit.cli import cli
from opskit.errors import CheckDefinitionError, InputError
from opskit.ledger import books as ledger_books
from opskit.ledger.books import open_books
from opskit.ledger.sql_guard import require_harmless
from opskit.present import report_json
from opskit.read.capture import read_captures
from opskit.sandbox.seed import sample_books
from tests.captures import Item, balance, entry, write_capture

LAST_OF = {"SCH": 6, "BAL": 7, "LNK": 8, "STA": 7, "DUP": 6, "TIM": 3, "SUB": 3, "SET": 1}
LAST_OF |= {"WHK": 4, "CUR": 2, "ANA": 5}
CATALOGUE = [f"{group}-{n:02}" for group, last in LAST_OF.items() for n in range(1, last + 1)]
AS_OF = datetime(2026, 12, 1, tzinfo=UTC)
WRITTEN = datetime.fromtimestamp(1_770_000_001, tz=UTC)
TEXT = """-- id: team.check
-- severity: low
-- title: t
-- criterion: c
-- remedy: r
-- population: SELECT count(*) FROM entries
-- parameters: limit_cents INTEGER = 100
-- parameters: reasons TEXT = usage,manual
SELECT account, sk AS key, 'large' AS condition FROM entries
WHERE amount_cents > $limit_cents AND list_contains(string_split($reasons, ','), reason)
"""


def audited(
    folder: Path, items: Iterable[Item], checks: Iterable[Check] | None = None, **given: object
) -> AuditReport:
    """The audit of a capture of these items."""
    capture = write_capture(folder / "items.jsonl", items)
    snapshot = read_captures([capture], folder / "snapshot")
    return audit_snapshot(snapshot, checks=checks, **{"as_of": AS_OF, **given})  # type: ignore[arg-type]


def test_a_parameter_has_its_default_and_can_be_given(tmp_path: Path) -> None:
    """The SQL of a check sees the default, or the value the run gives."""
    check = parse_check(TEXT, "here")
    items = [entry("USER#a", 1, 500)]
    (tmp_path / "given").mkdir()
    assert audited(tmp_path, items, [check]).verdict is Verdict.FINDINGS
    given = audited(tmp_path / "given", items, [check], parameters={"limit_cents": "500"})
    assert given.verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    "given", [{"limit": "5"}, {"limit_cents": "5.0"}, {"limit_cents": ""}, {"settle_window": "x"}]
)
def test_a_parameter_no_check_takes_or_of_another_type_is_refused(given: dict[str, str]) -> None:
    """The message is one line and names the parameter."""
    with pytest.raises(InputError) as error:
        run_values([parse_check(TEXT, "here")], given, AS_OF)
    assert next(iter(given)) in str(error.value)
    assert "\n" not in str(error.value)


def test_only_the_parameters_a_statement_names_are_bound() -> None:
    """The engine refuses more parameters than a statement has."""
    check = parse_check(TEXT, "here")
    values = run_values([check], {"reasons": "gift"}, AS_OF)
    assert bound(check.population, check, values) == {}
    assert bound(check.query, check, values) == {"limit_cents": 100, "reasons": "gift"}


@pytest.mark.parametrize("texts", [["limit"], ["=5"], ["limit=1", "limit=2"]])
def test_a_parameter_on_the_command_line_is_a_name_and_a_value_once(texts: list[str]) -> None:
    """Anything else is refused."""
    with pytest.raises(InputError):
        given_parameters(texts)


@pytest.mark.parametrize(
    "line", ["limit INTEGER", "limit FLOAT = 1.5", "limit INTEGER = many", "as_of INTEGER = 1"]
)
def test_a_header_with_an_unusable_parameter_is_no_check(line: str) -> None:
    """The error says which parameter."""
    with pytest.raises(CheckDefinitionError, match=r"parameter|default"):
        parse_check(TEXT.replace("limit_cents INTEGER = 100", line), "here")


def test_every_builtin_check_is_described_and_named_for_its_catalogue_rule() -> None:
    """Each has its catalogue's id; low and info is noted, high and critical is not."""
    for check in load_checks():
        assert check.catalogue, check.id
        notes = check.severity == "info" or "'noted' AS outcome" in check.query
        assert notes or check.severity not in ("low", "info"), check.id
        assert not notes or check.severity not in ("high", "critical"), check.id


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(60, Outcome.INCONCLUSIVE), (121, Outcome.FAILED)]
)
def test_an_account_written_to_just_now_is_not_failed(
    tmp_path: Path, seconds: int, outcome: Outcome
) -> None:
    """Within the settle window a drift may be a write half done; after it, it is a fault."""
    now = datetime.fromtimestamp(WRITTEN.timestamp() + seconds, tz=UTC)
    items = [entry("USER#a", 1, 500), balance("USER#a"), entry("USER#b", 0, 5), balance("USER#b")]
    report = audited(tmp_path, items, select_checks(load_checks(), "balances.stored*"), as_of=now)
    assert {f.account: f.outcome for f in report.findings}["USER#a"] is outcome


def test_the_settle_window_can_be_set(tmp_path: Path) -> None:
    """A window of zero judges every account."""
    items = [entry("USER#a", 1, 500), balance("USER#a")]
    report = audited(tmp_path, items, as_of=WRITTEN, parameters={"settle_window": "0"})
    assert report.verdict is Verdict.FINDINGS


def test_a_time_in_the_future_does_not_excuse_an_account(tmp_path: Path) -> None:
    """An entry dated a year ahead is a fault itself, and its account is judged."""
    earlier = datetime(2025, 1, 1, tzinfo=UTC)
    report = audited(tmp_path, [entry("USER#a", 1, 500), balance("USER#a")], as_of=earlier)
    assert {(f.check, f.outcome) for f in report.findings} == {
        ("balances.stored_equals_entries", Outcome.FAILED),
        ("times.possible", Outcome.FAILED),
    }


def test_a_malformed_item_is_a_fault_however_new(tmp_path: Path) -> None:
    """One item is written whole or not at all: the settle window excuses nothing about it."""
    items = [entry("USER#a", 1, 500, type="refund"), balance("USER#a")]
    report = audited(tmp_path, items, as_of=WRITTEN)
    assert [(f.check, f.outcome) for f in report.findings] == [
        ("entries.well_formed", Outcome.FAILED)
    ]


def test_observations_leave_the_books_clean(tmp_path: Path) -> None:
    """An old receivable is noted; verdict, exit code and findings know nothing of it."""
    report = audited(tmp_path, [entry("USER#a", 1, 500), balance("USER#a", owed_settled=500)])
    assert [note.check for note in report.observations] == ["analytics.receivables_age"]
    assert (report.findings, report.verdict, report.exit_code) == ((), Verdict.CLEAN, 0)
    [result] = [r for r in report.results if r.id == "analytics.receivables_age"]
    assert (result.outcome, result.reason) == (Outcome.PASSED, "1 noted")


def test_a_check_with_nothing_to_examine_is_skipped_with_its_reason(tmp_path: Path) -> None:
    """The reason is the check's own."""
    report = audited(tmp_path, [balance("USER#a")])
    reasons = {r.id: r.reason for r in report.results if r.outcome is Outcome.SKIPPED}
    assert reasons["webhooks.markers_expire"] == "there is no webhook marker"


def test_the_verb_lists_the_checks_and_shows_one() -> None:
    """`opskit checks` names every check; `show` prints the header and the SQL."""
    listed = CliRunner().invoke(cli, ["checks"]).output
    assert all(check.id in listed for check in load_checks())
    shown = CliRunner().invoke(cli, ["checks", "show", "links.amounts_agree"]).output
    assert shown.startswith("-- id: links.amounts_agree")
    assert "FROM linked_payments" in shown


def test_a_finding_of_an_odd_item_goes_by_its_content(tmp_path: Path) -> None:
    """Blanks and the order of attributes change no finding's id; another value does."""
    odd = {"pk": {"S": "USER#a"}, "sk": {"S": "NOTE#1"}, "text": {"S": "x"}, "n": {"N": "1"}}
    spelled = [
        json.dumps({"Item": odd}),
        json.dumps({"Item": dict(reversed(odd.items()))}, indent=None, separators=(" ,  ", " : ")),
        json.dumps({"Item": odd | {"text": {"S": "y"}}}),
    ]
    checks = [check for check in load_checks() if check.id == "items.classified"]
    ids = []
    for number, line in enumerate(spelled):
        capture = tmp_path / f"{number}.jsonl"
        capture.write_text(line + "\n")
        taken = read_captures([capture], tmp_path / str(number))
        [finding] = audit_snapshot(taken, as_of=AS_OF, checks=checks).findings
        ids.append(finding.id)
    assert ids[0] == ids[1] != ids[2]


def test_every_id_a_report_can_hold_can_be_looked_up(tmp_path: Path) -> None:
    """What is found without SQL is listed too, with its criterion and where it is made."""
    capture = write_capture(tmp_path / "items.jsonl", [entry("USER#a", 1, 500)])
    audit = CliRunner().invoke(cli, ["audit", "--from-items", str(capture), "--json"])
    ids = {check["id"] for check in json.loads(audit.stdout)["checks"]}
    listed = json.loads(CliRunner().invoke(cli, ["checks", "--json"]).stdout)
    assert ids == {check["id"] for check in listed["checks"]}
    shown = CliRunner().invoke(cli, ["checks", "show", "history.unchanged"])
    assert shown.exit_code == 0
    assert "-- severity: critical\n" in shown.stdout
    assert "-- criterion: Every entry of the previous pack is still there" in shown.stdout
    assert "--previous" in shown.stdout
    described = json.loads(
        CliRunner().invoke(cli, ["checks", "show", "history.unchanged", "--json"]).stdout
    )
    assert (described["catalogue"], described["sql"]) == ("STA-04", None)


def test_a_team_cannot_take_the_id_of_a_check_that_is_no_file(tmp_path: Path) -> None:
    """Two results of one id could not be told apart in a report."""
    (tmp_path / "mine.sql").write_text(TEXT.replace("team.check", "history.unchanged"))
    with pytest.raises(CheckDefinitionError, match=r"history\.unchanged already"):
        load_checks(tmp_path)


def test_every_rule_of_the_catalogue_is_a_check_or_said_to_be_none() -> None:
    """The list ends with the rules that are judged elsewhere, or not at all, and why."""
    listed = json.loads(CliRunner().invoke(cli, ["checks", "--json"]).stdout)
    rules = {id_ for check in listed["checks"] for id_ in check["catalogue"].split(", ")}
    others = {rule["catalogue"]: rule["why"] for rule in listed["elsewhere"]}
    assert not rules & others.keys()
    assert rules | others.keys() >= set(CATALOGUE)
    text = CliRunner().invoke(cli, ["checks"]).stdout
    assert all(id_ in text and why for id_, why in others.items())


def test_the_engine_draws_nothing_on_stdout(tmp_path: Path) -> None:
    """A progress bar there would spoil the one JSON document of a long audit."""
    capture = write_capture(tmp_path / "items.jsonl", [balance("USER#a")])
    with open_books(read_captures([capture], tmp_path / "snapshot")) as books:
        row = books.one("SELECT current_setting('enable_progress_bar') AS drawn")
    assert row == {"drawn": False}


@pytest.mark.parametrize(
    "query",
    [
        "WITH x AS (COPY (SELECT 1) TO 'out.csv') SELECT 1",
        "SELECT * FROM read_csv('secrets.csv')",
        "SELECT 1; DROP VIEW entries",
        "DROP VIEW entries",
    ],
)
def test_a_teams_check_can_only_read_the_views(tmp_path: Path, query: str) -> None:
    """A check that would write, or read a file, ends as ERRORED before any of it is run."""
    header = "\n".join(f"-- {name}: x" for name in ("title", "criterion", "remedy"))
    text = f"-- id: team.own\n-- severity: low\n{header}\n-- population: SELECT 1\n{query}\n"
    capture = write_capture(tmp_path / "items.jsonl", [balance("USER#u1")])
    snapshot = read_captures([capture], tmp_path / "snapshot")
    before = sorted(path.name for path in snapshot.path.iterdir())
    check = parse_check(text, "own.sql")
    report = audit_snapshot(snapshot, as_of=datetime(2026, 12, 1, tzinfo=UTC), checks=[check])
    [result] = report.results
    assert result.outcome is Outcome.ERRORED
    assert result.reason.startswith("SQL m")
    assert report.exit_code == 3
    assert sorted(path.name for path in snapshot.path.iterdir()) == before


def test_the_builtin_checks_would_pass_the_guard_that_they_are_spared(tmp_path: Path) -> None:
    """Each of their statements only reads the views, as a team's must."""
    capture = write_capture(tmp_path / "items.jsonl", [entry("USER#a", 1, 500)])
    with open_books(read_captures([capture], tmp_path / "snapshot")) as books:
        for sql in builtin_statements():
            require_harmless(books.db, sql, books.views(), parameters=True)
    assert {check.query for check in load_checks()} <= builtin_statements()


def test_books_held_in_memory_are_judged_as_those_in_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a kind is a table or a view over its files changes nothing in the report."""
    items = sample_books(3, AS_OF, accounts=40).items["billing"]
    snapshot = read_captures([write_capture(tmp_path / "a.jsonl", items)], tmp_path / "snapshot")
    held = report_json(audit_snapshot(snapshot, as_of=AS_OF))
    monkeypatch.setattr(ledger_books, "HELD_IN_MEMORY", 0)
    assert report_json(audit_snapshot(snapshot, as_of=AS_OF)) == held
    assert held["findings"]


def test_entries_of_two_accounts_that_share_all_but_the_account_have_one_order(
    tmp_path: Path,
) -> None:
    """The account decides where time and key are the same, so that an id is the same each run."""
    items = [entry(account, 1, 500, stripe_payment_intent_id="pi_1") for account in _SHARING]
    checks = select_checks(load_checks(), "entries.unique_processor_id")
    for number, given in enumerate((items, items[::-1])):
        folder = tmp_path / str(number)
        folder.mkdir()
        [finding] = audited(folder, given, checks).findings
        assert finding.evidence["accounts"] == _SHARING
        assert finding.account == _SHARING[0]


_SHARING = ["USER#a", "USER#b", "USER#c"]
