"""Ad-hoc SQL answers exactly, and reaches nothing but copies of the rows."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from time import monotonic

import duckdb
import pytest
from click.testing import CliRunner, Result

from opskit.cli import cli
from opskit.errors import InputError
from opskit.ledger.books import Books, open_books
from opskit.ledger.documented import documented_views, view_names
from opskit.ledger.sql import Limits, ask, query, schema
from opskit.ledger.sql_guard import require_harmless
from opskit.ledger.sql_room import empty_room, lock
from opskit.read.capture import read_captures
from opskit.read.snapshot import Snapshot
from tests.captures import Item, balance, entry, write_capture

DATA = Path(__file__).parents[1] / "data" / "billing-capture"
FILES = [DATA / "billing.jsonl.gz", DATA / "billing_ccbill.jsonl.gz"]


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A snapshot of both captures."""
    return read_captures(FILES, tmp_path_factory.mktemp("sql") / "snapshot")


@pytest.fixture(scope="module")
def books(taken: Snapshot) -> Iterator[Books]:
    """The books of that snapshot."""
    with open_books(taken) as opened:
        yield opened


def books_of(tmp_path: Path, items: list[Item]) -> Books:
    """Books of a few items."""
    capture = write_capture(tmp_path / "items.jsonl", items)
    return open_books(read_captures([capture], tmp_path / "snapshot"))


ATTACKS = [
    # writing, or leaving something behind
    "COPY (SELECT 1) TO '{folder}/x.csv'",
    "COPY entries TO '{folder}/x.parquet' (FORMAT parquet)",
    "EXPORT DATABASE '{folder}'",
    "DROP VIEW entries",
    "DROP TABLE posting_rules",
    "DELETE FROM clock",
    "UPDATE clock SET as_of = 1",
    "INSERT INTO clock VALUES (1, 1, 1)",
    "CREATE TABLE x AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "CREATE OR REPLACE VIEW entries AS SELECT 1",
    "ALTER TABLE clock ADD COLUMN x INT",
    "CREATE SECRET (TYPE S3, KEY_ID 'a', SECRET 'b')",
    "SELECT 1; DROP VIEW entries",
    "SELECT 1; SELECT 2",
    "WITH x AS (INSERT INTO clock VALUES (1, 1, 1) RETURNING *) SELECT * FROM x",
    "WITH x AS (UPDATE clock SET as_of = 1 RETURNING *) SELECT * FROM x",
    "WITH x AS (DELETE FROM clock RETURNING *) SELECT * FROM x",
    "WITH x AS (COPY (SELECT 1) TO '{folder}/x.csv') SELECT * FROM x",
    "SELECT (WITH x AS (COPY (SELECT 1) TO '{folder}/x.csv') SELECT 1 FROM x)",
    "SELECT write_log('x')",
    "SELECT setseed(0.5)",
    "CALL enable_logging()",
    "FROM enable_logging(storage := 'file', storage_config := {{'path': '{folder}/log'}})",
    "FROM enable_profiling()",
    "FROM checkpoint()",
    "CHECKPOINT",
    # files
    "SELECT * FROM '{folder}/entries.parquet'",
    "SELECT * FROM read_parquet('{folder}/entries.parquet')",
    "SELECT * FROM parquet_scan('{folder}/entries.parquet')",
    "FROM parquet_metadata('{folder}/entries.parquet')",
    "FROM read_text('/etc/passwd')",
    "FROM read_blob('{folder}/manifest.json')",
    "FROM read_csv('/etc/passwd')",
    "FROM read_csv_auto('{folder}/manifest.json')",
    "FROM read_json('{folder}/manifest.json')",
    "FROM sniff_csv('/etc/passwd')",
    "FROM glob('{folder}/*')",
    'SELECT * FROM "{folder}/manifest.json"',
    "SELECT * FROM '/etc/passwd'",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM entries WHERE sk IN (SELECT content FROM read_text('/etc/passwd'))",
    "WITH x AS (FROM read_text('/etc/passwd')) SELECT * FROM x",
    "SELECT 1 UNION ALL SELECT content FROM read_text('/etc/passwd')",
    "SELECT 1 ORDER BY (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT 1 LIMIT (SELECT length(content) FROM read_text('/etc/passwd'))",
    "SELECT list_transform([1], x -> (SELECT content FROM read_text('/etc/passwd')))",
    "DESCRIBE FROM read_text('/etc/passwd')",
    "SUMMARIZE '{folder}/entries.parquet'",
    "FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "FROM query_table('{folder}/entries.parquet')",
    "FROM json_execute_serialized_sql('{{}}')",
    "PIVOT '{folder}/entries.parquet' ON type",
    "ATTACH '{folder}/x.db'",
    "ATTACH ':memory:' AS y",
    "FROM read_duckdb('{folder}/x.db')",
    "IMPORT DATABASE '{folder}'",
    # the network, extensions, the settings, the surroundings
    "FROM 'https://127.0.0.1:1/x.parquet'",
    "FROM 's3://bucket/x.parquet'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "SET VARIABLE x = 1",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "SELECT getenv('HOME')",
    "SELECT current_setting('temp_directory')",
    "SELECT getvariable('x')",
    "FROM duckdb_settings()",
    "FROM duckdb_secrets()",
    "FROM duckdb_functions()",
    "FROM duckdb_temporary_files()",
    "FROM which_secret('s3://x', 's3')",
    "FROM pragma_table_info('entries')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_views",
    "SHOW ALL TABLES",
    "SHOW TABLES",
    "SHOW DATABASES",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT current_query()",
    # Python and raw memory
    "SELECT * FROM arrow_scan(1::BIGINT, 2, 3)",
    "FROM pandas_scan(140000000000000)",
    "FROM python_map_function(1, 2)",
    "SELECT * FROM secret_frame",
    # waiting, parameters, nothing
    "SELECT sleep_ms(100000)",
    "SELECT pg_sleep(100)",
    "SELECT $x",
    "SELECT ?",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "",
    "-- nothing",
    ";",
    "not sql at all",
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "SELECT '" + "x" * 200_000 + "'",
    "SELECT * FROM clock",
    "SELECT * FROM temp.entries",
    "SELECT * FROM system.main.duckdb_settings",
]


