"""Evidence packs: whole or not at all, verified offline, chained, and without a name or payload."""

import itertools
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from captures import Item, balance, entry, payment, write_capture
from click.testing import CliRunner, Result

from opskit.audit.history import history_result
from opskit.audit.pack import MANIFEST, SNAPSHOT, PackManifest, write_pack
from opskit.audit.packed import LEFT_OUT, packed_snapshot
from opskit.audit.pseudonyms import Pseudonyms, read_key
from opskit.audit.report import Outcome
from opskit.audit.verify import verify_pack
from opskit.cli import cli
from opskit.errors import CaptureError, InputError, OpskitError
from opskit.read.capture import read_captures
from opskit.read.snapshot import Snapshot, open_snapshot
from opskit.tables.items import KindName

NAMES = ("alice-0001", "bob@mail.example", "5f0c1e3a-7b7e-4c52-9a55-0d9b7c3a2f10", "zed")
SECRETS = ("payer@mail.example", "4242", "Alice's card", "+15551234567", "203.0.113.7")
KEY = b"k" * 32


def texts(**values: str) -> Item:
    """Attributes of text."""
    return {name: {"S": value} for name, value in values.items()}


def revealing(user: str, number: int) -> list[Item]:
    """An account whose id stands in every place an id can stand in, beside its secrets."""
    account = f"USER#{user}"
    credit = entry(
        account,
        number,
        500,
        type="credit",
        reason="charge_once",
        paypal_payment_token_id=f"tok_{user}",
        paypal_order_id=f"O-{number}",
    )
    sk = credit["sk"]["S"]
    credit["meta"] = {
        "M": {
            **texts(idempotency_key=f"charge:{user}:{number}", currency="usd"),
            "event": {"M": {"resource": {"M": texts(custom_id=f"{user}|{sk}", id=f"C{number}")}}},
        }
    }
    paid = payment(account, number, 400, sk) | texts(customer_id=f"cus_{user}")
    method = texts(pk=account, sk=f"PM#{user}", label=SECRETS[2], last4=SECRETS[1], brand="visa")
    return [credit, paid, method, balance(account, payments_settled=400)]


def stray(user: str) -> Item:
    """A webhook that matched nobody, with its whole payload."""
    payload = {
        "M": {
            **texts(
                email=SECRETS[0], phone=SECRETS[3], ip=SECRETS[4], custom_id=f"{user}|LEDGER#1"
            ),
            "event_type": {"S": "PAYMENT.CAPTURE.COMPLETED"},
        }
    }
    key = texts(pk="PAYPAL_WEBHOOK_UNMATCHED", sk="1770000000#ab", eventType="X")
    return key | {"event": payload, "created_at": {"N": "1770000000"}}


def odd(user: str) -> list[Item]:
    """Items that are kept whole because something is wrong with them."""
    broken = balance(f"USER#{user}") | {"owed_settled_cents": {"S": f"nothing of {user}"}}
    strange = texts(pk=f"USER#{user}", sk=f"STRANGE#{user}", email=SECRETS[0])
    return [broken, strange]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what the tests of this module share and do not change."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def capture(folder: Path) -> Path:
    """A capture in which names and secrets stand everywhere."""
    items = [item for n, user in enumerate(NAMES, 1) for item in revealing(user, n)]
    # An id that has no items of its own, but is named by another's webhook.
    items += [stray("ghost-9999"), *odd("mallory-42")]
    return write_capture(folder / "capture.jsonl", items)


@pytest.fixture(scope="module")
def shared_key(folder: Path) -> Path:
    """The key of the shared pack, that only its owner can read."""
    return key_in(folder / "key")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The same key in a file of the test's own."""
    return key_in(tmp_path / "key")


def key_in(path: Path) -> Path:
    """A file with the key."""
    path.write_bytes(KEY)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="module")
def plain(capture: Path, folder: Path) -> Path:
    """A pack under real names; a test that alters one copies it."""
    return packed(capture, folder / "plain")


