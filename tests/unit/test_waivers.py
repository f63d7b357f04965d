"""Waivers and comparisons: what is answered for, and what changed since an earlier run."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from captures import Item, balance, entry, write_capture
from click.testing import CliRunner, Result
from report_samples import drift, report, result

from opskit.audit.compare import compared, read_earlier
from opskit.audit.report import AuditReport, Outcome, Verdict, decided_again
from opskit.audit.waivers import read_waivers, waived
from opskit.cli import cli
from opskit.errors import InputError
from opskit.present import json_text, report_html, report_json, report_text

CHECK = "balances.stored_equals_entries"


def one_waiver(id_: str, day: str = "2027-01-31", /, **changes: str) -> str:
    """The TOML of one waiver; a change of "" leaves the field out."""
    fields = {
        "finding": f'"{id_}"',
        "reason": '"known, see the incident report"',
        "owner": '"finance"',
        "expires": day,
        **changes,
    }
    return "[[waiver]]\n" + "".join(f"{name} = {v}\n" for name, v in fields.items() if v)


def waivers_file(tmp_path: Path, *waivers: str) -> Path:
    """A file of waivers."""
    path = tmp_path / "waivers.toml"
    path.write_text("\n".join(waivers))
    return path


def drifting(*accounts: str, amount: int = 100) -> AuditReport:
    """A report in which these accounts drift."""
    found = [drift(account, {"owed_settled": amount}) for account in accounts]
    passed = Outcome.FAILED if found else Outcome.PASSED
    return report(result(CHECK, *found, outcome=passed))


def test_a_waived_finding_is_shown_and_does_not_set_the_verdict(tmp_path: Path) -> None:
    """One of two faults waived: the other still fails; both waived: clean, and both are shown."""
    found = drifting("USER#a", "USER#b")
    first, second = found.findings
    one = waived(found, read_waivers(waivers_file(tmp_path, one_waiver(first.id))))
    assert [f.outcome for f in one.findings] == [Outcome.WAIVED, Outcome.FAILED]
    assert (one.verdict, one.exit_code) == (Verdict.FINDINGS, 1)
    both = waived(
        found, read_waivers(waivers_file(tmp_path, one_waiver(first.id), one_waiver(second.id)))
    )
    assert (both.verdict, both.exit_code) == (Verdict.CLEAN, 0)
    assert both.results[0].outcome is Outcome.WAIVED
    assert both.remarks == ()
    text = report_text(both)
    assert "2 of them waived" in text
    assert "waived until 2027-01-31 by finance: known, see the incident report" in " ".join(
        text.split()
    )


def test_an_expired_waiver_waives_nothing_and_is_reported(tmp_path: Path) -> None:
    """On its last day a waiver is over, and the report says that the fault is there still."""
    found = drifting("USER#a")
    [finding] = found.findings
    day = found.as_of.date().isoformat()
    answer = waived(found, read_waivers(waivers_file(tmp_path, one_waiver(finding.id, day))))
    assert answer.findings[0].outcome is Outcome.FAILED
    assert answer.remarks[0].endswith(f"expired on {day}; the fault is there still.")
    assert "expired on" in report_html(answer)


def test_a_changed_item_voids_its_waiver(tmp_path: Path) -> None:
    """Drift of another amount is another finding: it fails, and the waiver is said to be void."""
    [finding] = drifting("USER#a").findings
    waivers = read_waivers(waivers_file(tmp_path, one_waiver(finding.id)))
    answer = waived(drifting("USER#a", amount=101), waivers)
    assert answer.findings[0].outcome is Outcome.FAILED
    assert "makes the waiver void" in answer.remarks[0]


def test_what_is_not_decided_stays_so(tmp_path: Path) -> None:
    """A waiver covers faults only, and accounts that could not be judged keep the check open."""
    undecided = drift("USER#a", {"owed_settled": 1}, outcome=Outcome.INCONCLUSIVE)
    found = report(result(CHECK, undecided, outcome=Outcome.INCONCLUSIVE))
    answer = waived(found, read_waivers(waivers_file(tmp_path, one_waiver(undecided.id))))
    assert answer.verdict is Verdict.INCONCLUSIVE
    failed = drifting("USER#a").results[0]
    partly = replace(failed, reason="3 accounts could not be judged")
    answered = replace(failed.findings[0], outcome=Outcome.WAIVED)
    assert decided_again(partly, (answered,)).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("waiver = 3", "waiver"),
        ("waivers = []", "waivers"),
        ("[[waiver]\n", "is not TOML"),
        ("waiver = [3]", "waiver 1"),
        (one_waiver("0" * 15), "finding"),
        (one_waiver("0" * 16, finding=""), "finding is missing"),
        (one_waiver("0" * 16, owner=""), "owner is missing"),
        (one_waiver("0" * 16, reason='" "'), "reason is missing"),
        (one_waiver("0" * 16, expires=""), "expires is missing"),
        (one_waiver("0" * 16, expires='"2027-01-31"'), "expires is missing or not a date"),
        (one_waiver("0" * 16, expires="2027-01-31T00:00:00Z"), "expires"),
        (one_waiver("0" * 16, until="2027-01-31"), "until is unknown"),
        (one_waiver("0" * 16) * 2, "waived twice"),
    ],
)
def test_a_malformed_file_is_one_line_that_names_the_field(
    tmp_path: Path, text: str, named: str
) -> None:
    """Nothing is waived by a file that is not understood whole."""
    with pytest.raises(InputError) as raised:
        read_waivers(waivers_file(tmp_path, text))
    assert named in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """An absent file is exit 2, not a run without waivers."""
    with pytest.raises(InputError, match="No such file"):
        read_waivers(tmp_path / "absent.toml")


def run(*arguments: object) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def test_the_command_line_waives_and_compares(tmp_path: Path) -> None:
    """With its only fault waived an audit is exit 0; compared, the next drift is a changed one."""
    items: list[Item] = [entry("USER#a", 1, 500), balance("USER#a", owed_settled=400)]
    source = ("--from-items", write_capture(tmp_path / "c.jsonl", items), "--as-of", "2026-12-01")
    selected = ("--check", "balances.*")
    first = run("audit", *source, *selected, "--json")
    (tmp_path / "first.json").write_text(first.stdout)
    [finding] = json.loads(first.stdout)["findings"]
    waivers = waivers_file(tmp_path, one_waiver(finding["id"]))
    assert run("audit", *source, *selected, "--waivers", waivers).exit_code == 0
    items[1] = balance("USER#a", owed_settled=300)
    write_capture(tmp_path / "c.jsonl", items)
    again = ("--waivers", waivers, "--previous", tmp_path / "first.json", "--json")
    second = run("audit", *source, *selected, *again)
    document = json.loads(second.stdout)
    assert second.exit_code == 1
    assert len(document["comparison"]["changed"]) == 1
    assert "makes the waiver void" in document["remarks"][0]


def earlier_run(tmp_path: Path, of: AuditReport) -> Path:
    """A report's JSON on disk."""
    path = tmp_path / "report.json"
    path.write_text(json_text(report_json(of)))
    return path


