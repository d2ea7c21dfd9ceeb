"""The graph on its way through the passes, with the proof and the records.

Rules:

1. Every step leaves a record: what it was, whether it changed the graph, and what it did.
2. Many small differences must not add up to a large one: a float variant is proved as a whole.
3. What will ship is run as a device runs it, and gives finite numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto

from edgeworthy.documents.variant import EquivalenceRecord, PassRecord
from edgeworthy.errors import OptimizationError
from edgeworthy.optimization.execution import Executor
from edgeworthy.optimization.passes import Pass, Witness
from edgeworthy.optimization.proof import Outputs, Proof, difference
from edgeworthy.runtimes.base import Tensors

Calibration = Callable[[], Iterator[Tensors]]
Progress = Callable[[str], None]


@dataclass
class Workbench:
    """A graph that is being worked on.

    Attributes:
        model: The graph as it is now.
        proof: Inputs on which it is compared.
        say: Told what begins, in a few words.
        records: What was done, in order.
    """

    model: ModelProto
    proof: Proof
    say: Progress
    records: list[PassRecord] = field(default_factory=list)

    def apply(self, passes: Sequence[Pass]) -> None:
        """Apply passes in this order."""
        witness = Witness()
        for rule in passes:
            self.say(rule.name)
            result = rule(self.model, self.proof, witness=witness)
            self.model = result.model
            self.records.append(result.record)

    def note(self, name: str, detail: str, *, changed: bool = False) -> None:
        """Record a step that is not a pass."""
        self.records.append(PassRecord(name=name, changed=changed, detail=detail))

    def proved_against(self, original: ModelProto) -> EquivalenceRecord:
        """The record of rule 2.

        Raises:
            OptimizationError: All passes together changed the outputs.
        """
        record = self.proof.compare(original, self.model)
        if record.largest_difference > record.tolerance:
            raise OptimizationError(
                "all passes together changed the outputs",
                expected=f"a relative difference of at most {record.tolerance:g}",
                found=f"{record.largest_difference:g}",
                where=", ".join(entry.name for entry in self.records if entry.changed),
                next_step="Please report this with the model; the original is untouched",
            )
        return record

    def note_run(self, reference: Outputs) -> None:
        """Run the graph as a device does, and record how far it is from these outputs.

        Raises:
            OptimizationError: It gives numbers that are not finite.
            InferenceError: The engine cannot run it.
        """
        executor = Executor(self.model, optimized=True)
        outputs = [executor.run(batch) for batch in self.proof.batches]
        for values in (value for output in outputs for value in output.values()):
            if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
                raise OptimizationError("the quantized model gives numbers that are not finite")
        largest = max(map(difference, reference, outputs), default=0.0)
        self.note(
            "run", f"finite on {self.proof.sample_count} inputs; {largest:.1e} from float at most"
        )
