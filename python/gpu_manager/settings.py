"""The thirteen settings of the GPU manager: its own values, kept in step with those that the library judges by."""

from __future__ import annotations

from ._log import ERROR, INFO, WARNING, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from gpukeeper._keeper import Keeper

DEFAULTS: dict[str, Any] = {
    "temp_optimal": 65,
    "temp_normal": 75,
    "temp_throttle": 85,
    "temp_critical": 90,
    "memory_optimal": 70,
    "memory_normal": 85,
    "memory_critical": 95,
    "memory_limit_mb": 6144,
    "memory_reserve_mb": 512,
    "monitor_interval": 3,
    "history_size": 200,
    "throttle_cooldown_seconds": 30,
    "critical_pause_seconds": 60,
}


def whole(value: Any) -> Any:
    """65.0 as 65: what a person configured as a whole number stays one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def of_machine(keeper: Optional[Keeper]) -> dict[str, Any]:
    """The settings as this machine's configuration file has them; what it does not say is the default."""
    from gpukeeper.errors import GpukeeperError

    found = dict(DEFAULTS)
    if keeper is None:
        return found
    try:
        document = keeper.ask("GET", "/api/v1/config")
        for row in document["keys"]:
            if row["key"] in found and row["value"] is not None:
                found[row["key"]] = whole(row["value"])
    except (GpukeeperError, KeyError, TypeError) as error:
        log(WARNING, f"The configuration cannot be read, the defaults hold: {error}")
    return found


class Settings:
    """Tells the library what has changed in `config`, which callers may change under us."""

    def __init__(self, keeper: Optional[Keeper], config: dict[str, Any], told: dict[str, Any]) -> None:
        self._keeper = keeper
        self.config = config
        self._told = told

    def synchronise(self) -> None:
        """What was written into `config` directly. Cheap where nothing was."""
        if self.config == self._told:
            return
        changed = {key: value for key, value in self.config.items() if key in DEFAULTS and self._told.get(key) != value}
        self._told = dict(self.config)  # a value that is refused is refused once
        if changed and self._keeper is not None:
            problem = _refusal(self._keeper, changed)
            if problem:
                self._refused(problem, changed)

    def update(self, updates: Any) -> str:
        """All or nothing; keys that are none of ours are left out, as the log says. Returns why it was not taken."""
        if not hasattr(updates, "items"):
            return self._refused(f"it takes a dictionary, not {updates!r}", updates)
        known = {key: value for key, value in updates.items() if key in self.config}
        unknown = [key for key in updates if key not in self.config]
        if unknown:
            log(WARNING, "Unknown keys of the GPU config are ignored", keys=repr(unknown))
        problem = self._problem_of(known)
        if problem:
            return self._refused(problem, known)
        self.config.update(known)
        self._told = dict(self.config)
        log(INFO, "GPU manager config updated", updates=known)
        return ""

    @staticmethod
    def _refused(problem: str, updates: Any) -> str:
        log(ERROR, f"Failed to update GPU config: {problem}", updates=repr(updates))
        return problem

    def _problem_of(self, known: dict[str, Any]) -> str:
        for key, value in known.items():
            if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                return f"{key} is {value!r}; it takes a number"
        ours = {key: value for key, value in known.items() if key in DEFAULTS}
        if not ours:
            return ""
        if self._keeper is None:
            return "the library is not there to judge it"
        return _refusal(self._keeper, ours)


def _refusal(keeper: Keeper, change: dict[str, Any]) -> str:
    """Why the change was refused; "" where it was taken."""
    from gpukeeper.errors import GpukeeperError

    try:
        keeper.configure(change)
    except (GpukeeperError, ValueError) as error:  # ValueError: NaN, which is no JSON
        return str(error)
    return ""