def test_findings_are_new_persisting_changed_and_cleared(tmp_path: Path) -> None:
    """Each finding of either run is in exactly one of the lists."""
    earlier = read_earlier(earlier_run(tmp_path, drifting("USER#a", "USER#b", "USER#c")))
    same = drift("USER#a", {"owed_settled": 100})
    other = drift("USER#b", {"owed_settled": 7})
    fresh = drift("USER#d", {"owed_settled": 1})
    now = report(result(CHECK, same, other, fresh))
    comparison = compared(now, earlier)
    assert comparison.persisting == (same.id,)
    assert comparison.changed == (other.id,)
    assert comparison.new == (fresh.id,)
    assert [found.account for found in comparison.cleared] == ["USER#c"]
    assert comparison.unexamined == ()


def test_what_was_not_looked_for_is_not_cleared(tmp_path: Path) -> None:
    """A check that did not run, or an account that could not be judged, clears nothing."""
    earlier = read_earlier(earlier_run(tmp_path, drifting("USER#a", "USER#c")))
    skipped = report(result(CHECK, outcome=Outcome.SKIPPED, reason="nothing"))
    assert len(compared(skipped, earlier).unexamined) == 2
    assert len(compared(report(), earlier).unexamined) == 2
    unjudged = report(result(CHECK, outcome=Outcome.PASSED), unjudged=("USER#c",))
    comparison = compared(unjudged, earlier)
    assert [found.account for found in comparison.cleared] == ["USER#a"]
    assert [found.account for found in comparison.unexamined] == ["USER#c"]


