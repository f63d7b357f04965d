"""Every error opskit raises on purpose.

- OpskitError: the root; its message says what, which, and what next, in one line
  - InputError: something the caller gave is unusable (exit 2)
    - SettingsError: one or more settings are missing or wrong
    - CaptureError: a capture, snapshot or export cannot be read as one
      - ExportError: an object of an export is not what its manifests say
    - CheckDefinitionError: a check's file is not a check
    - ParameterError: a runbook was given a parameter it does not take
  - AccessError: AWS could not be asked: credentials, permission, region or network (exit 2)
  - WriteRefusedError: an operation that this client may not send (exit 2)
  - PlanError: a plan cannot be carried out (exit 2)
    - ConflictError: a live table is not the table the catalogue describes
    - StalePlanError: the tables moved after the plan was made
  - ReadError: a read did not end complete
    - CorruptResponseError: a reply was altered, cut or not DynamoDB's (exit 2)
    - IncompleteReadError: part of what was asked for is missing (exit 3)
  - SandboxError: the local sandbox did not start, answer or stop (exit 2)
"""

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_FAILED = 2
EXIT_INCOMPLETE = 3
EXIT_INTERRUPTED = 130
"""What a shell itself says of a command that Ctrl-C ended."""


class OpskitError(Exception):
    """The root of every error opskit raises on purpose."""

    exit_code = EXIT_FAILED

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows in place of a traceback: the message says what to do."""
        return [f"{type(self).__name__}: {self}"]


class InputError(OpskitError):
    """Something the caller gave is unusable; the message names the field and the fix."""


class SettingsError(InputError):
    """One or more settings are missing or wrong."""


class CaptureError(InputError):
    """A capture, snapshot or export cannot be read as one."""


class ExportError(CaptureError):
    """An object of an export is not what its manifests say; no item of the export is used.

    `fault` is the kind of failure in words, `name` the object, `detail` what was found there.
    """

    def __init__(self, fault: str, name: str, detail: str = "") -> None:
        super().__init__(fault, name, detail)
        self.fault, self.name, self.detail = fault, name, detail

    def __str__(self) -> str:
        """One line: the object, its fault, and what next."""
        found = f" ({self.detail})" if self.detail else ""
        return f"{self.name}: {self.fault}{found}; nothing of the export was used"


class CheckDefinitionError(InputError):
    """A check's file is not a check."""


class ParameterError(InputError):
    """A runbook was given a parameter it does not take, or a value of the wrong type."""


class AccessError(OpskitError):
    """AWS could not be asked: credentials, permission, region or network."""


class WriteRefusedError(OpskitError):
    """The client's allow-list does not hold the operation; nothing was sent."""


class PlanError(OpskitError):
    """A plan cannot be carried out."""


class ConflictError(PlanError):
    """A live table is not the table the catalogue describes; it is left untouched."""


class StalePlanError(PlanError):
    """The live tables moved after the plan was made."""


class ReadError(OpskitError):
    """A read did not end complete."""


class CorruptResponseError(ReadError):
    """A reply was altered, cut short, or is not DynamoDB's."""


class IncompleteReadError(ReadError):
    """Part of what was asked for is missing."""

    exit_code = EXIT_INCOMPLETE


class SandboxError(OpskitError):
    """The local sandbox did not start, answer or stop."""