@pytest.fixture(scope="module")
def renamed(capture: Path, folder: Path, shared_key: Path) -> Path:
    """A pack under pseudonyms."""
    return packed(capture, folder / "renamed", "--pseudonymise", "--pseudonym-key-file", shared_key)


@pytest.fixture
def pack(plain: Path, tmp_path: Path) -> Path:
    """A pack that the test may alter."""
    return Path(shutil.copytree(plain, tmp_path / "pack"))


def run(*arguments: object, environ: Mapping[str, str] | None = None) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(cli, [str(a) for a in arguments], env=dict(environ or {}))


def packed(capture: Path, out: Path, *more: object, code: int = 1) -> Path:
    """An evidence pack of a capture, made by the command line."""
    answer = run("audit", "--from-items", capture, "--as-of", "2026-12-01", "--pack", out, *more)
    assert answer.exit_code == code, answer.output + repr(answer.exception)
    return out


def contents(folder: Path) -> dict[str, str]:
    """Everything a pack holds as text: its files as they are, and its Parquet decoded."""
    held = {}
    for path in folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            held[name] = path.read_bytes().decode("utf-8", "replace")
            if path.suffix == ".parquet":
                held[f"{name} decoded"] = repr(pq.read_table(path).to_pylist())
    return held


def test_a_pack_holds_everything_and_verifies(pack: Path, capture: Path) -> None:
    """Reports, rules, versions, the read and the books are there, and every hash is right."""
    held = {path.name for path in pack.iterdir()}
    assert held == {
        *("findings.csv", "findings.json", "manifest.json", "posting_rules.json"),
        *("report.html", "report.json", "report.txt", "run.json", "snapshot"),
    }
    facts = json.loads((pack / "run.json").read_text())
    assert facts["versions"].keys() >= {"opskit", "python", "duckdb", "pyarrow", "botocore"}
    assert facts["read"]["inputs"].keys() == {"0:capture.jsonl"}
    assert facts["checks"]["balances.stored_equals_entries"]
    assert facts["started"] <= facts["ended"]
    rules = json.loads((pack / "posting_rules.json").read_text())["rules"]
    assert {rule["name"] for rule in rules} >= {"reversed", "adjustment_reinstated"}
    answer = run("verify", pack)
    assert answer.exit_code == 0
    assert "A hash alone proves nothing against whoever can rewrite both" in answer.output


def test_findings_are_canonical(plain: Path, capture: Path, tmp_path: Path) -> None:
    """Two packs of the same books hold the same bytes of findings."""
    one, two = plain, packed(capture, tmp_path / "two")
    text = (one / "findings.json").read_bytes()
    assert text == (two / "findings.json").read_bytes()
    again = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert text.decode("ascii") == again + "\n"


def test_the_packed_books_are_books(pack: Path) -> None:
    """The snapshot in a pack is one, and an audit of it finds the same drift."""
    answer = run("audit", pack / SNAPSHOT, "--as-of", "2026-12-01", "--previous", pack, "--json")
    document = json.loads(answer.stdout)
    drift = [f for f in document["findings"] if f["check"] == "balances.stored_equals_entries"]
    assert len(drift) == len(NAMES)
    assert {f["id"] for f in drift} <= set(document["comparison"]["persisting"])
    assert not document["comparison"]["cleared"]


def test_every_altered_file_is_named(pack: Path) -> None:
    """One byte more in any file, the manifest's own list included, is found and named."""
    names = [*PackManifest.read(pack).files]
    assert len(names) > 10
    for name in names:
        path = pack / name
        before = path.read_bytes()
        path.write_bytes(before + b" ")
        answer = run("verify", pack)
        assert answer.exit_code == 1
        assert f"DIFFERS: {path}: is not the file that was packed" in answer.output
        path.write_bytes(before)
    assert run("verify", pack).exit_code == 0


def test_a_missing_an_added_and_a_linked_file_are_named(pack: Path, tmp_path: Path) -> None:
    """What was taken away, put in or replaced by a link differs."""
    (pack / "report.txt").unlink()
    (pack / "note.txt").write_text("added")
    (pack / "report.html").rename(tmp_path / "elsewhere.html")
    (pack / "report.html").symlink_to(tmp_path / "elsewhere.html")
    differences = verify_pack(pack).differences
    assert {Path(d.split(":")[0]).name for d in differences} == {
        *("report.txt", "note.txt", "report.html")
    }


