"""The injector: which requests of a run are hit by what, decided by the seed alone.

Every decision is drawn from the seed and the request itself, never from the order in which threads
happen to send, so that a run can be had again from its seed.
"""

from collections import Counter
from random import Random
from threading import Lock

from tests.faults.calls import Call, Mark, Way, mark_of, page_marks
from tests.faults.catalogue import BACKGROUND, Fault, Lasts
from tests.faults.damage import MADE_UP
from tests.faults.model import ModelTable, Reply, Request
from tests.faults.patience import VirtualClock

_ARMED = 0.25
_FIRES = 0.25
_BACKGROUND_FIRES = 0.05


class Injector:
    """Answers requests from the model, some of them through a fault."""

    def __init__(self, seed: int, fault: Fault, way: Way, model: ModelTable) -> None:
        self.clock = VirtualClock()
        self.hits = 0
        self._label = f"{seed}/{fault.name}/{way}"
        self._fault = fault
        self._model = model
        self._marks = tuple(page_marks(model, way))
        rng = Random(self._label)
        able = [mark for mark in self._marks if not fault.later or not mark.endswith("null]")]
        chosen = {mark for mark in able if rng.random() < _FIRES}
        self._victims = {rng.choice(able)} if fault.single or not chosen else chosen
        self._armed = [other for other in BACKGROUND if rng.random() < _ARMED]
        self._tries: Counter[Mark] = Counter()
        self._struck: set[int] = set()
        self._lock = Lock()

    def answer(self, operation: str, request: Request) -> Reply:
        """The reply to one request, damaged or not; raises what the SDK would for lost ones."""
        if operation not in {"Scan", "Query"}:
            return self._model.answer(operation, request)
        mark = mark_of(request)
        with self._lock:
            attempt = self._tries[mark]
            self._tries[mark] += 1
        chance = Random(f"{self._label}/{mark}/{attempt}")
        call = Call(operation, request, self._model, attempt, self.clock.now(), chance, self._marks)
        fault = self._fault if self._hits(mark, call) else self._other(mark, call)
        if fault is None:
            return call.reply()
        self.hits += fault is self._fault
        return fault.damage(call)

    def _hits(self, mark: Mark, call: Call) -> bool:
        """Whether the fault under test strikes this try."""
        if self._fault.everywhere:
            return True
        if self._fault.lasts is Lasts.ONCE:
            return mark in self._victims and call.attempt < 1 + len(mark) % 3
        if self._fault.lasts is Lasts.ALWAYS:
            return mark in self._victims or MADE_UP in mark
        segment = call.request.get("Segment", 0)
        with self._lock:
            if mark in self._victims:
                self._struck.add(segment)
            return segment in self._struck

    def _other(self, mark: Mark, call: Call) -> Fault | None:
        """Another fault that strikes the first try of this request, if one does."""
        chance = Random(f"{self._label}/other/{mark}")
        fires = self._armed and call.attempt == 0 and chance.random() < _BACKGROUND_FIRES
        return chance.choice(self._armed) if fires else None
