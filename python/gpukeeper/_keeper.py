"""One gk_keeper: opened, asked, and closed once, whoever forgets to.

The library guards a keeper that is closed while other threads are in it. At the interpreter's end all that are open
are closed, before threads of C++ could call into what is left of it.
"""

from __future__ import annotations

import atexit
import ctypes
import threading
import weakref
from ctypes import byref, c_void_p

from . import _native
from .errors import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

callback_thread = threading.local()  # .keeper: the handle whose listener runs in this thread


class Handle(c_void_p):
    """The gk_keeper*. Closes it when nobody refers to it any more, or at the interpreter's end."""

    library: Any
    listeners: list[Any]  # of this keeper: ctypes must not free one that C++ may still call
    __hash__ = object.__hash__

    def close(self) -> None:
        value, self.value = self.value, None
        if not value:
            return
        if getattr(callback_thread, "keeper", None) == value:  # gk_close() would wait for the callback that it is in
            threading.Thread(target=self.library.gk_close, args=(c_void_p(value),), daemon=True).start()
        else:
            self.library.gk_close(c_void_p(value))

    def __del__(self) -> None:
        self.close()


_open: weakref.WeakSet[Handle] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for handle in list(_open):
        handle.close()


class Keeper:
    """The calls of the C interface, failures as exceptions. Threads: any."""

    def __init__(
        self,
        source: str | None = None,
        host: str | None = None,
        config: str | None = None,
        state_dir: str | None = None,
        memory_ledger: bool = False,
        monitoring: bool = False,
    ) -> None:
        self.library = _native.load()
        options = _native.gk_options(
            ctypes.sizeof(_native.gk_options),
            *(_native.encoded(each) for each in (source, host, config, state_dir)),
            _native.LEDGER_MEMORY if memory_ledger else _native.LEDGER_MACHINE,
            int(monitoring),
        )
        handle = Handle()
        handle.library = self.library
        result = self.library.gk_open(byref(options), byref(handle))
        if result:
            raise _native.failure(self.library, result)
        handle.listeners = []
        _open.add(handle)
        self._handle: Handle | None = handle

    @property
    def handle(self) -> Handle:
        handle = self._handle
        if handle is None or not handle:
            raise Unavailable("this monitor is closed")
        return handle

    @property
    def closed(self) -> bool:
        return not self._handle

    def close(self) -> None:
        """Ends what waits in other threads, and frees it."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def call(self, name: str, *arguments: Any) -> None:
        handle = self.handle
        result = getattr(self.library, name)(handle, *arguments)
        if result:
            raise _native.failure(self.library, result)

    def text(self, name: str, *arguments: Any) -> str:
        """Of a call whose last argument is a char**."""
        written = c_void_p()
        self.call(name, *arguments, byref(written))
        return _native.taken(self.library, written)

    def ask(self, method: str, target: str, body: Any = None) -> Any:
        """What docs/api.md has under /api/v1/, answered by the same code as a daemon's."""
        import json

        said = None if body is None else json.dumps(body, allow_nan=False).encode()
        answer = self.text("gk_ask", method.encode(), _native.encoded(target), said)
        return json.loads(answer) if answer else None

    def configure(self, patch: dict[str, Any]) -> None:
        import json

        self.call("gk_configure", json.dumps(patch, allow_nan=False).encode())
