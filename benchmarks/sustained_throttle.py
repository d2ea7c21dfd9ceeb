"""Is a planted throttle found in time, with its onset and depth?

Method: a model runs under :func:`edgeworthy.measurement.sustained.sustained`. After a time that is
drawn anew for each run, the measured process is throttled to the end, in one of two ways in turn:

- *stop*: a thread stops and continues it in periods of 20 ms (SIGSTOP and SIGCONT);
- *quota*: its control group gets a quota, in periods of 50 ms; left out where this program may make
  no control groups.

Compared are the onset in the record with the moment of the first stop or of the quota; the depth
in the record with the share of its processor time that the process lost, from ``/proc/PID/stat``;
and the moment of the alarm with the onset. What was planted, as the thread that stops it measured
it or as the quota says, stands beside it and is not the truth: a process that rests between two
requests loses less to a quota, and one that must wait for a core after each stop loses more.

After each pair of runs with a throttle comes one without. On a quiet machine nothing may be found
in it; on a shared one others do take time away, and the record must say that it was that.

Command: ``python benchmarks/sustained_throttle.py MODEL.onnx [--pairs 6] [--seconds 20]``; prints a
Markdown table. On a shared machine put ``nice -n -20`` before it, or ``chrt -f 1`` for stops alone
(``--kinds stop``; quotas do not hold for real-time processes), or others' work is found instead.
"""

from __future__ import annotations

import argparse
import os
import signal
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
QUOTA_PERIOD_US = 50_000
SHARES = (0.2, 0.4, 0.6)
GROUPS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))


@dataclass
class Brake:
    """Follows a run and throttles its process from a moment on.

    Attributes:
        after_s: Time under load at which it begins.
        share: Of the time that is taken away; 0 for none.
        onset_s: When it began, on the run's own clock.
    """

    after_s: float
    share: float
    onset_s: float = 0.0
    pid: int = 0
    _begun: float = 0.0
    _marks: list[tuple[float, float]] = field(default_factory=list)
    _last: tuple[float, float] = (0.0, 0.0)

    def see(self, progress: SustainedProgress) -> None:
        """Follow the run; told after every window."""
        now = time.monotonic()
        if not self.pid:
            self.pid = measured_process()
            self._begun = now - progress.elapsed_s
            self._marks.append((now, process_cpu_s(self.pid)))
            self.prepare()
        spent_s = process_cpu_s(self.pid)
        if spent_s:
            self._last = (now, spent_s)
        if self.share and not self.onset_s and now - self._begun >= self.after_s:
            self._marks.append((now, spent_s))
            self.onset_s = time.monotonic() - self._begun
            self.begin()

    def prepare(self) -> None:
        """The process is known now."""

    def begin(self) -> None:
        """Throttle from now on."""

    def finish(self) -> None:
        """Let the process go."""

    @property
    def planted_share(self) -> float:
        """Share of the time that was taken away."""
        return self.share

    @property
    def lost_share(self) -> float:
        """Share of its processor time that the process lost from the onset on."""
        (first, spent_first), (onset, spent_onset) = self._marks
        end, spent_end = self._last
        before = (spent_onset - spent_first) / (onset - first)
        return 1 - (spent_end - spent_onset) / (end - onset) / before


class Stops(Brake):
    """Stops and continues the process."""

    def begin(self) -> None:
        """Start the thread that does it."""
        self._end = threading.Event()
        self._stopped_s = self._whole_s = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """End the thread."""
        if self.onset_s:
            self._end.set()
            self._thread.join()

    @property
    def planted_share(self) -> float:
        """As measured: a sleep may end late."""
        return self._stopped_s / self._whole_s

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._end.is_set():
            stop = time.monotonic()
            try:
                os.kill(self.pid, signal.SIGSTOP)
                time.sleep(PERIOD_S * self.share)
                os.kill(self.pid, signal.SIGCONT)
            except ProcessLookupError:
                return
            self._stopped_s += time.monotonic() - stop
            time.sleep(PERIOD_S * (1 - self.share))
            self._whole_s = time.monotonic() - begun


