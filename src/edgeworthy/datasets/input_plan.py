"""How the raw values of one model input are prepared.

Rules:

1. What contradicts is found before the first sample is read, as far as the declaration tells.
2. A sample that does not fit is an error with the input's name, both shapes and the next step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeworthy.datasets.base import Dataset, RawBatch
from edgeworthy.datasets.casting import cast
from edgeworthy.datasets.reading import listed, nearest
from edgeworthy.datasets.resizing import resized
from edgeworthy.documents.model import ModelSignature, TensorSignature
from edgeworthy.documents.project import InputSection
from edgeworthy.errors import DatasetError, ProjectFileError

_COLOR_CHANNELS = 3


@dataclass(frozen=True)
class InputPlan:
    """Preparation of one input.

    Attributes:
        tensor: What the model takes.
        section: What the project file declares.
        axes: Letters of a raw sample; empty when samples come in the model's layout.
        unnamed: Whether the data set may leave this input's name out.
    """

    tensor: TensorSignature
    section: InputSection
    axes: str
    unnamed: bool

    @property
    def layout(self) -> str:
        """Letters of the model's axes without the batch; empty when not declared."""
        return self.section.layout[1:]

    @property
    def shape(self) -> tuple[int | str, ...]:
        """The model's shape without the batch, pinned axes resolved."""
        pins = self.section.pin
        return tuple(
            pins.get(axis, axis) if isinstance(axis, str) else axis
            for axis in self.tensor.shape[1:]
        )

    def apply(self, raw: RawBatch) -> NDArray[Any]:
        """The tensor of one batch.

        Raises:
            DatasetError: A sample does not fit the model.
        """
        where = f"input `{self.tensor.name}`, from sample {raw.first}"
        values = self._raw_values(raw, where)
        axes = self._letters(values)
        if self.axes == "HWC":
            values = self._image(values)
        values = self._normalized(values, axes, where)
        if self.axes and self.layout:
            values, axes = self._arranged(values, axes, where)
        elif values.ndim == len(self.tensor.shape) - 1:
            values = self._channel_added(values)
        self._check_shape(values, where)
        return cast(values, self.tensor.dtype, where=where)

    def _raw_values(self, raw: RawBatch, where: str) -> NDArray[Any]:
        name = self.tensor.name
        if name in raw.inputs:
            return raw.inputs[name]
        if self.unnamed and "" in raw.inputs:
            return raw.inputs[""]
        raise DatasetError(
            f"the data set has no values for input `{name}`",
            expected=f"`{name}`",
            found=listed([key for key in raw.inputs if key]),
            where=where,
            next_step=f'Name its source in the data section: inputs = {{ {name} = "..." }}',
        )

    def _letters(self, values: NDArray[Any]) -> str:
        """The axes of these values without the batch; empty when nothing tells."""
        if self.axes:
            return self.axes
        return self.layout if values.ndim - 1 == len(self.layout) else ""

    def _image(self, values: NDArray[Any]) -> NDArray[Any]:
        size = dict(zip(self.layout, self.shape, strict=False))
        height, width = size.get("H"), size.get("W")
        if isinstance(height, int) and isinstance(width, int):
            values = resized(values, height=height, width=width, resize=self.section.resize)
        if size.get("C") == _COLOR_CHANNELS and values.shape[-1] == 1:
            values = np.repeat(values, _COLOR_CHANNELS, axis=-1)
        return values

    def _normalized(self, values: NDArray[Any], axes: str, where: str) -> NDArray[Any]:
        mean, std = self.section.mean, self.section.std
        if mean == (0.0,) and std == (1.0,):
            return values
        dtype = np.float64 if self.tensor.dtype == "float64" else np.float32
        shape = [1] * values.ndim
        channel_count = max(len(mean), len(std))
        if channel_count > 1:
            axis = axes.find("C") + 1
            if not axis or values.shape[axis] != channel_count:
                raise ProjectFileError(
                    "`mean` and `std` do not fit the channels",
                    expected=f"an axis C of {channel_count} channels",
                    found=f"samples of shape {values.shape[1:]}, axes `{axes or 'unknown'}`",
                    where=where,
                    next_step="Give one figure per channel, or one for all, and declare `layout`",
                )
            shape[axis] = channel_count
        shift, scale = (
            np.broadcast_to(np.array(figures, dtype), channel_count).reshape(shape)
            for figures in (mean, std)
        )
        normalized: NDArray[Any] = (values.astype(dtype) - shift) / scale
        return normalized

    def _arranged(self, values: NDArray[Any], axes: str, where: str) -> tuple[NDArray[Any], str]:
        layout = self.layout
        if "C" in layout and "C" not in axes:
            values, axes = values[..., np.newaxis], f"{axes}C"
        elif "C" in axes and "C" not in layout and values.shape[axes.index("C") + 1] == 1:
            values, axes = values.squeeze(axes.index("C") + 1), axes.replace("C", "")
        if sorted(axes) != sorted(layout):
            raise ProjectFileError(
                "the axes of the samples are not those of the model's layout",
                expected=f"`N{axes}` in some order",
                found=f"`N{layout}`",
                where=f"model.inputs.{self.tensor.name}.layout",
                next_step=f"The samples of {where} have shape {values.shape[1:]} and axes `{axes}`",
            )
        order = [axes.index(letter) + 1 for letter in layout]
        return values.transpose(0, *order), layout

    def _channel_added(self, values: NDArray[Any]) -> NDArray[Any]:
        """Add a channel axis of one where the model has one and its layout says where."""
        position = self.layout.find("C")
        if position >= 0 and self.shape[position] == 1:
            return np.expand_dims(values, position + 1)
        return values

    def _check_shape(self, values: NDArray[Any], where: str) -> None:
        found = values.shape[1:]
        fits = len(found) == len(self.shape) and all(
            isinstance(wanted, str) or wanted == size
            for wanted, size in zip(self.shape, found, strict=True)
        )
        if not fits:
            raise DatasetError(
                "samples do not have the shape that the model takes",
                expected=f"{_shape_text(self.shape)} per sample",
                found=_shape_text(found),
                where=where,
                next_step=self._advice(found),
            )

    def _advice(self, found: tuple[int, ...]) -> str:
        key = f"[model.inputs.{self.tensor.name}]"
        if self.axes and not self.layout:
            return f'Declare the model\'s axes in {key}, for example layout = "NCHW"'
        if self.axes == "HWC" and self.section.resize == "none":
            return f'Set resize = "bilinear" in {key}, or scale the images'
        if sorted(map(str, found)) == sorted(map(str, self.shape)):
            return "The axes seem to be in another order: transpose the stored samples"
        return "Store samples of this shape, or check that they belong to this model"