@pytest.fixture(scope="module")
def room() -> Iterator[duckdb.DuckDBPyConnection]:
    """The room ad-hoc SQL runs in, empty and locked."""
    with empty_room() as db:
        lock(db)
        yield db


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda text: text[:60])
def test_what_does_not_only_read_is_refused(
    room: duckdb.DuckDBPyConnection, tmp_path: Path, attack: str
) -> None:
    """Every attack is refused in one line before any of it runs."""
    with pytest.raises(InputError) as refused:
        require_harmless(room, attack.format(folder=tmp_path), view_names())
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


INNER = [text for text in ATTACKS if any(word in text for word in ("folder", "passwd", "://"))]


@pytest.mark.parametrize("attack", INNER, ids=lambda text: text[:60])
def test_the_room_itself_reaches_no_file(
    room: duckdb.DuckDBPyConnection, tmp_path: Path, attack: str
) -> None:
    """Even SQL that nobody judged fails on the locked connection, and makes no file."""
    (tmp_path / "entries.parquet").write_bytes(b"PAR1")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(duckdb.Error):
        room.execute(attack.format(folder=tmp_path)).fetchall()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("attack", ["COPY (SELECT 1) TO '{folder}/x.csv'", "DROP VIEW entries"])
def test_an_attack_leaves_the_snapshot_as_it_was(
    taken: Snapshot, books: Books, attack: str
) -> None:
    """The whole way is refused too, and neither the folder nor the views change."""
    before = sorted(path.name for path in taken.path.iterdir())
    with pytest.raises(InputError):
        ask(books, attack.format(folder=taken.path))
    assert sorted(path.name for path in taken.path.iterdir()) == before
    assert books.rows("SELECT 1 FROM entries LIMIT 1")


def test_a_frame_of_the_caller_is_no_table(room: duckdb.DuckDBPyConnection) -> None:
    """A variable of the calling code is out of reach even without a judge."""
    import pandas as pd

    secret_frame = pd.DataFrame({"x": [1]})
    with pytest.raises(duckdb.Error):
        room.execute("SELECT * FROM secret_frame")
    assert len(secret_frame) == 1


@pytest.mark.parametrize(
    "setting",
    [
        "SET enable_external_access = true",
        "RESET enable_external_access",
        "SET allowed_directories = ['/']",
        "SET memory_limit = '99GB'",
        "SET python_enable_replacements = true",
        "SET lock_configuration = false",
    ],
)
def test_the_room_cannot_be_unlocked(room: duckdb.DuckDBPyConnection, setting: str) -> None:
    """No setting moves once the door is shut."""
    with pytest.raises(duckdb.Error):
        room.execute(setting)


