"""What can go wrong, as exceptions: one class for each gk_result a caller can act on."""

from __future__ import annotations

TYPE_CHECKING = False  # without importing typing, which takes longer than the rest of this package
if TYPE_CHECKING:
    from typing import Any, Mapping


class GpukeeperError(Exception):
    """Anything that failed. `problem` is the problem document (RFC 9457) with the ledger's numbers, or empty."""

    def __init__(self, message: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.problem: dict[str, Any] = dict(problem or {})

    @property
    def code(self) -> str:
        """For programs: "insufficient_memory", "not_found", …; "" where there is none."""
        return str(self.problem.get("code", ""))


class InvalidArgument(GpukeeperError, ValueError):
    """An argument is wrong."""


class NotFound(GpukeeperError, LookupError):
    """No such GPU, lease or host."""


class Refused(GpukeeperError):
    """The ledger says no; `problem` has the numbers."""


class AlreadyExists(GpukeeperError):
    """The name is taken."""


class NotPermitted(GpukeeperError, PermissionError):
    """Whoever asks may not."""


class Unavailable(GpukeeperError, ConnectionError):
    """The GPU, the daemon or the ledger does not answer."""


class TimedOut(GpukeeperError, TimeoutError):
    """It did not come in time."""


class Forked(GpukeeperError):
    """The monitor was opened before fork(): open another in the child."""


class LibraryMissing(GpukeeperError, OSError):
    """libgpukeeper.so cannot be loaded; the message names every place that was tried."""


# By gk_result (include/gpukeeper/gpukeeper.h).
BY_RESULT: dict[int, type[GpukeeperError]] = {
    1: InvalidArgument,
    2: NotFound,
    3: Refused,
    4: AlreadyExists,
    5: NotPermitted,
    6: Unavailable,
    7: TimedOut,
    8: Forked,
    9: GpukeeperError,
}

_BY_STATUS: dict[int, type[GpukeeperError]] = {
    400: InvalidArgument,
    401: NotPermitted,
    403: NotPermitted,
    404: NotFound,
    408: TimedOut,
    503: Unavailable,
}


def by_status(status: int, code: str) -> type[GpukeeperError]:
    """What a daemon's answer of that HTTP status and code means (docs/api.md, "Errors")."""
    if status == 409:
        return AlreadyExists if code == "name_taken" else Refused
    if status == 403 and code == "quota_exceeded":
        return Refused
    return _BY_STATUS.get(status, GpukeeperError)
