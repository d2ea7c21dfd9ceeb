"""Is a planted throttle found in time, with its onset and depth?

Method: a model runs under :func:`edgeworthy.measurement.sustained.sustained`. After a time that is
drawn anew for each run, a thread stops and continues the measured process in turns of 20 ms
(SIGSTOP and SIGCONT), so that it stands still for a share of the time. Compared are

- the onset in the record with the moment of the first stop,
- the depth in the record with the share of processor time that the process lost, read from
  ``/proc/PID/stat`` before and after the onset: the truth also holds on a machine where others
  take their share,
- the moment of the alarm with the moment of the first stop.

Between the runs with a throttle are as many without one. On a quiet machine nothing may be found in
them; on a shared one others do take time away, and the record must say that it was that.

Command: ``python benchmarks/sustained_throttle.py MODEL.onnx [RUNS] [SECONDS]``; prints a Markdown
table. On a shared machine put ``chrt -f 1`` before it, or others' work is found instead.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edgeworthy.devices import host_fingerprint
from edgeworthy.devices.counters import process_cpu_s
from edgeworthy.documents.sustained import SustainedRun
from edgeworthy.files import digest_file
from edgeworthy.measurement import MeasurementPlan
from edgeworthy.measurement.sustained import (
    Machine,
    SustainedProgress,
    SustainedSettings,
    sustained,
)

PERIOD_S = 0.02


@dataclass
class Brake:
    """Stops the measured process for a share of the time, from a moment on.

    Attributes:
        after_s: Time under load at which it begins.
        stopped_share: Of each period.
        onset_s: When it began, on the run's own clock.
    """

    after_s: float
    stopped_share: float
    onset_s: float = 0.0
    rates: list[float] = field(default_factory=list)
    _last: tuple[float, float] = (0.0, 0.0)
    _begun: float = 0.0
    _mark: tuple[float, float] = (0.0, 0.0)
    _pid: int = 0
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def see(self, progress: SustainedProgress) -> None:
        """Follow the run; told after every window."""
        now = time.monotonic()
        if not self._pid:
            self._pid = measured_process()
            self._begun = now - progress.elapsed_s
            self._mark = (now, process_cpu_s(self._pid))
        if self.stopped_share and self._thread is None and now - self._begun >= self.after_s:
            self._note(now)
            self.onset_s = now - self._begun
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Let the process go; the second rate is known now."""
        if self._thread is not None:
            self._end.set()
            self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                os.kill(self._pid, signal.SIGSTOP)
                time.sleep(PERIOD_S * self.stopped_share)
                os.kill(self._pid, signal.SIGCONT)
                spent_s = process_cpu_s(self._pid)
            except ProcessLookupError:
                return
            time.sleep(PERIOD_S * (1 - self.stopped_share))
            if spent_s:
                self._last = (time.monotonic(), spent_s)

    def _note(self, now: float) -> None:
        spent_s = process_cpu_s(self._pid)
        self.rates.append((spent_s - self._mark[1]) / (now - self._mark[0]))
        self._mark = (now, spent_s)

    @property
    def lost_share(self) -> float:
        """Share of processor time that the process lost from the onset on."""
        moment, spent_s = self._last
        after = (spent_s - self._mark[1]) / (moment - self._mark[0])
        return 1 - after / self.rates[0]


def measured_process() -> int:
    """Number of the one process of ours that measures."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    for child in children:
        if b"edgeworthy.measurement.child" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise RuntimeError("the measured process is not there")


def one_run(model: Path, duration_s: float, brake: Brake) -> SustainedRun:
    """Run the model once, with the brake on."""
    plan = MeasurementPlan(
        variant=model.name, artifact=model, digest=digest_file(model), target="host"
    )
    machine = Machine(host=host_fingerprint(runtime_versions=()), clock=lambda: datetime.now(UTC))
    try:
        return sustained(
            plan, SustainedSettings(duration_s=duration_s), machine=machine, listener=brake.see
        )
    finally:
        brake.finish()


def main(arguments: list[str]) -> None:
    """Run and print."""
    model = Path(arguments[0])
    runs = int(arguments[1]) if len(arguments) > 1 else 6
    duration_s = float(arguments[2]) if len(arguments) > 2 else 40.0  # noqa: PLR2004
    generator = np.random.default_rng(0)
    print("| planted onset | found | error | lost CPU time | depth | error | alarm after |")
    print("|---|---|---|---|---|---|---|")
    false_finds = taken_away = 0
    for index in range(runs):
        share = (0.2, 0.4, 0.6)[index % 3]
        brake = Brake(
            after_s=duration_s * float(generator.uniform(0.35, 0.65)), stopped_share=share
        )
        found = one_run(model, duration_s, brake).throttling
        if found is None:
            print(f"| {brake.onset_s:.1f} s | not found | | {brake.lost_share:.3f} | | | |")
        else:
            alarm = (
                "none" if found.noticed_s is None else f"{found.noticed_s - brake.onset_s:.1f} s"
            )
            print(
                f"| {brake.onset_s:.1f} s | {found.onset_s:.1f} s "
                f"| {100 * (found.onset_s / brake.onset_s - 1):+.1f} % | {brake.lost_share:.3f} "
                f"| {found.depth_ratio:.3f} "
                f"| {100 * (found.depth_ratio / brake.lost_share - 1):+.1f} % | {alarm} |"
            )
        sys.stdout.flush()
        quiet = one_run(model, duration_s, Brake(after_s=0.0, stopped_share=0.0))
        false_finds += quiet.throttling is not None
        taken_away += quiet.throttling is not None and quiet.throttling.taken_away
    print(
        f"\nWithout a throttle: {false_finds} of {runs} runs reported a fall; {taken_away} of them "
        "were put down to processor time that others took."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
