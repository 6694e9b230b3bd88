"""Memory of a GPU, booked: a context manager that gives it back."""

from __future__ import annotations

import ctypes
import sys
import weakref
from ctypes import byref, c_uint64, c_void_p

from . import _native
from .errors import Forked, GpukeeperError, NotFound
from .sizes import parse_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Mapping, Optional, TypeVar

    from ._keeper import Keeper
    from .sizes import Size

    Self = TypeVar("Self", bound="GivenBack")


_booked: weakref.WeakValueDictionary[int, Lease] = weakref.WeakValueDictionary()  # of this process, by id()


class GivenBack:
    """What ends with its `with`."""

    def release(self) -> None:
        raise NotImplementedError

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.release()
        except Forked:
            pass  # the lease is the parent's, who gives it back
        except GpukeeperError:
            if error is None:  # else what happened inside is what the caller must hear of
                raise


class Lease(GivenBack):
    """A lease that is held. Released at the end of its `with`, by release(), or with this process.

    with monitor.lease("6GiB", service="training") as lease:
        train(device=lease.device)
    """

    def __init__(self, keeper: Keeper, raw: _native.gk_lease, document: dict[str, Any]) -> None:
        self._keeper = keeper
        self.id: int = raw.id
        self.device: int = raw.device
        self.bytes: int = raw.bytes
        self.fence: int = raw.fence
        self.fell_back: bool = raw.fell_back != 0
        self.document = document  # as /api/v1/leases gives it, at the time of booking
        self.released = False
        _booked[id(self)] = self

    def _ask(self, method: str, target: str, body: Optional[dict[str, Any]]) -> Any:
        return self._keeper.ask(method, target, body)

    def renew(self) -> None:
        """Says that its holder is there; needed in time where the lease has a ttl."""
        self._keeper.call("gk_renew", c_uint64(self.id))

    def resize(self, size: Size) -> None:
        """Other terms: more where there is room, or less. Raises Refused where there is none."""
        count = parse_size(size)
        self._keeper.call("gk_resize", c_uint64(self.id), c_uint64(count))
        self.bytes = count

    def release(self) -> None:
        """Gives it back. Twice is once."""
        if self.released:
            return
        self._keeper.call("gk_release", c_uint64(self.id))
        self.released = True

    def __repr__(self) -> str:
        state = "released" if self.released else "held"
        return f"<Lease {self.id}: {self.bytes / 2**20:.0f} MiB of GPU {self.device}, {state}>"


def book(
    keeper: Keeper,
    size: Size,
    *,
    service: str | None = None,
    name: str | None = None,
    max_size: Size | None = None,
    device: int | None = None,
    require_device: bool = False,
    exclusive: bool = False,
    priority: int = 0,
    standing: bool = False,
    ttl: float = 0,
    wait: float = 0,
    request_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Lease:
    """Books `size` bytes. Raises Refused with the ledger's numbers, AlreadyExists for a name that is taken, TimedOut
    where `wait` seconds brought no room."""
    if device is not None and device < 0:
        raise NotFound(f"there is no GPU {device}: indices begin at 0")
    import json

    words = json.dumps(dict(metadata)).encode() if metadata else None
    request = _native.gk_request(
        ctypes.sizeof(_native.gk_request),
        _native.encoded(service),
        _native.encoded(name),
        parse_size(size),
        0 if max_size is None else parse_size(max_size),
        _native.ALL_DEVICES if device is None else device,
        int(require_device),
        int(exclusive),
        priority,
        int(standing),
        0,
        ttl,
        wait,
        _native.encoded(request_id),
        words,
    )
    raw = _native.gk_lease(ctypes.sizeof(_native.gk_lease))
    written = c_void_p()
    keeper.call("gk_allocate", byref(request), byref(raw), byref(written))
    document = json.loads(_native.taken(keeper.library, written))
    lease = Lease(keeper, raw, document["leases"][0])
    tell_holders(lease)
    return lease


def held() -> list[Lease]:
    """The leases of this process that are held."""
    leases = [reference() for reference in _booked.valuerefs()]
    return [lease for lease in leases if lease is not None and not lease.released]


def tell_holders(lease: Any) -> None:
    """Whoever gives memory back of this process's leases (reclaim.py) does so for this one, too."""
    reclaim = sys.modules.get("gpukeeper.reclaim")  # nobody registered who has not imported it
    if reclaim is not None:
        reclaim.lease_was_booked(lease)