def input_plans(
    dataset: Dataset, signature: ModelSignature, inputs: Mapping[str, InputSection]
) -> tuple[InputPlan, ...]:
    """How each input of a model is prepared from a data set.

    Raises:
        DatasetError: The sample rate is another one than declared.
        ProjectFileError: A declared input does not exist, or its layout has another length.
    """
    names = [tensor.name for tensor in signature.inputs]
    for name in inputs:
        if name not in names:
            raise ProjectFileError(
                f"the model has no input `{name}`",
                expected=f"one of {listed(names)}",
                where=f"model.inputs.{name}",
                next_step=nearest(name, names).rstrip("?"),
            )
    plans = tuple(
        InputPlan(
            tensor=tensor,
            section=inputs.get(tensor.name, InputSection()),
            axes=dataset.axes,
            unnamed=len(names) == 1,
        )
        for tensor in signature.inputs
    )
    for plan in plans:
        _check_plan(plan, dataset)
    return plans


def _check_plan(plan: InputPlan, dataset: Dataset) -> None:
    where = f"model.inputs.{plan.tensor.name}"
    layout, axis_count = plan.section.layout, len(plan.tensor.shape)
    if layout and (len(layout) != axis_count or len(set(layout)) != axis_count):
        raise ProjectFileError(
            "`layout` needs one letter per axis of the input, each once",
            expected=f"{axis_count} letters for shape {_shape_text(plan.tensor.shape)}",
            found=f"`{layout}`",
            where=f"{where}.layout",
            next_step="Write N for the batch, C for channels, H and W for images, T for time",
        )
    wanted, found = plan.section.sample_rate_hz, dataset.sample_rate_hz
    if wanted is not None and found is not None and wanted != found:
        raise DatasetError(
            "another sample rate than the model was trained on",
            expected=f"{wanted} Hz",
            found=f"{found} Hz",
            where=f"{where}.sample_rate_hz",
            next_step="Resample the files",
        )


def _shape_text(shape: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
