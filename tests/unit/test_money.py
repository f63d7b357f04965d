"""Money is whole minor units, exact, and shown with its currency's decimals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opskit.money import (
    MAX_MINOR_UNITS,
    THREE_DECIMAL,
    ZERO_DECIMAL,
    decimals,
    format_minor,
    whole_number,
)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (0, "usd", "0.00 USD"),
        (5, "usd", "0.05 USD"),
        (-5, "usd", "-0.05 USD"),
        (123456789, "EUR", "1,234,567.89 EUR"),
        (-1999, "jpy", "-1,999 JPY"),
        (1234, "kwd", "1.234 KWD"),
        (100, "", "1.00"),
    ],
)
def test_amounts_are_shown_in_major_units(amount: int, currency: str, shown: str) -> None:
    """Each currency's minor unit has its own number of decimals, and the sign leads."""
    assert format_minor(amount, currency) == shown


def test_no_currency_has_two_kinds_of_minor_unit() -> None:
    """The lists of exceptions do not overlap, and any other code has two decimals."""
    assert not ZERO_DECIMAL & THREE_DECIMAL
    assert decimals("xyz") == 2


@given(st.integers(-MAX_MINOR_UNITS, MAX_MINOR_UNITS))
def test_showing_loses_nothing(amount: int) -> None:
    """What is shown, read back as a decimal, is the amount."""
    assert Decimal(format_minor(amount, "usd").split()[0].replace(",", "")) * 100 == amount


@given(
    st.integers(-MAX_MINOR_UNITS, MAX_MINOR_UNITS), st.sampled_from(["{}", "{}.0", "{}.", "{}E0"])
)
def test_a_whole_number_is_read_however_it_is_spelled(amount: int, spelling: str) -> None:
    """A trailing point, zero decimals or an exponent do not change a whole number."""
    assert whole_number(spelling.format(amount)) == amount


NOT_WHOLE = ["", " 1", "1,00", "0x10", "1_000", "NaN", "Infinity", "12.5", "1E-1", "--1"]
OTHER_SCRIPT = "\uff11\uff10\uff10"
TOO_LARGE = ["1" * 39, "1E126", "1E999999999999999999999", str(MAX_MINOR_UNITS + 1)]


@pytest.mark.parametrize("text", [*NOT_WHOLE, OTHER_SCRIPT, *TOO_LARGE])
def test_what_is_not_a_whole_number_within_the_limit_is_none(text: str) -> None:
    """Fractions, other notations, other scripts and numbers beyond the limit are not read."""
    assert whole_number(text) is None
