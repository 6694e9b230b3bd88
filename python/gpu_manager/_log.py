"""The module's log lines, with the fields of the documented records as `extra`.

logging takes longer to import than all of this module, so it is imported with the first line.
"""

from __future__ import annotations

DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Optional

_logger: Optional[logging.Logger] = None


def log(level: int, message: str, **fields: object) -> None:
    global _logger
    if _logger is None:
        import logging

        _logger = logging.getLogger("gpu_manager")
    if _logger.isEnabledFor(level):
        _logger.log(level, message, extra=fields, stacklevel=2)


def log_exception(message: str, **fields: object) -> None:
    import logging

    logging.getLogger("gpu_manager").error(message, exc_info=True, extra=fields, stacklevel=2)
