"""A clock that a test sets: it moves only when told to."""

from datetime import datetime, timedelta

START = datetime(2026, 3, 29, 1, 59, 0)


class TickingClock:
    """Local time that advances by `step_s` at each question, and by `advance`."""

    def __init__(self, now: datetime = START, step_s: float = 0.0) -> None:
        self.now = now
        self._step = timedelta(seconds=step_s)

    def __call__(self) -> datetime:
        self.now += self._step
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
