"""What the setup walkthrough must leave on an empty endpoint, told to carry its plan out."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opskit.notebook.operation import Operation
    from opskit.notebook.tables import TablesState

BOOKS = "empty"


def parameters() -> dict[str, object]:
    """Name the plan of this very endpoint, as a person does after reading it."""
    from opskit.notebook.setup import tables_state
    from opskit.settings import load_settings

    settings = load_settings(environ=os.environ)
    from opskit.aws import caller_identity

    account = caller_identity(settings.connection).account or ""
    return {"apply": tables_state(settings, account).plan.id}


def check_nine_tables_are_as_wanted(state: "TablesState") -> None:
    """After the apply the plan is empty and the verdict says so."""
    assert state.applied
    assert state.plan.is_empty
    assert state.verdict == "in sync"
    assert len(state.plan.wanted) == 9


def check_the_tables_are_really_there(ops: "Operation") -> None:
    """A client that knows nothing of plans finds nine tables and the index."""
    from opskit.aws import dynamodb_client

    client = dynamodb_client(ops.settings.connection)
    assert len(client.list_tables()["TableNames"]) == 9
    table = client.describe_table(TableName="api_keys")["Table"]
    assert table["GlobalSecondaryIndexes"][0]["IndexName"] == "user_sub-index"


def check_the_record_is_written(ops: "Operation") -> None:
    """The run's folder holds a record with the verdict and the account."""
    from opskit.notebook.record import read_record

    record = read_record(ops.folder)
    assert (record.verdict, record.exit_code) == ("in sync", 0)
    assert record.identity["region"] == "us-east-1"
    assert ops.folder.stat().st_mode & 0o777 == 0o700
