"""The faults thrown at replies, by the rows of the fault matrix, and what must come of each."""

from dataclasses import dataclass
from enum import StrEnum

from opskit.read.patience import THROTTLING
from tests.faults import damage
from tests.faults.calls import Way
from tests.faults.damage import Damage


class Ends(StrEnum):
    """What a read must come to under a fault; under none may it be wrong and not say so."""

    WHOLE = "whole, as the table"
    REFUSED = "not whole, and says so"
    CONFLICT = "whole, the differing copies set aside"


class Lasts(StrEnum):
    """For how long a request that is hit is hit."""

    ONCE = "up to three tries"
    ALWAYS = "every try"
    ONWARDS = "every request from it on"


EVERY = (Way.SERIAL, Way.PARALLEL, Way.QUERY)


@dataclass(frozen=True)
class Fault:
    """One fault, its row of the matrix, and what it is to end in.

    `everywhere` hits every request rather than chosen ones, `single` only one; `later` only those
    that go on from a key. What was read goes on from where it ended, unless not `resumes`.
    """

    row: int
    name: str
    damage: Damage
    lasts: Lasts = Lasts.ONCE
    ends: Ends = Ends.WHOLE
    ways: tuple[Way, ...] = EVERY
    everywhere: bool = False
    later: bool = False
    single: bool = False
    resumes: bool = True


PASSING: tuple[tuple[int, str, Damage], ...] = (
    (1, "connection refused", damage.no_connection),
    (1, "connect timeout", damage.connect_timeout),
    (2, "read timeout", damage.read_timeout),
    (3, "connection closed", damage.closed),
    (4, "body cut", damage.cut),
    (4, "body cut after the JSON, no CRC", damage.cut_spaces),
    (5, "HTML page", damage.body(lambda _: b"<html><body>Sign in</body></html>")),
    (5, "HTML page, no CRC", damage.body(lambda _: b"<!doctype html>", checksum=False)),
    (5, "empty body", damage.body(lambda _: b"", checksum=False)),
    (5, "broken JSON", damage.body(lambda raw: raw[:-3])),
    (5, "JSON with a tail", damage.body(lambda raw: raw + b"}", checksum=False)),
    (5, "not UTF-8", damage.body(damage.binary_tail)),
    (5, "a JSON array", damage.body(lambda raw: b"[" + raw + b"]")),
    (5, "a JSON null", damage.body(lambda _: b"null")),
    (5, "a JSON true", damage.body(lambda _: b"true")),
    (5, "a JSON number", damage.body(lambda _: b"5")),
    (5, "a JSON text", damage.body(lambda _: b'"text"')),
    (6, "empty object", damage.body(lambda _: b"{}")),
    (6, "Items missing", damage.page(lambda page: page.pop("Items"))),
    (6, "Items null", damage.page(lambda page: page.update(Items=None))),
    (6, "Items a map", damage.page(lambda page: page.update(Items={"0": {}}))),
    (6, "item not a map", damage.page(lambda page: page.update(Items=["x"] * page["Count"] + [1]))),
    (6, "Count missing", damage.page(lambda page: page.pop("Count"))),
    (6, "ScannedCount missing", damage.page(lambda page: page.pop("ScannedCount"))),
    (6, "Count a text", damage.page(lambda page: page.update(Count=str(page["Count"])))),
    (6, "fewer items than Count", damage.page(damage.lose_item)),
    (6, "Count below ScannedCount", damage.page(damage.lose_counted)),
    (6, "Count above ScannedCount", damage.page(damage.count_above)),
    (7, "bit flip", damage.bit_flip),
    (7, "CRC no number", damage.checksum_no_number),
    (9, "500", damage.error("InternalServerError", 500)),
    (9, "503", damage.error("ServiceUnavailable", 503)),
    (9, "502 HTML", lambda _: damage.reply_of(b"<html>", 502)),
    (10, "429", damage.error("Odd", 429)),
)
"""What may pass: hit for a while the read ends whole, hit always it says what is missing."""

FINAL: tuple[tuple[int, str, Damage], ...] = (
    (12, "token expired", damage.error("ExpiredTokenException")),
    (12, "request expired", damage.error("RequestExpired")),
    (12, "access denied", damage.error("AccessDeniedException")),
    (12, "403 HTML", lambda _: damage.reply_of(b"<html>", 403)),
    (19, "table deleted", damage.error("ResourceNotFoundException")),
)
"""What another try cannot help."""

SPECIAL = (
    Fault(8, "CRC stripped", damage.checksum_stripped, Lasts.ALWAYS),
    Fault(10, "throttled for 30 s", damage.storm(30), Lasts.ALWAYS, everywhere=True),
    Fault(13, "500 empty pages", damage.empty_pages, Lasts.ALWAYS, single=True),
    Fault(14, "key repeats", damage.key_repeats, Lasts.ALWAYS, Ends.REFUSED, later=True),
    Fault(14, "keys cycle", damage.key_cycles, Lasts.ALWAYS, Ends.REFUSED, later=True),
    Fault(14, "key an empty map", damage.key_empty, Lasts.ALWAYS, Ends.REFUSED, later=True),
    Fault(16, "item served twice", damage.served_twice, Lasts.ALWAYS),
    Fault(16, "item served differing", damage.served_differing, Lasts.ALWAYS, Ends.CONFLICT),
    Fault(
        17,
        "key of another segment",
        damage.key_of_other_segment,
        Lasts.ALWAYS,
        Ends.REFUSED,
        (Way.PARALLEL,),
        later=True,
        resumes=False,
    ),
)

FAULTS: tuple[Fault, ...] = (
    *(Fault(row, name, harm) for row, name, harm in PASSING),
    *(Fault(10, code, damage.error(code)) for code in sorted(THROTTLING)),
    *(
        Fault(row, f"{name}, always", harm, Lasts.ALWAYS, Ends.REFUSED)
        for row, name, harm in (*PASSING, (10, "throttled", damage.error("ThrottlingException")))
    ),
    *(Fault(row, name, harm, Lasts.ONWARDS, Ends.REFUSED) for row, name, harm in FINAL),
    *SPECIAL,
)
"""Every fault of a reply; those of the line are in `tests.faults.line`."""

BACKGROUND = tuple(fault for fault in FAULTS if fault.lasts is Lasts.ONCE)
"""What may be armed beside the fault under test without changing what it must end in."""
