"""The two models that a worker serves: the file as it is, and the file with its preparation.

Rules:

1. ``NAME`` takes and gives exactly the tensors of the model's file, for clients that prepare them.
2. ``NAME.raw`` takes raw samples, prepares them as the release says, and answers with decisions:
   label and calibrated probability, value, or score.
3. A wrong input is the client's mistake (400) and never reaches the engine; what the engine then
   refuses is ours (500) and is counted.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.agent.worker.datatypes import PROTOCOL_NAMES
from edgeworthy.agent.worker.decisions import Decisions
from edgeworthy.agent.worker.http_head import HttpRefused
from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.documents.release import ReleasedVariant, ReleaseManifest
from edgeworthy.errors import InferenceError
from edgeworthy.runtimes.base import Session
from edgeworthy.runtimes.batching import run_batched
from edgeworthy.runtimes.contract import check_inputs

#: What the model of raw samples is called, behind the name of the release.
RAW_SUFFIX = ".raw"
_PICTURE_AXES = {"H", "W"}

Outputs = dict[str, NDArray[Any]]


class ServedModel(abc.ABC):
    """One model of the protocol.

    Attributes:
        name: In the path.
        version: In the path.
        platform: What it is made of, for clients that ask.
    """

    name: str
    version: str
    platform: str

    @property
    @abc.abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """What can be asked for."""

    @abc.abstractmethod
    def metadata(self) -> dict[str, Any]:
        """Inputs and outputs as the protocol describes them."""

    @abc.abstractmethod
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        """One inference.

        Raises:
            HttpRefused: The inputs do not fit.
            InferenceError: The engine failed.
        """

    def _described(self, inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
        return {
            "name": self.name,
            "versions": [self.version],
            "platform": self.platform,
            "inputs": inputs,
            "outputs": outputs,
        }


class BareModel(ServedModel):
    """The model's file as it is.

    Args:
        session: Loaded.
        manifest: Name and version.
        variant: Its engine.
    """

    def __init__(
        self, session: Session, manifest: ReleaseManifest, variant: ReleasedVariant
    ) -> None:
        self.name, self.version = manifest.name, manifest.version
        self.platform = f"{variant.runtime}_{variant.name}"
        self._session = session
        self._signature = session.signature

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """The outputs of the file."""
        return tuple(tensor.name for tensor in self._signature.outputs)

    def metadata(self) -> dict[str, Any]:
        """The signature of the file; an axis of any size is -1."""
        signature = self._signature
        return self._described(
            [_tensor(each) for each in signature.inputs],
            [_tensor(each) for each in signature.outputs],
        )

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        """One inference on tensors as they are."""
        try:
            check_inputs(self._signature, inputs, where=self.name)
        except InferenceError as error:
            raise HttpRefused(400, error.paragraph()) from error
        _check_named_axes(self._signature, inputs)
        return self._session.run(inputs)


class RawModel(ServedModel):
    """The model's file between the preparation and the decisions of its release.

    Args:
        session: Loaded.
        manifest: Preparation, task, labels.
        variant: Temperature.
    """

    def __init__(
        self, session: Session, manifest: ReleaseManifest, variant: ReleasedVariant
    ) -> None:
        self.name, self.version = f"{manifest.name}{RAW_SUFFIX}", manifest.version
        self.platform = f"{variant.runtime}_{variant.name}"
        self.manifest = manifest
        self._session = session
        self._decisions = Decisions(manifest, variant)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """What the task decides."""
        names = tuple(name for name, _, _ in self._decisions.outputs)
        return names or tuple(tensor.name for tensor in self.manifest.signature.outputs)

    def metadata(self) -> dict[str, Any]:
        """Raw inputs, decided outputs."""
        inputs = [self._raw_input(tensor) for tensor in self.manifest.signature.inputs]
        outputs = [
            {"name": name, "datatype": datatype, "shape": [-1] * axis_count}
            for name, datatype, axis_count in self._decisions.outputs
        ]
        return self._described(
            inputs, outputs or [_tensor(each) for each in self.manifest.signature.outputs]
        )

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        """Prepare, infer, decide."""
        prepared = self._samples.prepared(inputs)
        count = len(next(iter(prepared.values())))
        return self._decisions.of(run_batched(self._session, prepared), count)

    @cached_property
    def _samples(self) -> Any:  # noqa: ANN401 - a class that is imported below
        # Decoders of pictures weigh 4 MiB, which a device without raw clients need not carry.
        from edgeworthy.agent.worker.raw_samples import RawSamples  # noqa: PLC0415

        return RawSamples(self.manifest)

    def _raw_input(self, tensor: TensorSignature) -> dict[str, Any]:
        section = self.manifest.inputs.get(tensor.name)
        if section is not None and set(section.layout) >= _PICTURE_AXES:
            return {"name": tensor.name, "datatype": "BYTES", "shape": [-1]}
        return {
            "name": tensor.name,
            "datatype": PROTOCOL_NAMES[tensor.dtype],
            "shape": [-1] * len(tensor.shape),
        }


def count_unfit(outputs: Outputs) -> bool:
    """Whether an output holds what is not a number: infinities may be meant, NaN never is."""
    return any(values.dtype.kind == "f" and np.isnan(values).any() for values in outputs.values())


def _tensor(tensor: TensorSignature) -> dict[str, Any]:
    shape = [size if isinstance(size, int) else -1 for size in tensor.shape]
    return {"name": tensor.name, "datatype": PROTOCOL_NAMES[tensor.dtype], "shape": shape}


def _check_named_axes(signature: ModelSignature, inputs: Mapping[str, NDArray[Any]]) -> None:
    """An axis that two inputs call by one name has one size."""
    sizes: dict[str, int] = {}
    for tensor in signature.inputs:
        for axis, size in zip(tensor.shape, inputs[tensor.name].shape, strict=True):
            if isinstance(axis, str) and sizes.setdefault(axis, size) != size:
                raise HttpRefused(
                    400,
                    f"the axis `{axis}` has size {sizes[axis]} in one input and {size} in "
                    f"`{tensor.name}`",
                )
