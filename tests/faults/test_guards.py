"""The tests of the tests: without any one guard, the fault matrix turns red.

Guards overlap on purpose. Where one stands behind another, the other is taken away first, and the
matrix must stay green on the one that is left.
"""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore import endpoint
from botocore.exceptions import ClientError

from opskit.aws import dynamodb_client, integrity
from opskit.errors import CorruptResponseError
from opskit.read import pages, query, scan, snapshot
from opskit.read.manifest import ReadVerdict
from tests.faults import catalogue
from tests.faults.calls import Way
from tests.faults.catalogue import FAULTS, Ends, Fault
from tests.faults.model import TABLE, Reply, Request, error_reply, reply_of
from tests.faults.runs import model_of, run
from tests.faults.seam import NOWHERE, Seam

Remove = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def seam() -> Seam:
    """One client of the product for all runs."""
    return Seam()


def without(*names: str) -> Remove:
    """Take guards of replies away."""

    def remove(patch: pytest.MonkeyPatch) -> None:
        kept = tuple(guard for guard in integrity.GUARDS if guard.__name__ not in names)
        assert len(kept) == len(integrity.GUARDS) - len(names)
        patch.setattr(integrity, "GUARDS", kept)

    return remove


def _uncounted(patch: pytest.MonkeyPatch) -> None:
    """Take the count of a raw page's items away, by counting what came."""
    sound = pages._page

    def page(answer: dict[str, Any], layout: Any) -> Any:
        batches = pages.decode_items(answer["Items"].array, layout)
        return sound({**answer, "Count": sum(b.num_rows for b in batches.values())}, layout)

    patch.setattr(pages, "_page", page)


def _unmarked(patch: pytest.MonkeyPatch) -> None:
    """Take the look for loops away: no two keys are the same."""
    numbers = count()
    patch.setattr(pages, "_mark", lambda _: next(numbers))


def _unsettled(patch: pytest.MonkeyPatch) -> None:
    """Leave repeated keys as they are."""
    patch.setattr(snapshot, "settle_repeats", lambda _: 0)


def _same_anyway(patch: pytest.MonkeyPatch) -> None:
    """Take the comparison of the table's identity away."""
    for module in (scan, query):
        patch.setattr(module, "require_same", lambda *_: None)


def _patient(patch: pytest.MonkeyPatch) -> None:
    """Ask no page again."""
    patch.setattr(pages.Patience, "persist", lambda _, attempt, **__: attempt())


REMOVALS: dict[str, tuple[Remove, str]] = {
    "checksum": (without("checksum_fault"), "bit flip, always"),
    "length": (without("length_fault"), "body cut after the JSON, no CRC, always"),
    "items": (without("items_fault", "counts_fault"), "empty object, always"),
    "counts": (without("counts_fault"), "Count below ScannedCount, always"),
    "count of raw items": (_uncounted, "fewer items than Count, always"),
    "loops": (_unmarked, "key repeats"),
    "repeats": (_unsettled, "item served twice"),
    "differing repeats": (_unsettled, "item served differing"),
    "retries": (_patient, "500"),
}


def fault_named(name: str) -> Fault:
    """A fault of the catalogue."""
    return next(fault for fault in FAULTS if fault.name == name)


