"""Snapshots and journals of any size, of the same healthy books: twenty entries an account."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from opskit.read.manifest import (
    MANIFEST_NAME,
    FileRecord,
    Manifest,
    ReadVerdict,
    SegmentRead,
    Source,
    SourceKind,
)
from opskit.read.schema import SCHEMAS
from opskit.tables.items import KindName

ENTRIES_AN_ACCOUNT = 20
AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
BASE = int(AS_OF.timestamp()) - 30 * 86_400

# Of an account's twenty entries nine are usage, nine payments, one an attempt that failed, and the
# last a dispute of the payment two before it.
_ENTRIES = f"""
SELECT
    'pk' AS layout,
    format('USER#{{:08d}}', i // 20) AS account,
    format('LEDGER#{{}}#{{}}000_{{:016x}}', ts, ts, i) AS sk,
    format('{{}}000_{{:016x}}', ts, i) AS entry_id,
    ts,
    CASE WHEN p < 9 THEN 'debit' WHEN p < 19 THEN 'credit' ELSE 'adjustment' END AS type,
    100 + CAST(hash(paid) % 49900 AS BIGINT) AS amount_cents,
    CASE WHEN p = 18 THEN 'reversed' ELSE 'settled' END AS state,
    CASE WHEN p < 9 THEN 'usage' WHEN p < 19 THEN 'charge_once'
        ELSE 'dispute_funds_withdrawn' END AS reason,
    CASE WHEN p >= 9 THEN format('pi_{{:010d}}', paid) END AS stripe_payment_intent_id,
    CASE WHEN p BETWEEN 9 AND 18 THEN format('charge:{{:08d}}:{{}}', i // 20, ts // 30) END
        AS idempotency_key,
    CASE WHEN p = 19 THEN format('dp_{{}}', i) END AS dispute_id
FROM (
    SELECT i, i % 20 AS p, CASE WHEN i % 20 = 19 THEN i - 2 ELSE i END AS paid,
        {BASE} + (i % 20) * 86400 + (i // 20) % 80000 AS ts
    FROM range(?) AS numbers (i)
)"""
_PAYMENTS = """
SELECT layout, account, concat('PAY#', stripe_payment_intent_id) AS sk,
    stripe_payment_intent_id AS payment_intent_id,
    CASE WHEN state = 'settled' THEN 'succeeded' ELSE 'canceled' END AS status,
    amount_cents, 'usd' AS currency, sk AS ledger_sk, concat('pm_', account) AS payment_method_id,
    ts AS created_at, ts + 60 AS updated_at
FROM entries WHERE type = 'credit'"""
_BALANCES = """
SELECT layout, account, 'BALANCE' AS sk, 'usd' AS currency,
    0 AS owed_pending_cents,
    sum(amount_cents) FILTER (WHERE type <> 'credit' AND state = 'settled') AS owed_settled_cents,
    0 AS payments_pending_cents,
    sum(amount_cents) FILTER (WHERE type = 'credit' AND state = 'settled')
        AS payments_settled_cents,
    max(ts) AS updated_at
FROM entries GROUP BY ALL"""
_METHODS = """
SELECT DISTINCT layout, account, concat('PM#pm_', account) AS sk,
    concat('pm_', account) AS payment_method_id, 'card' AS method_type, 2030 AS exp_year,
    1 AS exp_month FROM entries"""
_SETTINGS = """
SELECT DISTINCT layout, account, 'BILLING' AS sk, false AS autopay_enabled, 'usd' AS currency,
    concat('pm_', account) AS default_payment_method_id FROM entries"""


def write_snapshot(folder: Path, entries: int) -> Path:
    """A snapshot of healthy books with that many entries, written by DuckDB."""
    folder.mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder)}) as db:
        path = _write(db, folder, KindName.ENTRIES, _ENTRIES, [entries])
        db.execute(f"CREATE VIEW entries AS SELECT * FROM read_parquet('{path}')")
        _write(db, folder, KindName.PAYMENTS, _PAYMENTS)
        _write(db, folder, KindName.BALANCES, _BALANCES)
        _write(db, folder, KindName.PAYMENT_METHODS, _METHODS)
        _write(db, folder, KindName.SETTINGS, _SETTINGS)
        counts = {p.name: _count(db, p) for p in sorted(folder.glob("*.parquet"))}
    records = {name: _record(folder / name, rows) for name, rows in counts.items()}
    items = sum(counts.values())
    manifest = Manifest(
        verdict=ReadVerdict.COMPLETE,
        source=Source(SourceKind.CAPTURE, "made"),
        started=AS_OF.isoformat(),
        ended=AS_OF.isoformat(),
        items=items,
        files=records,
        segments={"0": SegmentRead(1, items)},
    )
    (folder / MANIFEST_NAME).write_bytes(manifest.to_json())
    return folder


def _write(
    db: duckdb.DuckDBPyConnection,
    folder: Path,
    kind: KindName,
    query: str,
    values: list[int] | None = None,
) -> Path:
    """A kind's file, with every column of its schema."""
    db.register("shape", SCHEMAS[kind].empty_table())
    path = folder / f"{kind}.parquet"
    made = f"SELECT * REPLACE ([] AS defects) FROM (SELECT * FROM shape UNION ALL BY NAME {query})"
    db.execute(f"COPY ({made}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)", values or [])
    return path


def _count(db: duckdb.DuckDBPyConnection, path: Path) -> int:
    [row] = db.execute(f"SELECT count(*) FROM read_parquet('{path}')").fetchall()
    return int(row[0])


def _record(path: Path, rows: int) -> FileRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(path.stem, rows, path.stat().st_size, digest)


# A hundred accounts to a parent: with all of them side by side `ledger` takes four times as long
# already at 10,000 accounts.
_NAME = r"regexp_replace(account, 'USER#(\d+)(\d\d)', 'U\1:\2')"
_LEDGER = f"""
SELECT strftime(make_timestamp(ts * 1000000), '%Y-%m-%d') || ' ' || entry_id || chr(10)
    || '    Accounts:' || {_NAME} || '  '
    || CASE WHEN type = 'credit' THEN '-' ELSE '' END
    || format('{{}}.{{:02d}}', amount_cents // 100, amount_cents % 100) || ' USD' || chr(10)
    || '    ' || CASE WHEN type = 'debit' THEN 'Income' ELSE 'Money' END || chr(10)
FROM entries WHERE state = 'settled'"""
_BEANCOUNT = f"""
SELECT strftime(make_timestamp(ts * 1000000), '%Y-%m-%d') || ' * "' || entry_id || '"' || chr(10)
    || '  Assets:' || {_NAME} || '  '
    || CASE WHEN type = 'credit' THEN '-' ELSE '' END
    || format('{{}}.{{:02d}}', amount_cents // 100, amount_cents % 100) || ' USD' || chr(10)
    || '  ' || CASE WHEN type = 'debit' THEN 'Income:Usage' ELSE 'Assets:Money' END || chr(10)
FROM entries WHERE state = 'settled'"""
_OPENINGS = f"""
SELECT DISTINCT '2020-01-01 open Assets:' || {_NAME} FROM entries
UNION ALL VALUES ('2020-01-01 open Income:Usage'), ('2020-01-01 open Assets:Money')"""


def write_journal(snapshot: Path, path: Path, *, beancount: bool) -> Path:
    """The snapshot's entries that count, as a journal in date order."""
    with duckdb.connect() as db, path.open("w") as journal:
        source = snapshot / f"{KindName.ENTRIES}.parquet"
        db.execute(f"CREATE VIEW entries AS SELECT * FROM read_parquet('{source}')")
        queries = [_OPENINGS, _BEANCOUNT] if beancount else [_LEDGER]
        for query in queries:
            answer = db.execute(f"{query} {'' if query is _OPENINGS else 'ORDER BY ts, sk'}")
            while rows := answer.fetchmany(50_000):
                journal.writelines(f"{text}\n" for (text,) in rows)
    return path
