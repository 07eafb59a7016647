"""Bounds on what one document may cost: seconds by an alarm, memory by the operating system."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

try:
    import resource
except ImportError:  # Windows has neither alarms nor these limits
    resource = None  # type: ignore[assignment]


class TimeLimit(BaseException):
    """The time for this work is over. No `Exception`, so that nothing on the way takes it for a fault of its own."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raises TimeLimit inside the block when it takes longer; only in the main thread, and where there are alarms."""
    if seconds is None or not hasattr(signal, "setitimer") or not _in_main_thread():
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def limit_memory(mib: int | None) -> None:
    """Bounds the private memory of this process: more than that raises MemoryError. Linux only; for workers."""
    if mib is not None and resource is not None and hasattr(resource, "RLIMIT_DATA"):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = mib << 20
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def peak_mib() -> int:
    """Most memory that this process has held; 0 where it cannot be told."""
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, everyone else KiB.
    return peak >> 20 if hasattr(signal, "SIGINFO") else peak >> 10


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