class Quota(Brake):
    """Gives the control group of the process a quota."""

    def prepare(self) -> None:
        """Put the process into a group of its own."""
        self._group = make_group()
        (self._group / "cgroup.procs").write_text(str(self.pid))

    def begin(self) -> None:
        """Set the quota."""
        quota_us = round(QUOTA_PERIOD_US * (1 - self.share))
        if (self._group / "cpu.max").exists():
            (self._group / "cpu.max").write_text(f"{quota_us} {QUOTA_PERIOD_US}")
        else:
            (self._group / "cpu.cfs_period_us").write_text(str(QUOTA_PERIOD_US))
            (self._group / "cpu.cfs_quota_us").write_text(str(quota_us))

    def finish(self) -> None:
        """Remove the group once its process has ended."""
        remove_group(self._group)


def make_group() -> Path:
    """An empty control group with as large a share as there is.

    Raises:
        OSError: This program may make none.
    """
    mount = next(each for each in GROUPS if (each / "cgroup.procs").exists())
    group = mount / f"edgeworthy-throttle-{os.getpid()}"
    group.mkdir(exist_ok=True)
    for name, figure in (("cpu.shares", "262144"), ("cpu.weight", "10000")):
        if (group / name).exists():
            (group / name).write_text(figure)
    if not any((group / name).exists() for name in ("cpu.max", "cpu.cfs_quota_us")):
        group.rmdir()
        raise OSError("no processor controller here")
    return group


def remove_group(group: Path) -> None:
    """Remove a group whose processes are ending."""
    for _ in range(50):
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.1)
        else:
            return


def may_make_groups() -> bool:
    """Whether quotas can be planted here."""
    try:
        remove_group(make_group())
    except (OSError, StopIteration):
        return False
    return True


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


def planted_line(kind: str, brake: Brake, run: SustainedRun) -> str:
    """A line of the table."""
    found = run.throttling
    planted = (
        f"| {kind} | {brake.onset_s:.1f} s | {brake.planted_share:.3f} | {brake.lost_share:.3f} "
    )
    if found is None:
        return planted + "| not found | | | | |"
    alarm = "none" if found.noticed_s is None else f"{found.noticed_s - brake.onset_s:.1f} s"
    return (
        f"{planted}| {found.onset_s:.1f} s "
        f"| {100 * (found.onset_s / brake.onset_s - 1):+.1f} % | {found.depth_ratio:.3f} "
        f"| {100 * (found.depth_ratio / brake.lost_share - 1):+.1f} % | {alarm} | {found.kind} |"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--kinds", default="stop,quota")
    options = parser.parse_args()
    generator = np.random.default_rng(0)
    kinds: dict[str, type[Brake]] = {"stop": Stops} if "stop" in options.kinds else {}
    if "quota" in options.kinds and may_make_groups():
        kinds["quota"] = Quota
    print("| throttle | planted onset | planted | lost CPU time | found | error ", end="")
    print("| depth | error | alarm after | kind |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    quiet_kinds: list[str] = []
    for index in range(options.pairs):
        for kind, make in kinds.items():
            after_s = options.seconds * float(generator.uniform(0.35, 0.65))
            brake = make(after_s=after_s, share=SHARES[index % len(SHARES)])
            run = one_run(options.model, options.seconds, brake)
            print(planted_line(kind, brake, run), flush=True)
        quiet = one_run(options.model, options.seconds, Brake(after_s=0.0, share=0.0)).throttling
        quiet_kinds.append("none" if quiet is None else quiet.kind)
    print(f"\nWithout a throttle, {options.pairs} runs: {', '.join(quiet_kinds)}.")
    print(f"Load average on {os.cpu_count()} cores at the end: {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