def test_what_was_not_looked_for_is_counted_in_one_line(tmp_path: Path) -> None:
    """A narrowed run says how much it left alone and why; only the JSON lists it."""
    earlier_report = replace(
        drifting("USER#a", "USER#c"),
        results=(
            *drifting("USER#a", "USER#c").results,
            result("links.one", *(drift(f"USER#{n}", {}, check="links.one") for n in range(9))),
            result("links.two", drift("USER#z", {}, check="links.two")),
        ),
    )
    earlier = read_earlier(earlier_run(tmp_path, earlier_report))
    narrowed = report(result(CHECK, outcome=Outcome.PASSED), unjudged=("USER#c",))
    shown = replace(narrowed, comparison=compared(narrowed, earlier))
    said = (
        "Not looked for: 10 findings of 2 checks that did not run to their end, 1 finding of "
        "accounts that could not be judged. They are not cleared; the JSON lists them."
    )
    text = report_text(shown)
    assert said in " ".join(text.split())
    assert said in report_html(shown)
    assert "links.one" not in text
    assert "links.one" not in report_html(shown)
    assert "cleared 1, not looked for 11" in text
    assert len(report_json(shown)["comparison"]["unexamined"]) == 11


def test_what_was_transient_is_neither_new_nor_persisting(tmp_path: Path) -> None:
    """A finding that was gone on a second read is no fault of either run."""
    gone = drift("USER#a", {"owed_settled": 100}, outcome=Outcome.TRANSIENT)
    transient = report(result(CHECK, gone, outcome=Outcome.TRANSIENT))
    earlier = read_earlier(earlier_run(tmp_path, transient))
    assert compared(drifting("USER#a"), earlier).new
    there = read_earlier(earlier_run(tmp_path, drifting("USER#a")))
    assert [found.id for found in compared(transient, there).cleared] == [gone.id]
    assert transient.verdict is Verdict.CLEAN


def test_a_comparison_is_in_every_rendering(tmp_path: Path) -> None:
    """Text, JSON and page tell the counts and name what was cleared, as text."""
    hostile = "USER#<script>alert(1)</script>\x1b[31m"
    earlier = read_earlier(earlier_run(tmp_path, drifting(hostile)))
    now = drifting("USER#new")
    shown = replace(now, comparison=compared(now, earlier), remarks=("A remark.",))
    text, page, document = report_text(shown), report_html(shown), report_json(shown)
    assert "new 1, changed 0, persisting 0, cleared 1, not looked for 0" in text
    assert "\x1b" not in text
    assert "<script>" not in page
    assert "Since the earlier run" in page
    assert "A remark." in text
    assert "A remark." in page
    assert json.loads(json_text(document))["comparison"]["cleared"][0]["account"] == hostile
    assert document["remarks"] == ["A remark."]


@pytest.mark.parametrize("content", ["", "[]", '{"findings": 3}', '{"as_of": "x"}', "\ud800"])
def test_what_is_no_report_is_refused(tmp_path: Path, content: str) -> None:
    """Anything but a report's JSON is one line that names the file."""
    path = tmp_path / "no-report.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"no-report\.json is no report of an audit"):
        read_earlier(path)


def test_a_reread_is_shown_and_no_part_of_the_id() -> None:
    """Evidence of two reads stands in every rendering, and does not make another finding."""
    from opskit.audit.report import Reread

    [finding] = drifting("USER#a").findings
    read = Reread("USER#a", datetime(2026, 12, 1, tzinfo=UTC), "ab" * 32, 3)
    confirmed = replace(finding, rereads=(read, read))
    assert confirmed.id == finding.id
    shown = report(result(CHECK, confirmed))
    assert "sha256 abababababababab" in report_text(shown)
    assert "abababababababab" in report_html(shown)
    [told] = json.loads(json_text(report_json(shown)))["findings"]
    assert told["rereads"][0]["fingerprint"] == "ab" * 32
