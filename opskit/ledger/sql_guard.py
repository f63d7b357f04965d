"""What ad-hoc SQL may say: one SELECT over the documented views, with functions that only compute.

This is the outer of two walls, and gives the plain answer. The inner one is the connection that
such SQL runs on: it holds copies of the views' rows and reaches no file, no network and no setting.
"""

import json
from collections.abc import Collection, Iterator
from functools import cache

import duckdb

from opskit.errors import InputError

MAX_CHARACTERS = 100_000

TABLE_FUNCTIONS = frozenset({"generate_series", "json_each", "json_tree", "range", "unnest"})
"""The functions that may stand where a table may."""

REFUSED_FUNCTIONS = frozenset(
    "cast_to_type create_sort_key current_connection_id current_query current_query_id"
    " current_setting current_transaction_id currval error get_block_size getenv getvariable"
    " hive_partition_component invoke json_deserialize_sql json_serialize_plan json_serialize_sql"
    " nextval parse_duckdb_log_message pg_sleep query query_table setseed setval sleep_ms stats"
    " txid_current write_log".split()
)
"""Scalar functions that tell of the engine or its surroundings, wait, or leave something behind."""

_TABLES = frozenset(
    "BASE_TABLE COLUMN_DATA CTE EMPTY EXPRESSION_LIST JOIN PIVOT SHOW_REF SUBQUERY"
    " TABLE_FUNCTION".split()
)
_QUERIES = frozenset("CTE_NODE RECURSIVE_CTE_NODE SELECT_NODE SET_OPERATION_NODE".split())
_SHOWS = frozenset({"DESCRIBE", "SUMMARY"})
_ANSWER = "a SELECT over the views that `opskit sql --schema` lists"

Node = dict[str, object]


def require_harmless(
    db: duckdb.DuckDBPyConnection, text: str, views: Collection[str], *, parameters: bool = False
) -> duckdb.Statement:
    """The one statement of a text that only reads the views; InputError says what it does else.

    `parameters` says that the statement may name some, as a check's does.
    """
    statement = _only_statement(db, text)
    tree = _tree(db, text)
    nodes = list(_nodes(tree))
    named = {*views, *_common_table_names(nodes)}
    functions = _functions()
    for node in nodes:
        _require_query(node)
        _require_table(node, named)
        _require_function(node, functions)
        if node.get("class") == "PARAMETER" and not parameters:
            raise InputError(f"SQL takes no parameters here; give the value itself in {_ANSWER}")
    return statement


def named_tables(db: duckdb.DuckDBPyConnection, text: str) -> set[str]:
    """The names that stand where a table may, in lower case."""
    nodes = _nodes(_tree(db, text))
    return {str(node["table_name"]).lower() for node in nodes if node.get("table_name")}


def _only_statement(db: duckdb.DuckDBPyConnection, text: str) -> duckdb.Statement:
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"the SQL has over {MAX_CHARACTERS:,} characters; give a shorter one")
    try:
        statements = db.extract_statements(text)
    except duckdb.Error as error:
        raise InputError(f"not SQL: {one_line(error)}") from None
    if len(statements) != 1:
        raise InputError(f"SQL must be one statement, not {len(statements)}; give {_ANSWER}")
    if statements[0].type != duckdb.StatementType.SELECT:
        kind = statements[0].type.name
        raise InputError(f"SQL must only read, and this is {kind}; give {_ANSWER}")
    return statements[0]


def one_line(error: Exception) -> str:
    """The engine's own words, without the drawing below them."""
    return str(error).strip().partition("\n")[0]


def _tree(db: duckdb.DuckDBPyConnection, text: str) -> Node:
    """The parsed statement as the engine itself sees it."""
    try:
        row = db.execute("SELECT json_serialize_sql(CAST($text AS VARCHAR))", {"text": text})
        [answer] = row.fetchone() or ("",)
        tree: Node = json.loads(answer)
    except (duckdb.Error, ValueError, RecursionError):
        raise InputError(f"the SQL is nested too deeply to be judged; give {_ANSWER}") from None
    if tree.get("error") is not False:
        raise InputError(f"SQL must only read; give {_ANSWER}")
    return tree


def _nodes(tree: Node) -> Iterator[Node]:
    """Every object of the tree, whatever holds it."""
    waiting: list[object] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _common_table_names(nodes: Collection[Node]) -> set[str]:
    """The names that WITH gives to subqueries."""
    maps = [node["cte_map"] for node in nodes if isinstance(node.get("cte_map"), dict)]
    named = [entry for one in maps if isinstance(one, dict) for entry in one.get("map", ())]
    return {str(entry["key"]).lower() for entry in named}


def _require_query(node: Node) -> None:
    """Every part of the statement must read: WITH can hold INSERT, UPDATE, DELETE and COPY."""
    kind = str(node.get("type") or "")
    if (kind.endswith("_NODE") or "cte_map" in node) and kind not in _QUERIES:
        raise InputError(f"SQL must only read, and part of this is {kind}; give {_ANSWER}")


def _require_table(node: Node, named: Collection[str]) -> None:
    """A table must be a view by its bare name, and stand in the statement in a known way."""
    if "sample" in node and "alias" in node and node.get("type") not in _TABLES:
        raise InputError(f"SQL may not read from {node.get('type')}; give {_ANSWER}")
    if node.get("type") == "SHOW_REF" and node.get("show_type") not in _SHOWS:
        raise InputError("SQL may not SHOW; `opskit sql --schema` lists the views")
    table = str(node.get("table_name") or "").lower().strip('"')
    elsewhere = str(node.get("schema_name") or "") + str(node.get("catalog_name") or "")
    if table and (table not in named or elsewhere not in ("", "main") or node.get("at_clause")):
        raise InputError(f"SQL may not read {table!r}; give {_ANSWER}")


def _require_function(node: Node, known: Collection[str]) -> None:
    """A function must be built in and only compute; where a table may stand it must be a list."""
    if node.get("type") == "TABLE_FUNCTION":
        function = node.get("function")
        name = str(function.get("function_name")).lower() if isinstance(function, dict) else ""
        if name not in TABLE_FUNCTIONS:
            raise InputError(f"SQL may not call {name}(); give {_ANSWER}")
    name = str(node.get("function_name") or "").lower()
    if name and name not in known:
        raise InputError(f"SQL may not call {name}(); give {_ANSWER}")


@cache
def _functions() -> frozenset[str]:
    """The names of the engine's built-in functions that only compute."""
    with duckdb.connect() as db:
        rows = db.execute("""
            SELECT DISTINCT lower(function_name) FROM duckdb_functions()
            WHERE internal AND function_type IN ('scalar', 'aggregate', 'macro', 'window')
                AND NOT starts_with(function_name, '__internal')""").fetchall()
    return frozenset({str(name) for (name,) in rows} | TABLE_FUNCTIONS) - REFUSED_FUNCTIONS
