"""Every error of the program, sorted by what the caller must do next.

    OrosyncError
    ├── BadInput             the person or program that asked must change the request
    │   ├── ConfigurationError   an environment variable is missing or wrong
    │   └── SettingError         a setting is unknown or out of range
    ├── TryLater             nothing is wrong with the data: wait and run again
    │   ├── Throttled            the other system asked for a pause of `retry_after_s`
    │   ├── Unreachable          no answer: name, connection, time-out
    │   └── SideFailing          an answer of the 5xx kind, or one that makes no sense
    ├── SignInNeeded         the account is suspended until its user acts
    ├── AccountBlocked       the account is suspended until an administrator acts
    ├── EntityForbidden      one entity may not be read or written; the others go on
    ├── CursorExpired        the change feed must be read from the start (a normal path)
    ├── RecordError          one record fails by itself
    │   ├── RecordRefused        the system refuses its content: quarantine
    │   ├── RecordChanged        it changed since it was read: read and plan again
    │   ├── RecordMissing        the target is not there any more: resolve it
    │   └── OutcomeUnknown       the request may or may not have been applied: recover first
    ├── PlanHeld             the guard wants an approval
    ├── LeaseLost            another worker owns the account now: stop without writing
    └── RunCancelled         a person stopped the run; what is done stays done
        └── OutOfTime            its time is over, or the process ends: it goes on by itself

Each carries ids and short facts, never the content of a record, a secret or a token.
"""

from __future__ import annotations


class OrosyncError(Exception):
    """The root. `message` is for people; `remedy` says what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class BadInput(OrosyncError):
    """The request cannot be carried out as asked; `field` names what to change."""

    def __init__(self, message: str, *, field: str = "", remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.field = field


class ConfigurationError(BadInput):
    """One or more environment variables are missing or wrong; all are named in `problems`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The configuration is not usable:\n  " + "\n  ".join(problems))
        self.problems = problems


class SettingError(BadInput):
    """A setting's key is unknown or its value is out of range."""


class TryLater(OrosyncError):
    """Temporary; `retry_after_s` is the wait the other side asked for, None if it did not say."""

    def __init__(self, message: str, *, retry_after_s: float | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class Throttled(TryLater):
    """429 or 503: the whole mailbox or instance is to be left alone for `retry_after_s`."""


class Unreachable(TryLater):
    """No usable connection: unknown host, refused, time-out, certificate not trusted.

    `fingerprint` is the SHA-256 of the certificate met, where that was the trouble.
    """

    def __init__(self, message: str, *, remedy: str = "", fingerprint: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.fingerprint = fingerprint


class SideFailing(TryLater):
    """A 5xx answer to a read, or an answer whose body is not what the interface promises."""


class SignInNeeded(OrosyncError):
    """Key or token refused, consent withdrawn: the account is suspended until its user signs in."""


class AccountBlocked(OrosyncError):
    """An administrator must act: API switched off, application policy, quota used up."""


class EntityForbidden(OrosyncError):
    """The user's role does not allow this entity (403 for the whole type)."""

    def __init__(self, message: str, *, entity: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.entity = entity


class CursorExpired(OrosyncError):
    """The cursor is no longer known (410, syncStateNotFound, resyncRequired)."""


class RecordError(OrosyncError):
    """One record's own trouble; `code` is the other side's machine-readable word for it."""

    def __init__(self, message: str, *, code: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class RecordRefused(RecordError):
    """400 or 422: the content is refused; it goes into quarantine with this reason."""


class RecordChanged(RecordError):
    """412 or 409: somebody wrote it since we read it."""


class RecordMissing(RecordError):
    """404 or 410 on the target of a write."""


class OutcomeUnknown(RecordError):
    """Time-out, broken connection or 5xx after a write was sent. pause: set if the whole side asks to be left alone."""

    def __init__(
        self, message: str, *, code: str = "", status: int | None = None, pause: Throttled | None = None
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.pause = pause


class PlanHeld(OrosyncError):
    """The guard holds the plan with hash `plan_hash`; `limits` are the limits it would pass."""

    def __init__(self, message: str, *, plan_hash: str, limits: list[str]) -> None:
        super().__init__(message, remedy="Look at the preview, then approve exactly this plan.")
        self.plan_hash = plan_hash
        self.limits = limits


class RunCancelled(OrosyncError):
    """Asked for by a person. Stopping anywhere is safe: what is not done yet is in the journal."""


class OutOfTime(RunCancelled):
    """The run had its time, or its process ends. The rest is in the journal, and the next run goes on from there."""


class LeaseLost(OrosyncError):
    """The lease's epoch moved on; whatever this worker still holds is void."""
