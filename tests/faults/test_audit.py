"""End to end: `opskit audit` of a served table, one page of which is an HTML page."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from engines import REGION, clean_environment

from tests.faults.line import ModelServer, served
from tests.faults.model import TABLE, ModelTable, Reply, Request, reply_of

HTML = b"<html><body>Please sign in to the network</body></html>"
PAGE = 3
AMOUNTS = re.compile(r"12[,.]?345|6[,.]?172|370[,.]?370|37037010|1234567|6172835")
"""The amount of an entry, of a page of five, and of all thirty, as any report shows them."""


def books() -> ModelTable:
    """Books of one account that are right: thirty debits and the balance they add up to."""
    entries = [
        {
            "pk": {"S": "USER#a"},
            "sk": {"S": f"LEDGER#{1_750_000_000 + number}#{number}"},
            "entry_id": {"S": str(number)},
            "ts": {"N": str(1_750_000_000 + number)},
            "type": {"S": "debit"},
            "amount_cents": {"N": "1234567"},
            "state": {"S": "settled"},
            "reason": {"S": "usage"},
        }
        for number in range(30)
    ]
    counters = dict.fromkeys(("owed_pending", "payments_pending", "payments_settled"), 0)
    counters["owed_settled"] = 30 * 1_234_567
    balance = {
        "pk": {"S": "USER#a"},
        "sk": {"S": "BALANCE"},
        "currency": {"S": "usd"},
        **{f"{name}_cents": {"N": str(value)} for name, value in counters.items()},
    }
    return ModelTable([*entries, balance], page_items=5)


def audit(server: ModelServer, *more: str) -> subprocess.CompletedProcess[str]:
    """Audit the served table as a shell does."""
    command = [sys.executable, "-c", "from opskit.cli import main; main()", "audit", *more]
    where = ["--endpoint-url", server.url, "--region", REGION, "--as-of", "2026-01-01"]
    return subprocess.run(
        [*command, *where],
        env=clean_environment(BILLING_TABLE_NAME=TABLE),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def struck(model: ModelTable, times: int) -> ModelServer:
    """Make the third page of the scan an HTML page so many times."""
    marks: list[str] = []
    hits = count()

    def answer(operation: str, request: Request) -> Reply:
        mark = str(request.get("ExclusiveStartKey"))
        if operation == "Scan" and mark not in marks:
            marks.append(mark)
        third = operation == "Scan" and marks.index(mark) == PAGE - 1
        return reply_of(HTML) if third and next(hits) < times else model.answer(operation, request)

    return ModelServer(answer)


def test_a_page_that_stays_html(tmp_path: Path) -> None:
    """The audit ends with 2 or 3 and shows no amount when a page can never be read.

    It asks for the page again until --deadline; both forms of the report wait side by side.
    """
    page, table = tmp_path / "report.html", tmp_path / "findings.csv"
    with served(struck(books(), 10**9)) as server, ThreadPoolExecutor(2) as pool:
        forms = (["--html", str(page), "--csv", str(table)], ["--json"])
        begun = time.monotonic()
        runs = [pool.submit(audit, server, *form, "--deadline", "3") for form in forms]
        ends = [run.result(240) for run in runs]
    assert time.monotonic() - begun < 50, "the page was asked for longer than --deadline says"
    for done in ends:
        assert done.returncode in {2, 3}, done.stderr
        assert not AMOUNTS.search(done.stdout)
        assert "Traceback" not in done.stderr
    assert not page.exists() or not AMOUNTS.search(page.read_text())
    assert not table.exists() or not AMOUNTS.search(table.read_text())


def test_a_page_that_is_html_once(tmp_path: Path) -> None:
    """The audit recovers when a page is garbage once: the same report as of the sound table."""
    with served(struck(books(), 1)) as server:
        once = audit(server)
    with served(struck(books(), 0)) as server:
        sound = audit(server)
    assert once.returncode == sound.returncode in {0, 1}, once.stderr
    assert _undated(once.stdout) == _undated(sound.stdout)
    assert "370,370.10" in once.stdout or "370370.10" in once.stdout


def _undated(text: str) -> str:
    """The words of a report without the moment its snapshot ended."""
    return re.sub(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+\+00:00", "", "".join(text.split()))