def test_a_rewritten_manifest_has_another_root(pack: Path) -> None:
    """A hash replaced in the manifest no longer adds up to its root."""
    path = pack / MANIFEST
    document = json.loads(path.read_text())
    document["previous_root"] = "0" * 64
    path.write_text(json.dumps(document))
    answer = run("verify", pack)
    assert answer.exit_code == 1
    assert "manifest.json: the root does not follow" in answer.output


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b'{"kind": "other"}', b"\xff", b'{"files": 3}']
)
def test_what_is_no_pack_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """A folder without a pack's manifest is exit 2 in one line."""
    if content is not None:
        (tmp_path / MANIFEST).write_bytes(content)
    answer = run("verify", tmp_path)
    assert isinstance(answer.exception, CaptureError)
    assert answer.exception.exit_code == 2
    assert "\n" not in str(answer.exception)


def test_packs_chain(plain: Path, capture: Path, tmp_path: Path) -> None:
    """Each pack names the root before it; a pack from elsewhere in the chain is told."""
    first = plain
    second = packed(capture, tmp_path / "second", "--previous", first)
    third = packed(capture, tmp_path / "third", "--previous", second)
    chained = run("verify", third, "--previous", second, "--previous", first)
    assert chained.exit_code == 0
    assert "third names the root of second" in chained.output
    assert "plain is the first of its chain" in chained.output
    assert "to follow it" in run("verify", third).output
    broken = run("verify", third, "--previous", first)
    assert broken.exit_code == 1
    assert "third names" in broken.output


def test_an_altered_previous_pack_is_refused(capture: Path, pack: Path) -> None:
    """A run is never chained to a pack that is not as it was packed."""
    (pack / "report.txt").write_text("rewritten")
    arguments = ("--as-of", "2026-12-01", "--previous", pack)
    answer = run("audit", "--from-items", capture, *arguments)
    assert isinstance(answer.exception, CaptureError)
    assert "report.txt" in str(answer.exception)


def test_a_pack_is_never_written_over(pack: Path, capture: Path) -> None:
    """A folder that is there is refused before anything is read."""
    before = contents(pack)
    answer = run("audit", "--from-items", capture, "--pack", pack)
    assert isinstance(answer.exception, InputError)
    assert contents(pack) == before


