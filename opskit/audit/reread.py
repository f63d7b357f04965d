"""One account of a live table read again, whole: what it came to, and when it was last written."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from opskit.audit.report import Reread
from opskit.errors import AccessError, ReadError
from opskit.read.patience import Patience
from opskit.read.query import account_pages
from opskit.read.schema import Batches
from opskit.read.table import table_identity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TIMES = ("ts", "updated_at", "created_at")
"""The attributes that say when an item was written."""

Pages = tuple[Batches, ...]
"""All pages of a partition, decoded."""

ReadAccount = Callable[[str], Pages]
"""Reads an account's whole partition, strongly consistent."""

Say = Callable[[str], None]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Stillness:
    """How long an account must lie still, and how often it is looked at before giving up.

    `window` is in seconds; `sleep` and `clock` are the time's own unless a test hands in others.
    """

    window: int
    sleep: Callable[[float], None]
    clock: Callable[[], datetime] = _now
    rounds: int = 4
    workers: int = 8


@dataclass(slots=True)
class Rereads:
    """What reading accounts again gave.

    `stable` accounts were equal in two reads a window apart without a write between; the others
    kept `moving`, or could not be read, and `troubles` says why. `pages` are each account's latest.
    """

    stable: dict[str, tuple[Reread, Reread]] = field(default_factory=dict)
    moving: dict[str, tuple[Reread, ...]] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    pages: dict[str, Pages] = field(default_factory=dict)
    interrupted: bool = False


def account_reader(
    client: "DynamoDBClient", table_name: str, patience: Patience | None = None
) -> ReadAccount:
    """A reader of the accounts of a billing table, by partition key value as stored."""
    table = table_identity(client, table_name)

    def read(account: str) -> Pages:
        return tuple(page.batches for page in account_pages(client, table, account, patience))

    return read


def fingerprint(pages: Pages) -> str:
    """The SHA-256 of everything opskit keeps of a partition's items, whatever their order."""
    return fingerprints(pages, lambda _: "").get("", _digest([]))


def fingerprints(pages: Iterable[Batches], of: Callable[[str], str] = str) -> dict[str, str]:
    """The fingerprint of each account that has items on these pages; `of` may join accounts."""
    lines: dict[str, list[str]] = defaultdict(list)
    for batches in pages:
        for kind, batch in batches.items():
            for row in batch.to_pylist():
                line = json.dumps([kind.value, _canonical(row)], sort_keys=True, default=str)
                lines[of(str(row["account"]))].append(line)
    return {account: _digest(found) for account, found in lines.items()}


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _canonical(row: dict[str, object]) -> dict[str, object]:
    """A row whose item, kept as JSON, does not depend on the order of its attributes."""
    item = row.get("item")
    if not isinstance(item, str):
        return row
    try:
        return {**row, "item": json.loads(item)}
    except ValueError:
        return row


def last_write(pages: Pages, until: datetime) -> int:
    """The latest time any item states, in epoch seconds, 0 without one; later times say nothing."""
    limit = int(until.timestamp())
    written = [
        pc.max(pc.filter(batch[name], pc.less_equal(batch[name], pa.scalar(limit)))).as_py()
        for batches in pages
        for batch in batches.values()
        for name in TIMES
        if name in batch.schema.names
    ]
    return max((moment for moment in written if moment is not None), default=0)


def reread_until_still(
    read: ReadAccount, accounts: Sequence[str], stillness: Stillness, say: Say
) -> Rereads:
    """Read the accounts again in rounds, all of a round together, until they lie still.

    Between rounds there is one wait for all of them. An interrupt ends it early: what is not still
    by then counts as moving.
    """
    answer = Rereads()
    answer.moving = dict.fromkeys(accounts, ())
    try:
        for number in range(1, stillness.rounds + 1):
            _read_round(read, stillness, answer)
            if not answer.moving or number == stillness.rounds:
                break
            waiting = f"accounts that do not lie still yet: {len(answer.moving):,}"
            say(f"confirm: {waiting}, again in {stillness.window} s (Ctrl-C leaves them undecided)")
            stillness.sleep(stillness.window)
    except KeyboardInterrupt:
        answer.interrupted = True
        say("confirm: interrupted; what was not yet still is left undecided")
    return answer


def _read_round(read: ReadAccount, stillness: Stillness, answer: Rereads) -> None:
    """Read every account that is still moving once, and settle those that lie still."""
    wanted = [account for account in answer.moving if account not in answer.troubles]
    for account, pages, trouble in _read_all(read, wanted, stillness.workers):
        if trouble:
            answer.troubles[account] = trouble
            continue
        now = stillness.clock()
        items = sum(batch.num_rows for batches in pages for batch in batches.values())
        latest = Reread(account, now, fingerprint(pages), items)
        answer.pages[account] = pages
        reads = (*answer.moving[account], latest)
        first = _still_since(reads, last_write(pages, now), stillness.window)
        if first is None:
            answer.moving[account] = reads
        else:
            answer.stable[account] = (first, latest)
            del answer.moving[account]


def _still_since(reads: Sequence[Reread], written: int, window: int) -> Reread | None:
    """The read since which an account has not moved, if that is a window ago; None otherwise."""
    latest = reads[-1]
    if latest.at.timestamp() - written < window:
        return None
    for earlier in reversed(reads[:-1]):
        if earlier.fingerprint != latest.fingerprint:
            return None
        if (latest.at - earlier.at).total_seconds() >= window:
            return earlier
    return None


def _read_all(
    read: ReadAccount, accounts: Sequence[str], workers: int
) -> Iterator[tuple[str, Pages, str]]:
    """Each account with its pages, or with why it could not be read."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="opskit-confirm")
    try:
        yield from pool.map(partial(_read_one, read), accounts)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read_one(read: ReadAccount, account: str) -> tuple[str, Pages, str]:
    try:
        return account, read(account), ""
    except (AccessError, ReadError) as error:
        return account, (), str(error)


def items_of(pages: Mapping[str, Pages]) -> Iterator[Batches]:
    """The batches of all accounts, page by page."""
    for of_account in pages.values():
        yield from of_account
