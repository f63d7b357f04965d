"""Keyed pseudonyms of accounts, and texts in which every account id is replaced by its own."""

import hashlib
import hmac
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from opskit.audit.report import AuditReport, CheckResult, Explanation, Finding
from opskit.errors import InputError
from opskit.read.snapshot import Snapshot
from opskit.tables.items import SERVICE_PARTITIONS, USER_PREFIX, KindName

KEY_FILE_VARIABLE = "OPSKIT_PSEUDONYM_KEY_FILE"
KEY_BYTES = 32
PREFIX = "p_"

HASHED = frozenset({"idempotency_key", "customer_id", "stripe_customer_id"})
"""What names a person or is made of an account's id: replaced whole, equal values staying equal."""

_LONG = 6
_EMAIL = re.compile(r"[^\s@\"'<>|#,;:]{1,64}@[^\s@\"'<>|#,;:]{1,255}\.[A-Za-z]{2,24}")


def read_key(path: Path) -> bytes:
    """The key in a file; InputError when it cannot be read, is short, or others may read it."""
    try:
        mode = path.stat().st_mode
        key = path.read_bytes().strip()
    except OSError as error:
        message = f"{path}: {error.strerror}; {KEY_FILE_VARIABLE} names the file with the key"
        raise InputError(message) from None
    if mode & 0o077:
        raise InputError(f"{path} can be read by others; chmod 600 it, since it undoes pseudonyms")
    if len(key) < KEY_BYTES:
        message = f"{path} holds {len(key)} bytes, a key has {KEY_BYTES} or more"
        raise InputError(f"{message}; make one with: openssl rand -hex 32")
    return key


class Pseudonyms:
    """Stand-ins for account ids that only the key's owner can connect to them.

    An id of six characters or more is replaced wherever it occurs; a shorter one, or one of digits
    only, where it stands alone between characters that are neither letters nor digits.
    """

    def __init__(self, key: bytes, ids: Iterable[str]) -> None:
        self._key = key
        self._long: dict[str, list[str]] = defaultdict(list)
        self._short: set[str] = set()
        for id_ in set(ids) - {""}:
            if len(id_) >= _LONG and not id_.isdigit():
                self._long[id_[:_LONG]].append(id_)
            else:
                self._short.add(id_)
        for same_start in self._long.values():
            same_start.sort(key=len, reverse=True)
        longest_first = sorted(self._short, key=len, reverse=True)
        alone = "|".join(map(re.escape, longest_first)) or "(?!)"
        self._alone = re.compile(f"(?<![A-Za-z0-9])(?:{alone})(?![A-Za-z0-9])")

    @property
    def key_id(self) -> str:
        """What tells two keys apart and gives neither away."""
        return self._digest("key", "")[:16]

    def _digest(self, what: str, value: str) -> str:
        return hmac.new(self._key, f"{what}\0{value}".encode(), hashlib.sha256).hexdigest()

    def of(self, id_: str) -> str:
        """The pseudonym of a user id."""
        return PREFIX + self._digest("account", id_)[:32]

    def hashed(self, value: str) -> str:
        """The stand-in of a value that is replaced whole."""
        return PREFIX + self._digest("value", value)[:32]

    def found_in(self, text: str) -> str:
        """The first long account id that occurs in a text, "" when none does.

        A short one could be a word of the report's own.
        """
        for at in range(len(text) - _LONG + 1):
            for id_ in self._long.get(text[at : at + _LONG], ()):
                if text.startswith(id_, at):
                    return id_
        return ""

    def text(self, text: str) -> str:
        """The text with every account id and address replaced."""
        replaced = self._alone.sub(lambda found: self.of(found[0]), self._without_long(text))
        if "@" not in replaced:
            return replaced
        return _EMAIL.sub(lambda found: self.hashed(found[0]), replaced)

    def _without_long(self, text: str) -> str:
        pieces = []
        done = at = 0
        while at <= len(text) - _LONG:
            known = self._long.get(text[at : at + _LONG], ())
            id_ = next((one for one in known if text.startswith(one, at)), None)
            if id_ is None:
                at += 1
                continue
            pieces += [text[done:at], self.of(id_)]
            done = at = at + len(id_)
        return "".join((*pieces, text[done:]))

    def value(self, name: str, value: object) -> object:
        """A value of that name, at any depth, with every account id in it replaced."""
        if isinstance(value, str):
            if name in HASHED:
                return self.hashed(value)
            return self.custom_id(value) if "|" in value else self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(n)): self.value(str(n), held) for n, held in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(name, held) for held in value]
        return value

    def custom_id(self, text: str) -> str:
        """A processor's custom id, `<user id>|<ledger sk>`: also of a user who has no items."""
        user, bar, sk = text.partition("|")
        if not bar or not sk.startswith("LEDGER#"):
            return self.text(text)
        return f"{self.of(user)}|{self.text(sk)}"


def pseudonyms_for(snapshot: Snapshot, key: bytes) -> Pseudonyms:
    """The pseudonyms of every account that has an item in the snapshot."""
    ids: set[str] = set()
    with duckdb.connect() as db:
        db.execute("SET enable_progress_bar = false")
        for kind in KindName:
            paths = [str(path) for path in snapshot.files(kind)]
            if not paths:
                continue
            query = "SELECT DISTINCT account FROM read_parquet(?) WHERE account IS NOT NULL"
            accounts = {str(account) for (account,) in db.execute(query, [paths]).fetchall()}
            ids |= {a.removeprefix(USER_PREFIX) for a in accounts - SERVICE_PARTITIONS}
    return Pseudonyms(key, ids)


def pseudonymous(report: AuditReport, names: Pseudonyms) -> AuditReport:
    """The report about pseudonyms; its findings' ids are those of the pseudonyms, too."""
    return replace(
        report,
        source=names.text(report.source),
        results=tuple(_result(result, names) for result in report.results),
        unjudged=tuple(sorted(names.text(account) for account in report.unjudged)),
        remarks=tuple(names.text(remark) for remark in report.remarks),
        snapshot=None,
    )


def _result(result: CheckResult, names: Pseudonyms) -> CheckResult:
    findings = tuple(_finding(finding, names) for finding in result.findings)
    ordered = tuple(sorted(findings, key=lambda f: (f.account, f.key, f.condition)))
    seen = tuple(_finding(finding, names) for finding in result.observations)
    reason = names.text(result.reason)
    return replace(result, findings=ordered, observations=seen, reason=reason)


def _finding(finding: Finding, names: Pseudonyms) -> Finding:
    evidence = names.value("", finding.evidence)
    assert isinstance(evidence, dict)
    return replace(
        finding,
        account=names.text(finding.account),
        key=names.text(finding.key),
        condition=names.text(finding.condition),
        evidence=evidence,
        explanation=_explanation(finding.explanation, names),
        rereads=tuple(replace(r, account=names.text(r.account)) for r in finding.rereads),
    )


def _explanation(explanation: Explanation | None, names: Pseudonyms) -> Explanation | None:
    if explanation is None:
        return None
    candidates = tuple(tuple(map(names.text, keys)) for keys in explanation.candidates)
    return replace(explanation, candidates=candidates, text=names.text(explanation.text))