HARMLESS = [
    "SELECT count(*) FROM entries",
    "FROM balances",
    "TABLE posting_rules",
    "VALUES (1), (2)",
    "SELECT * FROM main.entries LIMIT 1;",
    "WITH x AS (SELECT 1 AS a), y AS (FROM x) SELECT * FROM y",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) FROM t",
    "DESCRIBE entries",
    "DESCRIBE SELECT type FROM entries",
    "SUMMARIZE balances",
    "SELECT account, rank() OVER (ORDER BY owed_settled DESC) FROM computed_balances",
    "SELECT unnest(range(3)), to_timestamp(0), 'a'.upper(), [x * 2 FOR x IN [1, 2]]",
    "SELECT type, count(*) FILTER (WHERE state = 'settled') FROM entries GROUP BY ALL",
    "SELECT e.* EXCLUDE (item) FROM entries e JOIN accounts USING (layout, account) LIMIT 1",
    "SELECT json_extract_string(item, '$.sk') FROM unmatched",
    "FROM items SEMI JOIN unjudged_accounts USING (layout, account)",
    "SELECT COLUMNS('.*_cents') FROM balances",
    "FROM (PIVOT (SELECT type, state FROM entries) ON state IN ('settled') USING count(*))",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_reads_is_answered(books: Books, text: str) -> None:
    """The ways of asking that analysts use all work."""
    assert ask(books, text).names


@pytest.mark.parametrize("view", [view.name for view in documented_views()])
def test_every_view_holds_the_rows_it_has_in_the_books(books: Books, view: str) -> None:
    """Copying changes no number of rows, through however many views."""
    [row] = ask(books, f"SELECT count(*) FROM {view}").rows
    assert row == tuple(books.one(f"SELECT count(*) AS n FROM {view}").values())


def test_the_documentation_is_complete(books: Books) -> None:
    """Every column of every view has words, and no words are for a column that is not there."""
    found = {(column.view, column.name) for column in schema()}
    assert all(column.words and column.about for column in schema())
    for view in documented_views():
        assert not {name for name in view.own if (view.name, name) not in found}
        rows = books.rows(f"DESCRIBE {view.name}")
        assert {str(row["column_name"]) for row in rows} == {n for v, n in found if v == view.name}
    wanted = "entries balances payments payment_methods subscriptions settings profiles markers"
    more = "unmatched unclassified items accounts postings computed_balances compared_balances"
    assert {*wanted.split(), *more.split()} <= {view for view, _ in found}


def test_frames_are_exact(books: Books) -> None:
    """Whole numbers stay whole beside absent ones and beyond 64 bits; decimals are decimals."""
    frame = query(
        books,
        "SELECT * FROM (VALUES (9007199254740993, 170141183460469231731687303715884105727, 1.10),"
        " (NULL, 1, NULL)) AS t(a, b, c)",
    )
    assert frame["a"].dtype == "Int64"
    assert frame["a"][0] == 9007199254740993
    assert frame["a"].isna()[1]
    assert frame["b"][0] == 2**127 - 1
    assert frame["c"][0] == Decimal("1.10")


def test_sums_of_the_books_are_the_books_own(books: Books) -> None:
    """A total asked for in SQL is the sum of the rows, to the minor unit, and an integer."""
    frame = query(books, "SELECT sum(amount_cents) AS total FROM entries")
    [total] = frame["total"]
    assert total == sum(int(str(r["amount_cents"])) for r in books.rows("FROM entries"))
    assert isinstance(int(total), int)
    assert list(query(books, "SELECT account FROM entries LIMIT 0").columns) == ["account"]


def test_a_frame_is_never_cut(books: Books) -> None:
    """More rows than the limit are refused for a frame, and cut visibly for a person."""
    limits = Limits(rows=10)
    with pytest.raises(InputError, match="over 10 rows"):
        query(books, "FROM entries", limits=limits)
    answer = ask(books, "FROM entries", limits=limits)
    assert (len(answer.rows), answer.cut) == (10, True)
    assert not ask(books, "FROM entries LIMIT 10", limits=limits).cut


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM range(100000000000000) a, range(1000000) b",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
        "SELECT count(*) FROM entries a, entries b, entries c, entries d WHERE a.sk < b.sk || c.sk",
    ],
)
def test_long_work_is_stopped(books: Books, text: str) -> None:
    """A query that would not end is stopped soon after its time."""
    began = monotonic()
    with pytest.raises(InputError, match="was stopped"):
        ask(books, text, limits=Limits(seconds=1))
    assert monotonic() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        "SELECT list(a.range || b.range) FROM range(100000) a, range(100000) b",
        "SELECT range(10000000000)",
        "SELECT repeat('x', 1000000) FROM range(1000)",
        "SELECT repeat('x', 4000000000)",
    ],
)
def test_much_memory_is_refused(books: Books, text: str) -> None:
    """An answer that would fill the memory is refused in one line."""
    with pytest.raises(InputError):
        ask(books, text, limits=Limits(seconds=20))