def test_a_pack_that_cannot_be_finished_leaves_nothing(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails at any write, neither the pack nor a part of it stays."""
    snapshot = read_captures([capture], tmp_path / "snapshot")
    folder = tmp_path / "packs"
    folder.mkdir()
    for failing in range(1, 6):
        monkeypatch.setattr("os.fsync", full_disk(failing))
        with pytest.raises(InputError, match="No space left on device"):
            write_pack(folder / "pack", {"a": b"1", "b": b"2"}, snapshot)
        assert list(folder.iterdir()) == []


def test_a_document_that_still_names_an_account_is_refused(capture: Path, tmp_path: Path) -> None:
    """Whatever a report comes to hold, a pack under pseudonyms is not made with a name in it."""
    snapshot = read_captures([capture], tmp_path / "snapshot")
    names = Pseudonyms(KEY, NAMES)
    with pytest.raises(OpskitError, match=r"new\.txt still names an account"):
        write_pack(tmp_path / "pack", {"new.txt": b"of alice-0001"}, snapshot, names=names)
    assert not (tmp_path / "pack").exists()


def full_disk(failing: int) -> Callable[[int], None]:
    """A disk that is full at the write of that number."""
    calls = itertools.count(1)

    def sync(descriptor: int) -> None:
        if next(calls) == failing:
            raise OSError(28, "No space left on device")

    return sync


def found_in(folder: Path, *wanted: str) -> dict[str, list[str]]:
    """Each text that occurs in a pack, with the files it occurs in, whatever its case."""
    held = contents(folder)
    return {
        text: [name for name, content in held.items() if text.lower() in content.lower()]
        for text in wanted
        if any(text.lower() in content.lower() for content in held.values())
    }


def test_no_payload_card_or_label_is_in_any_pack(pack: Path) -> None:
    """Also under real names a pack holds no address, number or label of a person."""
    assert found_in(pack, *SECRETS) == {}
    assert LEFT_OUT in contents(pack)["snapshot/unmatched.parquet decoded"]


def test_no_account_id_is_in_a_pseudonymised_pack(plain: Path, renamed: Path) -> None:
    """No file, and no decoded column, holds an id in a key, custom id, token or idempotency key."""
    ids = (*NAMES[:3], "mallory-42")
    assert found_in(plain, *ids).keys() == set(ids)
    assert found_in(renamed, *ids, *SECRETS, "ghost-9999", KEY.decode()) == {}
    alone = re.compile(r"(?<![A-Za-z0-9])zed(?![A-Za-z0-9])")
    assert [name for name, text in contents(renamed).items() if alone.search(text)] == []
    assert run("verify", renamed).exit_code == 0


def test_pseudonyms_keep_what_the_checks_compare(
    capture: Path, plain: Path, renamed: Path, tmp_path: Path, key_file: Path
) -> None:
    """Under pseudonyms as many findings of each check come out, and they persist between runs."""
    options = ("--pseudonymise", "--pseudonym-key-file", key_file)
    second = packed(capture, tmp_path / "second", *options, "--previous", renamed)

    def counts(pack: Path) -> dict[str, int]:
        document = json.loads((pack / "report.json").read_text())
        return {check["id"]: check["findings"] for check in document["checks"]}

    assert counts(plain) == counts(renamed)
    comparison = json.loads((second / "report.json").read_text())["comparison"]
    assert len(comparison["persisting"]) == sum(counts(renamed).values())
    assert not comparison["new"]
    assert run("verify", second, "--previous", renamed).exit_code == 0


def test_pseudonymised_and_plain_runs_are_not_compared(
    capture: Path, plain: Path, renamed: Path, key_file: Path
) -> None:
    """A chain is of one kind and one key; anything else is told in one line."""
    options = ("--pseudonymise", "--pseudonym-key-file", key_file)
    source = ("audit", "--from-items", capture)
    assert "both do the same" in str(run(*source, "--previous", plain, *options).exception)
    assert "both do the same" in str(run(*source, "--previous", renamed).exception)
    key_file.write_bytes(b"another key, as long as it takes to be one")
    # Before anything is read: the books that are named are not even there.
    unread = ("audit", "--from-items", capture.with_name("absent.jsonl"))
    refused = run(*unread, "--previous", renamed, *options).exception
    assert isinstance(refused, InputError)
    assert "made under another key" in str(refused)
    assert refused.exit_code == 2


def test_a_key_is_long_and_private(tmp_path: Path, key_file: Path) -> None:
    """A short key, one that others can read, a missing one and none at all are refused."""
    assert read_key(key_file) == KEY
    key_file.write_bytes(b"k" * 31 + b"\n")
    with pytest.raises(InputError, match="31 bytes"):
        read_key(key_file)
    key_file.write_bytes(KEY)
    key_file.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        read_key(key_file)
    with pytest.raises(InputError, match="No such file"):
        read_key(tmp_path / "absent")
    answer = run("audit", "--from-items", "x", "--pseudonymise")
    assert "OPSKIT_PSEUDONYM_KEY_FILE" in str(answer.exception)


def test_the_key_file_may_come_from_the_environment(
    capture: Path, tmp_path: Path, key_file: Path
) -> None:
    """The variable names the file; no option ever holds the key."""
    arguments = ("--as-of", "2026-12-01", "--pack", tmp_path / "pack", "--pseudonymise")
    environ = {"OPSKIT_PSEUDONYM_KEY_FILE": str(key_file)}
    answer = run("audit", "--from-items", capture, *arguments, environ=environ)
    assert answer.exit_code == 1
    assert found_in(tmp_path / "pack", *NAMES[:3]) == {}
    assert NAMES[0] not in answer.output


def test_ids_are_replaced_wherever_they_stand() -> None:
    """The longest id wins, short ones and numbers need a boundary, and nothing else changes."""
    names = Pseudonyms(KEY, ["user-0001", "user-00012", "ab", "1770000000"])
    long = names.text("USER#user-00012/xuser-0001y")
    assert long == f"USER#{names.of('user-00012')}/x{names.of('user-0001')}y"
    assert names.text("ab cab ab_1") == f"{names.of('ab')} cab {names.of('ab')}_1"
    assert names.text("x1770000000x") == "x1770000000x"
    assert names.text("LEDGER#1770000000#1") == f"LEDGER#{names.of('1770000000')}#1"
    assert names.text("write to a@mail.example") == f"write to {names.hashed('a@mail.example')}"
    assert names.found_in("nothing here") == ""
    assert names.found_in("xxuser-0001") == "user-0001"
    assert Pseudonyms(b"j" * 32, []).of("ab") != names.of("ab")
    assert names.text(names.text("USER#user-0001")) == names.text("USER#user-0001")


def snapshot_of(tmp_path: Path, name: str, items: list[Item]) -> Snapshot:
    """A snapshot of these items."""
    return read_captures([write_capture(tmp_path / f"{name}.jsonl", items)], tmp_path / name)


REWRITES: dict[str, Mapping[str, Item | None]] = {
    "deleted": {},
    "amount_cents": {"amount_cents": {"N": "501"}},
    "type": {"type": {"S": "credit"}},
    "reason": {"reason": {"S": "other"}},
    "ts": {"ts": {"N": "1770000009"}},
    "entry_id": {"entry_id": {"S": "x"}},
    "state": {"state": {"S": "pending"}},
    "stripe_charge_id": {"stripe_charge_id": {"S": "ch_2"}},
}


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_rewritten_entry_is_found(tmp_path: Path, rewrite: str) -> None:
    """An entry that is gone, or differs in anything it may not, is a critical finding."""
    held = [entry("USER#a", 1, 500, stripe_charge_id="ch_1"), entry("USER#a", 2, 700)]
    before = snapshot_of(tmp_path, "before", held)
    changed = {**held[0], **REWRITES[rewrite]}
    now = snapshot_of(tmp_path, "now", [changed, held[1]] if REWRITES[rewrite] else [held[1]])
    result = history_result(before, now)
    [finding] = result.findings
    assert result.outcome is Outcome.FAILED
    assert result.examined == 2
    assert finding.key == held[0]["sk"]["S"]
    assert ("is gone" if rewrite == "deleted" else rewrite) in finding.condition


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("pending", "settled", True),
        ("pending", "reversed", True),
        ("settled", "reversed", True),
        ("settled", "pending", False),
        ("reversed", "settled", False),
        ("reversed", "pending", False),
    ],
)
def test_state_moves_one_way(tmp_path: Path, old: str, new: str, *, allowed: bool) -> None:
    """Only the three moves of the life of an entry are no rewriting."""
    before = snapshot_of(tmp_path, "before", [entry("USER#a", 1, 500, state=old)])
    now = snapshot_of(tmp_path, "now", [entry("USER#a", 1, 500, state=new)])
    outcome = history_result(before, now).outcome
    assert outcome is (Outcome.PASSED if allowed else Outcome.FAILED)


def test_an_entry_may_gain_an_id_and_others_may_come(tmp_path: Path) -> None:
    """A processor's id that arrives later, and new entries, are no rewriting; all gone is."""
    before = snapshot_of(tmp_path, "before", [entry("USER#a", 1, 500)])
    more = [entry("USER#a", 1, 500, stripe_charge_id="ch_1"), entry("USER#a", 2, 700)]
    assert history_result(before, snapshot_of(tmp_path, "now", more)).outcome is Outcome.PASSED
    empty = snapshot_of(tmp_path, "empty", [balance("USER#a")])
    assert len(history_result(before, empty).findings) == 1


def test_history_through_packs(tmp_path: Path) -> None:
    """The next run over a pack tells which entry was rewritten; without a pack it is skipped."""
    held = [entry("USER#a", 1, 500), balance("USER#a", owed_settled=500)]
    first = write_capture(tmp_path / "first.jsonl", held)
    pack = packed(first, tmp_path / "pack", code=0)
    held[0]["amount_cents"] = {"N": "900"}
    second = write_capture(tmp_path / "second.jsonl", held)
    source = ("audit", "--from-items", second, "--as-of", "2026-12-01", "--json")
    found = json.loads(run(*source, "--previous", pack).stdout)
    [rewritten] = [f for f in found["findings"] if f["check"] == "history.unchanged"]
    assert rewritten["severity"] == "critical"
    assert rewritten["evidence"] == {"before": {"amount_cents": 500}, "now": {"amount_cents": 900}}
    alone = {c["id"]: c for c in json.loads(run(*source).stdout)["checks"]}["history.unchanged"]
    assert (alone["outcome"], "--previous" in alone["reason"]) == ("skipped", True)
    by_json = json.loads(run(*source, "--previous", pack / "report.json").stdout)
    assert {c["id"]: c["outcome"] for c in by_json["checks"]}["history.unchanged"] == "skipped"


@pytest.mark.parametrize("pattern", ["history.unchanged", "history.*"])
def test_history_can_be_asked_for_alone(pattern: str, tmp_path: Path) -> None:
    """With a pack it is the one check that runs; without one it is refused, naming the option."""
    held = [entry("USER#a", 1, 500), balance("USER#a", owed_settled=400)]
    first = write_capture(tmp_path / "first.jsonl", held)
    pack = packed(first, tmp_path / "pack")
    held[0]["amount_cents"] = {"N": "900"}
    second = write_capture(tmp_path / "second.jsonl", held)
    for capture, code, outcome in ((first, 0, "passed"), (second, 1, "failed")):
        source = ("audit", "--from-items", capture, "--as-of", "2026-12-01", "--check", pattern)
        answer = run(*source, "--previous", pack, "--json")
        checks = json.loads(answer.stdout)["checks"]
        assert [(c["id"], c["outcome"]) for c in checks] == [("history.unchanged", outcome)]
        assert answer.exit_code == code
        for lacking in ((), ("--previous", pack / "report.json")):
            refused = run(*source, *lacking).exception
            assert isinstance(refused, InputError)
            assert "needs --previous PACK" in str(refused)


def test_packs_of_different_tables_are_not_compared(tmp_path: Path) -> None:
    """A table that was made anew, or another, has no history in this pack."""
    one = snapshot_of(tmp_path, "one", [entry("USER#a", 1, 500)])
    sources = [replace(one.manifest.source, table_id=table_id) for table_id in ("t1", "t2")]
    first, second = (replace(one, manifest=replace(one.manifest, source=s)) for s in sources)
    with pytest.raises(InputError, match="of table"):
        history_result(first, second)


def test_copies_of_a_key_stay_apart_in_a_pack(tmp_path: Path) -> None:
    """Two copies that differ only in what a pack leaves out are two items there as well."""
    key = {"pk": {"S": "USER#a"}, "sk": {"S": "PM#pm_1"}, "payment_method_id": {"S": "pm_1"}}
    read = snapshot_of(tmp_path, "read", [key | texts(label=label) for label in ("one", "two")])
    assert read.rows(KindName.UNCLASSIFIED) == 2
    kept = packed_snapshot(read, tmp_path / "kept", None)
    assert kept.rows(KindName.UNCLASSIFIED) == 2
    assert kept.manifest.items == read.manifest.items == 2
    assert (kept.manifest.verdict, kept.manifest.repeated) == (read.manifest.verdict, 0)


def test_a_snapshot_in_a_pack_opens(pack: Path) -> None:
    """The packed snapshot's own manifest agrees with its files and keeps when it was read."""
    snapshot = open_snapshot(pack / SNAPSHOT)
    assert snapshot.manifest.items == 4 * len(NAMES) + 3
    assert datetime.fromisoformat(snapshot.manifest.started) <= datetime.now(UTC)
