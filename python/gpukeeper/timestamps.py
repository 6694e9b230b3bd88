"""Times as the documents of gpukeeper have them."""

from __future__ import annotations


def unix_seconds(rfc3339: str) -> float:
    """Seconds since 1970 of "2026-05-28T20:26:40.250Z". Raises ValueError for anything else."""
    from datetime import datetime

    return datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp()
