"""Ledger items by the hundred thousand, as the JSON a DynamoDB page holds."""

from collections.abc import Iterator
from random import Random

ENTRIES_AN_ACCOUNT = 200
PAGE_ITEMS = 2_470
"""About as many ledger items as DynamoDB puts into one page of 1 MB."""


def ledger_items(count: int, *, seed: int = 7) -> Iterator[bytes]:
    """Ledger items of the length the service writes, each as DynamoDB JSON."""
    rng = Random(seed)
    for number in range(count):
        account, position = divmod(number, ENTRIES_AN_ACCOUNT)
        ts = 1_700_000_000 + position * 3_600
        unique = f"{rng.getrandbits(64):016x}"
        amount = rng.randint(50, 50_000)
        yield (
            f'{{"pk":{{"S":"USER#{account:08d}"}},"sk":{{"S":"LEDGER#{ts}#{ts}{position:03d}_{unique}"}}'
            f',"entry_id":{{"S":"{ts}{position:03d}_{unique}"}},"ts":{{"N":"{ts}"}}'
            f',"type":{{"S":"{"credit" if number % 2 else "debit"}"}}'
            f',"amount_cents":{{"N":"{amount}"}},"state":{{"S":"settled"}},"reason":{{"S":"usage"}}'
            f',"stripe_payment_intent_id":{{"S":"pi_{unique}"}}'
            f',"meta":{{"M":{{"idempotency_key":{{"S":"charge:{account}:{amount}:{ts // 30}"}}'
            f',"mode":{{"S":"auto"}}}}}}}}'
        ).encode()


def arrays(count: int, *, a_page: int = PAGE_ITEMS) -> Iterator[tuple[int, bytes]]:
    """The items as JSON arrays of one page each, with how many each holds."""
    batch: list[bytes] = []
    for item in ledger_items(count):
        batch.append(item)
        if len(batch) == a_page:
            yield len(batch), b"[" + b",".join(batch) + b"]"
            batch = []
    if batch:
        yield len(batch), b"[" + b",".join(batch) + b"]"
