"""One run: a seed, a fault and a way to read, and the verdict on what came of it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from opskit.aws import Connection, reading_client
from opskit.read.patience import Patience
from tests.faults.calls import Way
from tests.faults.catalogue import EVERY, FAULTS, Ends, Fault
from tests.faults.injector import Injector
from tests.faults.items import table_items
from tests.faults.judge import Trial
from tests.faults.line import Proxy, Toxic
from tests.faults.model import ModelTable
from tests.faults.patience import patience_on
from tests.faults.seam import Seam


@dataclass(frozen=True)
class Outcome:
    """What came of a run; `wrong` says why it is a failure, and is empty otherwise."""

    seed: int
    fault: str
    way: Way
    came: str
    wrong: str = ""

    def __str__(self) -> str:
        """The run as it is to be had again."""
        return f"seed {self.seed} x {self.fault} x {self.way}: {self.came}: {self.wrong}"


def model_of(seed: int) -> ModelTable:
    """The table of a seed: its items, size of pages and whether a key comes with the last one."""
    rng = Random(f"table {seed}")
    items = table_items(rng, rng.randint(40, 90))
    return ModelTable(items, page_items=rng.choice((3, 4, 7)), key_on_last=rng.random() < 0.5)


def cases(seed: int, *, share: int = 1) -> Iterator[tuple[Fault, Way]]:
    """Every fault in every way it applies to, or the seed's part of them: one of `share`."""
    every = ((fault, way) for fault in FAULTS for way in fault.ways)
    return (case for number, case in enumerate(every) if (number + seed) % share == 0)


def run(seam: Seam, seed: int, fault: Fault, way: Way, folder: Path) -> Outcome:
    """Read under a fault of the replies and judge what came; the folder's snapshot is removed."""
    model = model_of(seed)
    injector = Injector(seed, fault, way, model)
    seam.answer = injector.answer

    def heal() -> None:
        seam.answer = model.answer

    out = folder / "snapshot"
    patience = patience_on(injector.clock, seed)
    trial = Trial(seam.client, way, model, out, patience, fault.ends, heal, fault.resumes)
    try:
        came, wrong = trial.judged()
    finally:
        shutil.rmtree(out, ignore_errors=True)
    if not injector.hits and not wrong:
        wrong = "the fault never struck"
    return Outcome(seed, fault.name, way, came, wrong)


TOXICS: tuple[tuple[Toxic, bool], ...] = (
    *((toxic, False) for toxic in Toxic if toxic is not Toxic.NONE),
    *((toxic, True) for toxic in (Toxic.SLICED, Toxic.JITTER, Toxic.SLOW_CLOSE)),
    *((toxic, True) for toxic in (Toxic.REFUSE, Toxic.LATE, Toxic.RESET, Toxic.CUT)),
)
"""Every fault of the line, with whether it strikes every connection."""

_BEARABLE = frozenset({Toxic.SLICED, Toxic.JITTER, Toxic.SLOW_CLOSE})


def line_cases(seed: int, *, share: int = 1) -> Iterator[tuple[Toxic, bool, Way]]:
    """Every fault of the line in every way, or the seed's part of them: one of `share`."""
    every = ((toxic, always, way) for toxic, always in TOXICS for way in EVERY)
    return (case for number, case in enumerate(every) if (number + seed) % share == 0)


def line_client(url: str) -> object:
    """A client that waits for no reply as long as a late one takes."""
    return reading_client(Connection("us-east-1", url, connect_timeout=1, read_timeout=0.3))


def run_line(
    line: tuple[object, Proxy, ModelTable], seed: int, case: tuple[Toxic, bool, Way], folder: Path
) -> Outcome:
    """Read through the proxy under a fault of the line and judge what came."""
    client, proxy, model = line
    toxic, always, way = case
    refused = always and toxic not in _BEARABLE
    proxy.strike(toxic, seed, always=always)

    def heal() -> None:
        proxy.strike(Toxic.NONE)

    out = folder / "snapshot"
    patience = Patience(0.02 if refused else 30, 0.005, 0.02, rng=Random(seed))
    ends = Ends.REFUSED if refused else Ends.WHOLE
    try:
        came, wrong = Trial(client, way, model, out, patience, ends, heal).judged()
    finally:
        shutil.rmtree(out, ignore_errors=True)
    name = f"{toxic}, always" if always else str(toxic)
    return Outcome(seed, name, way, came, wrong or ("" if proxy.hits else "it never struck"))
