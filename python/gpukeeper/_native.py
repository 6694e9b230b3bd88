"""The C interface of gpukeeper (include/gpukeeper/gpukeeper.h), declared for ctypes, and where the library is found.

Structures and functions bear their C names. Nothing is loaded before load() is called: importing costs nothing, and
works where the library is not there.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, Structure, c_char, c_char_p, c_double, c_int32, c_size_t
from ctypes import c_uint16, c_uint32, c_uint64, c_void_p

from .errors import BY_RESULT, GpukeeperError, LibraryMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OK = 0
ABI = 1  # of the header these declarations were written from
ABSENT = 2**64 - 1
ALL_DEVICES = -1
LEDGER_MACHINE, LEDGER_MEMORY = 0, 1

NAME = "libgpukeeper.so.0"
VARIABLE = "GPUKEEPER_LIBRARY"


class gk_options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("source", c_char_p),
        ("host", c_char_p),
        ("config", c_char_p),
        ("state_dir", c_char_p),
        ("ledger", c_int32),
        ("monitoring", c_int32),
    ]


class gk_reading(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("index", c_uint32),
        ("available", c_int32),
        ("state", c_int32),
        ("simulated", c_int32),
        ("read_at", c_double),
        ("utilization_percent", c_double),
        ("memory_busy_percent", c_double),
        ("memory_used_bytes", c_uint64),
        ("memory_total_bytes", c_uint64),
        ("memory_percent", c_double),
        ("temperature_celsius", c_double),
        ("power_watts", c_double),
        ("power_limit_watts", c_double),
        ("fan_percent", c_double),
        ("clock_graphics_mhz", c_double),
        ("clock_memory_mhz", c_double),
        ("pcie_tx_bytes_per_second", c_double),
        ("pcie_rx_bytes_per_second", c_double),
        ("uuid", c_char * 96),
        ("name", c_char * 128),
        ("driver", c_char * 64),
    ]


class gk_throttling(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("state", c_int32),
        ("is_throttled", c_int32),
        ("should_throttle", c_int32),
        ("speed_multiplier", c_double),
    ]


class gk_request(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("service", c_char_p),
        ("name", c_char_p),
        ("bytes", c_uint64),
        ("max_bytes", c_uint64),
        ("device", c_int32),
        ("require", c_int32),
        ("exclusive", c_int32),
        ("priority", c_int32),
        ("standing", c_int32),
        ("documented", c_int32),
        ("ttl_seconds", c_double),
        ("wait_seconds", c_double),
        ("request_id", c_char_p),
        ("metadata_json", c_char_p),
    ]


class gk_lease(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("id", c_uint64),
        ("bytes", c_uint64),
        ("fence", c_uint64),
        ("device", c_int32),
        ("fell_back", c_int32),
    ]


class gk_event(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("sequence", c_uint64),
        ("type", c_char_p),
        ("device", c_int32),
        ("json", c_char_p),
    ]


STRUCTURES = (gk_options, gk_reading, gk_throttling, gk_request, gk_lease, gk_event)

gk_listener = ctypes.CFUNCTYPE(None, POINTER(gk_event), c_void_p)

_KEEPER = c_void_p
_TEXT = POINTER(c_void_p)  # char**: as an address, so that it can be given back to gk_free()

# Each function's result and arguments, as the header has them.
FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "gk_abi": (c_uint32, ()),
    "gk_version": (c_char_p, ()),
    "gk_last_error": (c_char_p, ()),
    "gk_last_problem": (c_char_p, ()),
    "gk_free": (None, (c_void_p,)),
    "gk_open": (c_int32, (POINTER(gk_options), POINTER(_KEEPER))),
    "gk_close": (None, (_KEEPER,)),
    "gk_host": (c_char_p, (_KEEPER,)),
    "gk_device_count": (c_uint32, (_KEEPER,)),
    "gk_read": (c_int32, (_KEEPER, c_uint32, POINTER(gk_reading))),
    "gk_latest": (c_int32, (_KEEPER, c_uint32, POINTER(gk_reading))),
    "gk_throttle": (c_int32, (_KEEPER, c_int32, POINTER(gk_throttling))),
    "gk_judge": (c_int32, (_KEEPER, c_double, c_double, POINTER(c_int32))),
    "gk_monitor": (c_int32, (_KEEPER, c_int32)),
    "gk_is_monitoring": (c_int32, (_KEEPER,)),
    "gk_ask": (c_int32, (_KEEPER, c_char_p, c_char_p, c_char_p, _TEXT)),
    "gk_metrics": (c_int32, (_KEEPER, c_char_p, _TEXT)),
    "gk_serve_metrics": (c_int32, (_KEEPER, c_char_p, POINTER(c_uint16))),
    "gk_configure": (c_int32, (_KEEPER, c_char_p)),
    "gk_configuration": (c_int32, (_KEEPER, _TEXT)),
    "gk_allocate": (c_int32, (_KEEPER, POINTER(gk_request), POINTER(gk_lease), _TEXT)),
    "gk_release": (c_int32, (_KEEPER, c_uint64)),
    "gk_release_named": (c_int32, (_KEEPER, c_char_p, c_int32)),
    "gk_renew": (c_int32, (_KEEPER, c_uint64)),
    "gk_resize": (c_int32, (_KEEPER, c_uint64, c_uint64)),
    "gk_available": (c_int32, (_KEEPER, c_uint32, POINTER(c_uint64))),
    "gk_subscribe": (c_int32, (_KEEPER, c_char_p, gk_listener, c_void_p, POINTER(c_uint64))),
    "gk_unsubscribe": (c_int32, (_KEEPER, c_uint64)),
}


def candidates() -> list[str]:
    """Where the library may be, the best first: what $GPUKEEPER_LIBRARY names and nothing else; else in this package
    (a wheel brings it), in the build of the checkout that this package stands in, and where the system looks."""
    named = os.environ.get(VARIABLE)
    if named:
        return [named]
    package = os.path.dirname(os.path.abspath(__file__))
    places = [os.path.join(package, NAME)]
    python = os.path.dirname(package)
    if os.path.exists(os.path.join(python, "build_backend.py")):  # a checkout, not a site-packages
        build = os.path.join(os.path.dirname(python), "build")
        places += [os.path.join(build, name) for name in (NAME, "libgpukeeper.so")]
    return [place for place in places if os.path.exists(place)] + [NAME]


def _declare(library: ctypes.CDLL) -> None:
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


_library: ctypes.CDLL | None = None


def load() -> ctypes.CDLL:
    """The library, loaded once. Threads: any; the first two at once load the same one.
    Raises LibraryMissing with every place that was tried and why it would not do."""
    global _library
    if _library is not None:
        return _library
    problems = []
    for place in candidates():
        try:
            library = ctypes.CDLL(place)
            _declare(library)
        except (OSError, AttributeError) as error:
            problems.append(f"{place} ({error})")
            continue
        if library.gk_abi() < ABI:
            problems.append(f"{place} (too old: it has interface {library.gk_abi()}, this package needs {ABI})")
            continue
        _library = library
        return library
    raise LibraryMissing(
        f"libgpukeeper cannot be loaded: tried {', '.join(problems)}; build it with ./test or name it in ${VARIABLE}"
    )


def text(value: bytes | None) -> str:
    """What the library says, as text; names of devices and processes may hold any bytes."""
    return value.decode("utf-8", "replace") if value else ""


def encoded(value: str | None) -> bytes | None:
    """For the library. Raises InvalidArgument for a text that C would cut."""
    if value is None:
        return None
    try:
        data = value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BY_RESULT[1](f"{value!r} is no UTF-8 text: {error.reason}") from None
    if b"\0" in data:
        raise BY_RESULT[1](f"{value!r} has a zero byte in it")
    return data


def failure(library: ctypes.CDLL, result: int) -> GpukeeperError:
    """The exception for a call of this thread that has just failed."""
    message = text(library.gk_last_error())
    problem = text(library.gk_last_problem())
    document: Any = None
    if problem:
        import json

        try:
            document = json.loads(problem)
        except ValueError:
            document = None
    kind = BY_RESULT.get(result, GpukeeperError)
    return kind(message or f"gpukeeper failed with result {result}", document if isinstance(document, dict) else None)


def taken(library: ctypes.CDLL, address: c_void_p) -> str:
    """The text that a call wrote for us, given back."""
    if not address:
        return ""
    try:
        return text(ctypes.cast(address, c_char_p).value)
    finally:
        library.gk_free(address)
