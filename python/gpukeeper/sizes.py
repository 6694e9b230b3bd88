"""Sizes of memory as people write them."""

from __future__ import annotations

from .errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Size = Union[int, str]  # a number of bytes, or "6GiB", "512 MiB", "1.5GB"

_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_UNITS.update({"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12})
_MOST = 2**62


def parse_size(size: Size) -> int:
    """Bytes. Raises InvalidArgument for anything that is no size above 0."""
    if isinstance(size, int) and not isinstance(size, bool):
        count: float = size
    elif isinstance(size, str):
        text = size.strip()
        number = text.rstrip("BKMGTi").rstrip()
        unit = text[len(number) :].strip()
        try:
            count = float(number) * _UNITS[unit]
        except (ValueError, KeyError):
            raise InvalidArgument(f"{size!r} is no size: write bytes as a number, or a text such as '6GiB'") from None
    else:
        raise InvalidArgument(f"{size!r} is no size: write bytes as a number, or a text such as '6GiB'")
    if not 0 < count <= _MOST:  # NaN and the infinite, too
        raise InvalidArgument(f"{size!r} is no size: it must be above 0 and at most 4 EiB")
    return int(count)