@pytest.mark.parametrize("way", [Way.SERIAL, Way.QUERY])
@pytest.mark.parametrize("guard", REMOVALS)
def test_without_a_guard(
    guard: str, way: Way, seam: Seam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The matrix is green with the guard, and red without it."""
    remove, name = REMOVALS[guard]
    fault = fault_named(name)
    assert not run(seam, 8, fault, way, tmp_path).wrong
    remove(monkeypatch)
    if guard == "loops":
        _bounded(seam, monkeypatch)
    outcome = run(seam, 8, fault, way, tmp_path)
    assert outcome.wrong, str(outcome)


def _bounded(seam: Seam, patch: pytest.MonkeyPatch) -> None:
    """End a read that would go on for ever, as a mistake of the read."""
    asked = count()

    def scan_bounded(client: Any) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            if next(asked) > 500:
                raise TimeoutError("the read goes round for ever")
            return client(**request)

        return call

    patch.setattr(seam.client, "scan", scan_bounded(seam.client.scan))
    patch.setattr(seam.client, "query", scan_bounded(seam.client.query))


def test_without_identity(seam: Seam, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the comparison of identities, two tables are read as one and called COMPLETE."""
    _same_anyway(monkeypatch)
    model, other = model_of(2), model_of(3)
    other.table_id = "2" * 36
    asked = count()

    def answer(operation: str, request: Request) -> Reply:
        return (model if next(asked) < 4 else other).answer(operation, request)

    seam.answer = answer
    taken = scan.snapshot_table(seam.client, TABLE, tmp_path / "s")
    assert taken.manifest.verdict is ReadVerdict.COMPLETE


def _get(client: Any) -> Any:
    return client.get_item(TableName=TABLE, Key={"pk": {"S": "USER#0"}, "sk": {"S": "BALANCE"}})


def _batch(client: Any) -> Any:
    return client.batch_get_item(RequestItems={TABLE: {"Keys": [{"pk": {"S": "a"}}]}})


def _scan(client: Any) -> Any:
    return client.scan(TableName=TABLE)


def _flipped(request: Request) -> Reply:
    reply = model_of(1).answer("Scan", request)
    return Reply(200, reply.headers, reply.body + b" ")


OTHERS: dict[str, tuple[Callable[[Any], Any], Callable[[Request], Reply], tuple[str, ...]]] = {
    "body": (_get, lambda _: reply_of(b"<html>"), ("body_fault",)),
    "members": (_batch, lambda _: reply_of(b"{}"), ("members_fault",)),
    "gave up": (_scan, _flipped, ("checksum_fault", "length_fault", "gave_up_fault")),
}
"""Guards that other operations than a raw page need; the last stands behind those before it."""


@pytest.fixture
def retrying() -> Seam:
    """A client that retries by itself and parses pages, as all but reading uses."""
    seam = Seam()
    seam.client = dynamodb_client(NOWHERE, attempts=2)
    seam.client.meta.events.register("before-send.dynamodb", seam._send)
    return seam


@pytest.mark.parametrize("guard", OTHERS)
def test_without_a_guard_elsewhere(
    guard: str, retrying: Seam, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last guard that is left refuses the reply; without it garbage passes for an answer."""
    ask, make, names = OTHERS[guard]
    if guard == "gave up":
        _spend_quota(retrying, monkeypatch)
    retrying.answer = lambda _, request: make(request)
    without(*names[:-1])(monkeypatch)
    with pytest.raises(CorruptResponseError):
        ask(retrying.client)
    monkeypatch.undo()
    without(*names)(monkeypatch)
    assert ask(retrying.client)["ResponseMetadata"]["HTTPStatusCode"] == 200


def _spend_quota(seam: Seam, patch: pytest.MonkeyPatch) -> None:
    """Use up what the SDK's standard mode allows a client to retry."""
    seam.answer = lambda *_: error_reply("InternalServerError", 500)
    with patch.context() as unhurried:
        unhurried.setattr(endpoint.time, "sleep", lambda _: None)
        for _ in range(60):
            with pytest.raises(ClientError) as caught:
                _scan(seam.client)
    assert caught.value.response["ResponseMetadata"]["RetryQuotaReached"]


def test_every_guard_is_removed() -> None:
    """No guard of replies is left out here."""
    removed = {"checksum", "length", "items", "counts", "body", "members", "gave up"}
    assert removed <= {*REMOVALS, *OTHERS}
    assert len(integrity.GUARDS) == len(removed)
    assert {fault.ends for fault in catalogue.FAULTS} == set(Ends)