PERSONAL = [
    entry("USER#u1", 1, 100),
    {"pk": {"S": "USER#u1"}, "sk": {"S": "PM#1"}, "label": {"S": "Ann <ann.lee@example.org>"}},
    {
        "pk": {"S": "PAYPAL_WEBHOOK_UNMATCHED"},
        "sk": {"S": "1#aa"},
        "payload": {"M": {"payer": {"S": "Secret Person"}}},
        "note": {"S": "call ann.lee@example.org"},
        "phone_e164": {"S": "+15551234567"},
    },
]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT label FROM payment_methods",
        "SELECT reverse(label) AS x FROM payment_methods",
        "SELECT encode(label) AS x FROM payment_methods",
        "SELECT item FROM unmatched",
        "SELECT reverse(item) AS x FROM unmatched",
        "SELECT json_extract_string(item, '$.payload.M.payer.S') AS x FROM unmatched",
        "SELECT string_split(item, '') AS x FROM unmatched",
        "SELECT account AS label, item AS sk FROM unmatched",
    ],
)
def test_no_question_brings_personal_data_back(tmp_path: Path, text: str) -> None:
    """What is secret or personal is masked before it is copied, so that no function finds it."""
    with books_of(tmp_path, PERSONAL) as few:
        answer = str(ask(few, text).rows)
    for part in ("lee@example", "elpmaxe@eel", "Secret", "nosreP", "1234567", "7654321"):
        assert part not in answer


def run(*arguments: str) -> Result:
    """The command line's answer."""
    return CliRunner().invoke(cli, ["sql", *arguments])


def test_the_command_answers_in_text_json_and_csv(tmp_path: Path) -> None:
    """One question, three faces, the same exact figures."""
    capture = write_capture(tmp_path / "i.jsonl", [entry("USER#u1", 1, 12345), balance("USER#u1")])
    table = tmp_path / "a.csv"
    text = "SELECT account, amount_cents, NULL AS nothing, 1.50 AS d FROM entries"
    command = [text, "--from-items", str(capture)]
    shown = run(*command, "--csv", str(table))
    assert "12345" in shown.stdout
    assert "1 row." in shown.stdout
    document = json.loads(run(*command, "--json").stdout)
    assert document["rows"] == [["USER#u1", 12345, None, "1.50"]]
    assert document["cut"] is False
    [row] = csv.DictReader(io.StringIO(table.read_text("utf-8-sig")))
    assert row["amount_cents"] == "12345"


def test_hostile_text_is_harmless_in_the_answer(tmp_path: Path) -> None:
    """No terminal escape and no formula in an item survives."""
    bad = entry("USER#u1", 1, 5, reason="=1+1\x1b[2J\u202e")
    capture = write_capture(tmp_path / "i.jsonl", [bad])
    table = tmp_path / "a.csv"
    command = ["SELECT reason FROM entries", "--from-items", str(capture)]
    assert "\x1b" not in run(*command, "--csv", str(table)).stdout
    [_, cell] = csv.reader(io.StringIO(table.read_text("utf-8-sig")))
    assert cell[0].startswith("'=")


def test_a_cut_answer_says_so_and_exits_3() -> None:
    """More rows than are shown is no whole answer."""
    result = run("SELECT * FROM entries a, entries b", "--from-items", str(FILES[0]))
    assert result.exit_code == 3
    assert "there are more" in result.stdout


def test_a_refusal_comes_before_any_reading() -> None:
    """Refused SQL exits 2 with one line, and no source is opened for it."""
    result = run("DROP VIEW entries", "nowhere")
    assert isinstance(result.exception, InputError)
    assert "only read" in str(result.exception)
    assert result.exception.exit_code == 2


def test_the_schema_is_shown_without_a_source() -> None:
    """Every view and column is listed, as text and as JSON."""
    assert "compared_balances" in run("--schema").stdout
    views = json.loads(run("--schema", "--json").stdout)["views"]
    assert views["entries"]["columns"][0]["name"] == "layout"
