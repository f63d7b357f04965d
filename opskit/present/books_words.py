"""The books as titled tables of text, which every rendering for people shares."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from opskit.ledger.counters import Counters
from opskit.present.books_ageing import ageing_tables
from opskit.present.books_table import Table, currency_unit, more
from opskit.present.statement_words import period_text
from opskit.present.words import amount_alone, counted, utc
from opskit.tables.items import COUNTERS

if TYPE_CHECKING:
    from opskit.audit.ledger_report import LedgerReport
    from opskit.ledger.continuity import Continuity
    from opskit.ledger.rollforward import Movement, RollForward

_UNCONFIRMED = (
    "the differences of accounts that were written to shortly before, or would not lie still; "
    "they may be writes half done, and are neither explained nor unexplained"
)
FIVE = (1, 2, 3, 4, 5)
COUNTER_WORDS = tuple(counter.replace("_", " ") for counter in COUNTERS)


def headline(report: "LedgerReport") -> str:
    """Whether the books tie, in a few words."""
    if not report.agrees:
        return "The books do not tie"
    return "The books tie" if report.is_whole else "The books tie, as far as they could be judged"


def basis(report: "LedgerReport") -> str:
    """What the figures rest on, in one or two sentences."""
    sentence = f"{_differences(report)}Period: {period_text(report.period)}."
    if not report.period.is_open:
        sentence += " As now restated: entries change state in place."
    if report.unjudged:
        unjudged = counted(len(report.unjudged), "account")
        sentence += f" Left out of every figure: {unjudged} that could not be judged."
    if report.undated and report.period.is_bounded:
        undated = counted(report.undated, "entry", "entries")
        sentence += f" Counted as before the period: {undated} whose time cannot be read."
    if report.unconfirmed:
        sentence += f" Not confirmed: {_UNCONFIRMED}."
    return " ".join((sentence, *report.remarks))


def _differences(report: "LedgerReport") -> str:
    """Why the books do not tie, in a sentence with a blank after it; "" where they do."""
    parts = []
    if drifted := max((total.accounts for total in report.control), default=0):
        accounts = counted(drifted, "account")
        parts.append(f"the stored counters of at least {accounts} differ from the entries")
    if report.continuity and report.continuity.restatements:
        entries = counted(report.continuity.restatements, "entry", "entries")
        parts.append(f"{entries} rewrote the earlier period")
    words = "; ".join(parts)
    return f"{words[:1].upper()}{words[1:]}. " if words else ""


def tables(report: "LedgerReport", *, shown: int) -> tuple[Table, ...]:
    """Every table of the books; at most `shown` accounts in each that lists accounts."""
    return (
        *(_roll_forward(one) for one in report.roll_forward),
        *_continuity(report),
        *_control(report),
        *ageing_tables(report.ageing, shown=shown),
        *([_restated(report.continuity, shown)] if report.continuity else ()),
        *_population(report),
    )


def _counters(counters: Counters, currency: str) -> tuple[str, ...]:
    """The four counters and what is due, as figures."""
    values = (*counters.values(), counters.due_settled)
    return tuple(amount_alone(value, currency) for value in values)


def _movement(movement: "Movement") -> str:
    words = {"debit": "debits", "credit": "credits"}.get(movement.kind, movement.kind)
    named = f"{words}: {movement.reason}" if movement.reason else words
    return f"{named} ({movement.entries:,})"


def _roll_forward(one: "RollForward") -> Table:
    rows = [
        ("opening", *_counters(one.opening, one.currency)),
        *((_movement(part), *_counters(part.effect, one.currency)) for part in one.movements),
        ("closing", *_counters(one.closing, one.currency)),
    ]
    strong = {0, len(rows) - 1}
    note = "Stored counters are of now, and are not compared with a closed period."
    if one.stored is not None and one.difference is not None:
        rows.append(("stored", *_counters(one.stored, one.currency)))
        rows.append(("stored less closing", *_counters(one.difference, one.currency)))
        strong.add(len(rows) - 1)
        note = ""
    return Table(
        title=f"Roll-forward in {currency_unit(one.currency)}",
        caption="Opening, what entries moved (how many of them), closing",
        headings=("movement", *COUNTER_WORDS, "due now"),
        figures=FIVE,
        rows=tuple(rows),
        strong=frozenset(strong),
        note=note,
    )


def _continuity(report: "LedgerReport") -> Iterable[Table]:
    found = report.continuity
    if found is None:
        return
    for one in found.currencies:
        changes = (
            (
                f"{part.change.value}, {_movement(part.movement)}",
                *_counters(part.movement.effect, one.currency),
            )
            for part in one.changes
        )
        rows = (
            ("earlier closing", *_counters(one.opening, one.currency)),
            *changes,
            ("closing now", *_counters(one.closing, one.currency)),
        )
        yield Table(
            title=f"From the earlier snapshot in {currency_unit(one.currency)}",
            caption=f"What became of the entries since {found.earlier}",
            headings=("change", *COUNTER_WORDS, "due now"),
            figures=FIVE,
            rows=rows,
            strong=frozenset({0, len(rows) - 1}),
            note=_left_out(found.left_out),
        )


def _left_out(accounts: int) -> str:
    if not accounts:
        return ""
    return f"{counted(accounts, 'account')} that could not be judged in one of the two: left out."


def _restated(found: "Continuity", shown: int) -> Table:
    listed = found.restated[:shown]
    rows = tuple((one.account, one.sk, one.change.value, one.text) for one in listed)
    before = f" before {utc(found.cutoff)}" if found.cutoff else ""
    note = "None: the earlier closing is the opening."
    if found.restatements:
        note = "Prior period restated. " + more(len(found.restated) - len(rows))
    if found.restatements > len(found.restated):
        kept = f"the first {len(found.restated):,} of {found.restatements:,}"
        note = f"Prior period restated. Shown: {len(rows):,}; the CSV and the JSON hold {kept}."
    return Table(
        title="Restated entries",
        caption=f"Entries{before} that are new, gone or altered: {found.restatements:,}",
        headings=("account", "entry", "change", "how"),
        rows=rows,
        note=note.strip(),
    )


def _control(report: "LedgerReport") -> Iterable[Table]:
    for currency in sorted({total.currency for total in report.control}):
        totals = [total for total in report.control if total.currency == currency]
        moving = any(total.unconfirmed_accounts for total in totals)
        rows = tuple(
            (
                total.counter.replace("_", " "),
                *(
                    amount_alone(value, currency)
                    for value in (total.stored, total.computed, total.difference)
                ),
                *(amount_alone(value, currency) for value in (total.explained, total.unexplained)),
                *((amount_alone(total.unconfirmed, currency),) if moving else ()),
                f"{total.accounts:,}",
                amount_alone(total.gross, currency),
            )
            for total in totals
        )
        yield Table(
            title=f"Control accounts in {currency_unit(currency)}",
            caption="All stored counters beside all entries, as they are now; gross is the sum of"
            " the absolute differences of the accounts",
            headings=(
                "counter",
                "stored",
                "computed",
                "difference",
                "explained",
                "unexplained",
                *(("unconfirmed",) if moving else ()),
                "accounts that differ",
                "gross",
            ),
            rows=rows,
            figures=tuple(range(1, 9 if moving else 8)),
        )
        yield _by_class(report, currency)


def _by_class(report: "LedgerReport", currency: str) -> Table:
    rows = tuple(
        (
            total.counter.replace("_", " "),
            part.fault_class.replace("_", " "),
            f"{part.accounts:,}",
            amount_alone(part.amount, currency),
        )
        for total in report.control
        if total.currency == currency
        for part in total.by_class
    )
    return Table(
        title=f"Differences explained in {currency_unit(currency)}",
        caption="Each difference by what the missing or repeated postings have in common",
        headings=("counter", "consistent with", "accounts", "amount"),
        rows=rows,
        figures=(2, 3),
        note="" if rows else "Nothing differs.",
    )


def _population(report: "LedgerReport") -> Iterable[Table]:
    found = report.population
    proved = "Parts, files and kinds add up" if found.is_proved else "They do NOT add up"
    yield Table(
        title="Population",
        caption=f"{counted(found.items, 'item')} of {found.source}: {found.verdict}, read from"
        f" {found.started} to {found.ended}",
        figures=(1, 2),
        headings=("kind", "in the manifest", "in the books", "first key", "last key"),
        rows=tuple(
            (
                kind.kind.replace("_", " "),
                f"{kind.recorded:,}",
                f"{kind.held:,}",
                " ".join(kind.first),
                " ".join(kind.last),
            )
            for kind in found.kinds
        ),
        note=f"{proved}; items that were read twice and are kept once: {found.repeated:,}.",
    )
    yield Table(
        title="Parts read",
        caption="Segments of the scan, or files of the capture",
        figures=(1, 2),
        headings=("part", "pages", "items", "read to its end"),
        rows=tuple(
            (part.name, f"{part.pages:,}", f"{part.items:,}", "yes" if part.done else "NO")
            for part in found.parts
        ),
    )
