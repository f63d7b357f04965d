"""Exact money: integers in minor units, shown in major units, never a float.

A currency's number of decimals follows ISO 4217, which is what the ledger's `amount_cents` uses;
processors differ (see their importers).
"""

import re
from decimal import Decimal, InvalidOperation

ZERO_DECIMAL = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMAL = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

MAX_MINOR_UNITS = 10**15
"""The largest magnitude opskit posts: ten trillion in a two-decimal currency.

Anything larger is a defect of the item. Sums are made in 128 bits, which no number of entries
fills.
"""


def decimals(currency: str) -> int:
    """The decimals of a currency's minor unit; 2 where the code is not a known exception."""
    code = currency.upper()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", re.ASCII)


def whole_number(text: str) -> int | None:
    """The integer a DynamoDB Number spells, or None when it is not whole or beyond the limit."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if value.copy_abs() > MAX_MINOR_UNITS:
        return None
    whole = int(value)
    return whole if whole == value else None


def format_minor(amount: int, currency: str = "") -> str:
    """An amount in minor units as major units, `-1,234.56 USD`; the sign is always leading."""
    places = decimals(currency)
    sign = "-" if amount < 0 else ""
    major, minor = divmod(abs(amount), 10**places)
    text = f"{sign}{major:,}" + (f".{minor:0{places}d}" if places else "")
    return f"{text} {currency.upper()}".rstrip()
