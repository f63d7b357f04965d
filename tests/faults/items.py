"""Random tables: books with every kind of item, odd ones among them, as DynamoDB JSON."""

import base64
from random import Random
from typing import Any

Item = dict[str, dict[str, Any]]

ACCOUNT = "USER#0"
"""The account that the runs by query read; it always has several pages."""

_OTHER = ("PAYPAL_WEBHOOK", "STRIPE_EVENT", "CCBILL_WEBHOOK_UNMATCHED", "NOBODY")


def table_items(rng: Random, count: int) -> list[Item]:
    """So many items under different keys, of every kind the contract knows and some of none."""
    mine = [_item(rng, ACCOUNT, number) for number in range(count // 4)]
    accounts = [f"USER#{number}" for number in range(1, 9)] + list(_OTHER)
    others = [_item(rng, rng.choice(accounts), number) for number in range(len(mine), count)]
    return mine + others


def key_of(item: Item) -> tuple[str, str]:
    """The key of an item: its account as stored and its sort key."""
    return item["pk"]["S"], item["sk"]["S"]


def _item(rng: Random, account: str, number: int) -> Item:
    make = rng.choice((_entry, _entry, _entry, _payment, _marker, _misfit, _stranger))
    sk, attributes = make(rng, number)
    return {"pk": {"S": account}, "sk": {"S": sk}, **attributes}


def _entry(rng: Random, number: int) -> tuple[str, Item]:
    return f"LEDGER#{1_750_000_000 + number}#{number}", {
        "entry_id": {"S": str(number)},
        "ts": {"N": str(1_750_000_000 + number)},
        "type": {"S": rng.choice(("debit", "credit"))},
        "amount_cents": {"N": str(rng.randint(1, 10**9))},
        "state": {"S": rng.choice(("settled", "pending"))},
        "reason": {"S": rng.choice(("usage", "größe \u2028 <b>", ""))},
        "meta": {"M": {"plan_id": {"S": f"p{rng.randint(1, 3)}"}}},
    }


def _payment(rng: Random, number: int) -> tuple[str, Item]:
    return f"PAY#{number}", {
        "status": {"S": "succeeded"},
        "amount_cents": {"N": str(rng.randint(1, 10**9))},
        "raw": {"M": {"capture": {"M": {"id": {"S": "c" * rng.randint(0, 300)}}}}},
    }


def _marker(rng: Random, number: int) -> tuple[str, Item]:
    """A marker of a webhook, maybe past its time to live: it is in every read until it is gone."""
    return f"SUB#{number}", {"ttl": {"N": str(rng.choice((1, 1_750_000_000, 4_000_000_000)))}}


def _misfit(rng: Random, number: int) -> tuple[str, Item]:
    """An entry whose amount is no number of ours: kept whole, with its defect."""
    sk, item = _entry(rng, number)
    odd = rng.choice(({"S": "12,50"}, {"N": "9" * 38}, {"N": "0.1"}, {"L": [{"NULL": True}]}))
    return sk, {**item, "amount_cents": odd}


def _stranger(rng: Random, number: int) -> tuple[str, Item]:
    """An item that no rule of the contract names, with every type of attribute."""
    return f"ODD#{number}", {
        "binary": {"B": base64.b64encode(rng.randbytes(9)).decode()},
        "sets": {"L": [{"NS": ["1", "-1E-130"]}, {"SS": ["a", "b"]}, {"BS": ["AAE="]}]},
        "Count": {"N": "7"},
        "LastEvaluatedKey": {"M": {"pk": {"S": "x"}}},
        "empty": {"S": ""},
    }
