"""What a service does on the GPUs, told for the metrics: throughput and latency (docs/api.md, "/metrics").

    with gpukeeper.operation("embedding", "inference", device=0):
        model(batch)
"""

from __future__ import annotations

import time

from .errors import GpukeeperError
from .monitor import default_monitor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Optional

    from .client import Client
    from .monitor import Monitor


def record_operation(
    service: str,
    kind: str,
    *,
    device: Optional[int] = None,
    count: int = 1,
    seconds: Optional[float] = None,
    to: Monitor | Client | None = None,
) -> None:
    """Counts `count` operations of a kind, such as "inference", which took `seconds` each (None: nobody measured it).
    They stand in the metrics of `to`: a monitor, or a client of the daemon; None: this process's own monitor.
    Raises what is wrong with them."""
    body: dict[str, Any] = {"service": service, "operation": kind, "count": count}
    if device is not None:
        body["device"] = str(device)
    if seconds is not None:
        body["seconds"] = seconds
    target = default_monitor() if to is None else to
    ask = getattr(target, "ask", None) or getattr(target, "request")
    ask("POST", "/api/v1/operations", body)


class operation:
    """For `with`: measures what is inside, and records it unless it raises. That it could not be recorded is a line in
    the log, and never an error of the work that was done."""

    def __init__(
        self,
        service: str,
        kind: str,
        *,
        device: Optional[int] = None,
        count: int = 1,
        to: Monitor | Client | None = None,
    ) -> None:
        self._what = (service, kind)
        self._more: dict[str, Any] = {"device": device, "count": count, "to": to}
        self._begin = 0.0

    def __enter__(self) -> operation:
        self._begin = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            return
        each = (time.monotonic() - self._begin) / max(1, self._more["count"])
        try:
            record_operation(*self._what, seconds=each, **self._more)
        except GpukeeperError as failure:
            import logging

            logging.getLogger("gpukeeper").warning("an operation was not recorded: %s", failure)
