"""One line on stderr that says how far a comparison is and how long it will take."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

# Seconds between lines where stderr is a file and a moving bar would fill it.
INTERVAL = 15.0


class Progress:
    """A tqdm bar on a terminal, an occasional line elsewhere, nothing where ``show`` is False."""

    def __init__(self, show: bool = True, stream: TextIO | None = None) -> None:
        self.show = show
        self._stream = stream if stream is not None else sys.stderr
        self._bar: Any = None
        self._began = self._said = time.monotonic()
        self._steps = self._total = self._done = 0

    def expect(self, left: int) -> None:
        """``left`` jobs are still to do, as far as is known now."""
        self._total = self._done + left
        if self._bar is not None:
            self._bar.total = self._total
            self._bar.refresh()

    def start(self, done: int) -> None:
        """``done`` jobs were there before."""
        self._done = self._total = done
        if self.show and self._stream.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            self._bar = tqdm(
                total=done,
                initial=done,
                unit="job",
                file=self._stream,
                dynamic_ncols=True,
                smoothing=0.1,
                leave=False,
            )

    def step(self, what: str) -> None:
        """One job is finished."""
        self._done += 1
        self._steps += 1
        self._total = max(self._total, self._done)
        if self._bar is not None:
            self._bar.set_description(what, refresh=False)
            self._bar.update()
        elif self.show and time.monotonic() - self._said >= INTERVAL:
            self._said = time.monotonic()
            gone = self._said - self._began
            left = gone / self._steps * (self._total - self._done)
            self.say(f"{self._done} of {self._total} jobs, {gone:.0f} s gone, about {left:.0f} s left")

    def say(self, line: str) -> None:
        """A line of its own."""
        if not self.show:
            return
        if self._bar is not None:
            self._bar.write(line, file=self._stream)
        else:
            print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
