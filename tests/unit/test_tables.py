"""The catalogue against the service's contract, and live tables put in its words."""

import pytest

from opskit.settings import load_settings
from opskit.tables import Index, Key, Projection, TableSpec, catalogue
from opskit.tables.catalog import billing_layout
from opskit.tables.describe import live_table
from opskit.tables.items import Layout
from opskit.tables.live import TtlStatus
from opskit.tables.spec import AttributeType, violations

NAMES = {
    "DDB_SESSIONS_TABLE": "t-sessions",
    "DDB_TOTP_TABLE": "t-totp",
    "DDB_SMS_TABLE": "t-sms",
    "DDB_EMAIL_TABLE": "t-email",
    "DDB_RECOVERY_TABLE": "t-recovery",
    "BILLING_TABLE_NAME": "t-billing",
}
CONTRACT = {
    "sessions": ("t-sessions", "user_sub", "session_id", "ttl_epoch"),
    "totp_devices": ("t-totp", "user_sub", "device_id", None),
    "sms_devices": ("t-sms", "user_sub", "sms_device_id", None),
    "email_devices": ("t-email", "user_sub", "email_device_id", None),
    "recovery_codes": ("t-recovery", "user_sub", "code_hash", None),
    "api_keys": ("api_keys", "key_id", None, "ttl_epoch"),
    "alerts": ("alerts", "user_sub", "alert_id", "ttl_epoch"),
    "alert_prefs": ("alert_prefs", "user_sub", None, None),
    "billing": ("t-billing", "pk", "sk", "ttl_epoch"),
}


def wanted(**more: str) -> dict[str, TableSpec]:
    """The catalogue for the names above and some more settings."""
    return dict(catalogue(load_settings({**NAMES, **more}, environ={})))


def described(**more: object) -> dict[str, object]:
    """What DescribeTable says of a table with one key."""
    return {
        "TableName": "t-one",
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        **more,
    }


def test_nine_tables_are_the_contracts() -> None:
    """Each table has the name, keys and TTL attribute of the contract, all keys text."""
    tables = wanted()
    found = {
        logical: (spec.name, spec.key.partition, spec.key.sort, spec.ttl_attribute)
        for logical, spec in tables.items()
    }
    assert found == CONTRACT
    types = {type_ for spec in tables.values() for _, type_ in spec.key.attributes}
    assert types == {AttributeType.TEXT}


def test_only_api_keys_has_an_index_projecting_all() -> None:
    """The index by user carries every attribute and has the default name; no other exists."""
    indexes = {logical: spec.indexes for logical, spec in wanted().items() if spec.indexes}
    assert indexes == {"api_keys": (Index("user_sub-index", Key("user_sub"), Projection.ALL),)}


def test_settings_name_the_index_and_the_ttl_attribute() -> None:
    """API_KEYS_USER_INDEX and DDB_TTL_ATTR are honoured wherever they apply."""
    tables = wanted(API_KEYS_USER_INDEX="by-user", DDB_TTL_ATTR="dies_at")
    assert tables["api_keys"].index("by-user") is not None
    expiring = {name for name, spec in tables.items() if spec.ttl_attribute == "dies_at"}
    assert expiring == {"sessions", "api_keys", "alerts", "billing"}


@pytest.mark.parametrize("layout", Layout)
def test_billing_has_the_layout_asked_for(layout: Layout) -> None:
    """Either key layout can be wanted, and is recognised again in a table's key."""
    key = wanted(OPSKIT_BILLING_LAYOUT=layout.value)["billing"].key
    assert (key.partition, key.sort) == (layout.value, "sk")
    assert billing_layout(key) is layout


def test_unnamed_tables_are_left_out() -> None:
    """A table without a name is not wanted; the ones with defaults are."""
    tables = catalogue(load_settings({}, environ={}))
    assert {"api_keys", "alerts", "alert_prefs"} <= set(tables)
    assert "billing" not in tables


def test_the_catalogue_breaks_no_rule() -> None:
    """DynamoDB would accept every table of the catalogue in either layout."""
    for layout in Layout:
        tables = wanted(OPSKIT_BILLING_LAYOUT=layout.value)
        assert [violations(spec) for spec in tables.values()] == [()] * 9


def test_a_key_no_code_uses_has_no_layout() -> None:
    """A numeric partition key of the right name is no billing layout."""
    assert billing_layout(Key("pk", "sk", partition_type=AttributeType.NUMBER)) is None


@pytest.mark.parametrize(
    ("status", "attribute"),
    [("ENABLED", "t"), ("ENABLING", "t"), ("DISABLING", None), ("DISABLED", None)],
)
def test_a_ttl_that_is_off_has_no_attribute(status: str, attribute: str | None) -> None:
    """AWS keeps naming the last attribute of a TTL that is off; the spec does not."""
    live = live_table(described(), {"TimeToLiveStatus": status, "AttributeName": "t"})
    assert live.spec is not None
    assert live.spec.ttl_attribute == attribute
    assert live.ttl is TtlStatus(status)


def test_what_aws_leaves_out_has_its_meaning() -> None:
    """No billing mode is PROVISIONED, no class STANDARD, no description of TTL is off."""
    live = live_table(described(), {})
    assert (live.billing_mode, live.class_name) == ("PROVISIONED", "STANDARD")
    assert live.ttl is TtlStatus.DISABLED
    assert live.usable
    assert live.account == ""


def test_values_aws_chooses_make_no_difference() -> None:
    """Warm throughput, counts and vector indexes do not change what a table is."""
    noisy = described(
        WarmThroughput={"ReadUnitsPerSecond": 12000},
        ItemCount=9,
        VectorIndexes=[{"IndexName": "v"}],
        TableArn="arn:aws:dynamodb:eu-central-1:123456789012:table/t-one",
    )
    live = live_table(noisy, {})
    assert live.spec == live_table(described(), {}).spec
    assert live.account == "123456789012"


def test_multi_attribute_index_keys_are_read_not_crashed_on() -> None:
    """An index with two partition attributes keeps both, so it equals no single-key index."""
    schema = [{"AttributeName": name, "KeyType": "HASH"} for name in ("a", "b")]
    index = {"IndexName": "two", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
    live = live_table(described(GlobalSecondaryIndexes=[index]), {})
    assert live.spec is not None
    assert live.spec.index("two") != Index("two", Key("a"))


def test_a_table_with_an_index_in_the_making_is_not_usable() -> None:
    """An ACTIVE table with a CREATING index is named as settling."""
    index = {
        "IndexName": "by",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["y", "x"]},
        "IndexStatus": "CREATING",
    }
    live = live_table(described(GlobalSecondaryIndexes=[index]), {})
    assert not live.usable
    assert live.settling == ("index by CREATING",)
    assert live.spec is not None
    assert live.spec.indexes[0].included == {"x", "y"}
