"""Writing small captures for tests, in DynamoDB JSON."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Item = dict[str, Any]


def entry(account: str, number: int, amount: int, **changes: str) -> Item:
    """A well-formed settled debit of an account; keyword arguments replace text attributes."""
    ts = 1_770_000_000 + number
    entry_id = f"{ts}000_{number:016x}"
    texts = {"entry_id": entry_id, "type": "debit", "state": "settled", "reason": "usage"}
    item: Item = {name: {"S": value} for name, value in (texts | changes).items()}
    key = {"pk": {"S": account}, "sk": {"S": f"LEDGER#{ts}#{entry_id}"}}
    return key | item | {"ts": {"N": str(ts)}, "amount_cents": {"N": str(amount)}}


def balance(account: str, **counters: int) -> Item:
    """A BALANCE in dollars whose other counters are zero."""
    names = ("owed_pending", "owed_settled", "payments_pending", "payments_settled")
    item: Item = {"pk": {"S": account}, "sk": {"S": "BALANCE"}, "currency": {"S": "usd"}}
    return item | {f"{name}_cents": {"N": str(counters.get(name, 0))} for name in names}


def payment(account: str, number: int, amount: int, ledger_sk: str) -> Item:
    """A succeeded payment that names its ledger entry."""
    return {
        "pk": {"S": account},
        "sk": {"S": f"PAY#pi_{number}"},
        "payment_intent_id": {"S": f"pi_{number}"},
        "status": {"S": "succeeded"},
        "amount_cents": {"N": str(amount)},
        "currency": {"S": "usd"},
        "ledger_sk": {"S": ledger_sk},
        "created_at": {"N": "1770000000"},
    }


def write_capture(path: Path, items: Iterable[Mapping[str, Any]]) -> Path:
    """A capture file with one line per item."""
    path.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
    return path
