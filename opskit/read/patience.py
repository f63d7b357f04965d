"""How long a read waits for DynamoDB, and which errors are worth another try.

The SDK's retry quota belongs to a client and collapses under parallel load, so reading retries by
itself: every page has a deadline of its own, counted from its first failure, and a page is always
asked for again from the same key, which is safe to repeat.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from threading import Event
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as SdkConnectionError

from opskit.errors import CorruptResponseError

T = TypeVar("T")

SDK_ERRORS = (BotoCoreError, ClientError)
"""What the SDK raises; anything else from it is a mistake and not handled."""

THROTTLING = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_PASSING = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "PriorRequestNotComplete",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "TransactionInProgressException",
    }
)


class LoopError(CorruptResponseError):
    """A scan or query gave a key to go on from that it had given before."""


class Trouble(Enum):
    """What an error means for the read."""

    THROTTLED = "try again, and ask less often"
    PASSING = "try again"
    FINAL = "stop"


def trouble_of(error: Exception) -> Trouble:
    """Whether asking again may help."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in THROTTLING or status == 429:
            return Trouble.THROTTLED
        return Trouble.PASSING if code in _PASSING or status >= 500 else Trouble.FINAL
    if isinstance(error, LoopError):
        return Trouble.FINAL
    passing = (CorruptResponseError, SdkConnectionError, HTTPClientError, IncompleteReadError)
    return Trouble.PASSING if isinstance(error, passing) else Trouble.FINAL


@dataclass(frozen=True, slots=True)
class Patience:
    """A clock in seconds, a way to sleep, and for how long one page is asked for again.

    Pauses are jittered and double from `first_pause` to `longest_pause`, in seconds. Setting
    `stop` ends every wait.
    """

    within: float = 60.0
    first_pause: float = 0.05
    longest_pause: float = 8.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] | None = None
    stop: Event = field(default_factory=Event)
    rng: Random = field(default_factory=Random)

    def wait(self, seconds: float) -> None:
        """Sleep, or return at once when the read is to stop."""
        if seconds > 0 and not self.stop.is_set():
            (self.sleep or self.stop.wait)(seconds)

    def persist(
        self, attempt: Callable[[], T], *, throttled: Callable[[], object] = lambda: None
    ) -> T:
        """The answer of an attempt, made again for as long as that may help; its last error."""
        deadline: float | None = None
        pause = self.first_pause
        while True:
            try:
                return attempt()
            except (*SDK_ERRORS, CorruptResponseError) as error:
                trouble = trouble_of(error)
                now = self.clock()
                deadline = now + self.within if deadline is None else deadline
                if trouble is Trouble.FINAL or self.stop.is_set() or now >= deadline:
                    raise
                if trouble is Trouble.THROTTLED:
                    throttled()
            self.wait(min(self.rng.uniform(pause / 2, pause), deadline - now))
            pause = min(pause * 2, self.longest_pause)
