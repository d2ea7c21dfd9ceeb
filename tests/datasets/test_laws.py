"""What holds of every format: the same samples look the same, wherever they lie."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # the same
import pytest
from numpy.typing import NDArray

from edgeworthy.datasets import Dataset, check_labels, sample_digests, summarize
from edgeworthy.datasets.decoding import decode_sample
from edgeworthy.documents.encoded import (
    EncodedArrays,
    EncodedImage,
    EncodedRows,
    EncodedSample,
    EncodedSound,
)
from edgeworthy.documents.project import DataFormat, DataSection
from edgeworthy.errors import DatasetError

OpenSection = Callable[..., Dataset]

COUNT = 6
CLASSES = (0, 0, 0, 0, 1, 1)
HANDS = ("left", "left", "right", "right", "right", "left")
NAMES = ("cat", "dog")


@dataclass(frozen=True)
class World:
    """One set of samples, and how to write it in each format that can hold it."""

    folder: Path
    samples: NDArray[Any]
    formats: dict[str, Callable[[], DataSection]]


def _class_file(index: int, suffix: str) -> str:
    return f"{NAMES[CLASSES[index]]}/{index:03}{suffix}"


@pytest.fixture
def write_folder(write_csv: Callable[..., None]) -> Callable[..., DataSection]:
    def write(folder: Path, suffix: str, write_one: Callable[[Path, int], None]) -> DataSection:
        for index in range(COUNT):
            write_one(folder / _class_file(index, suffix), index)
        write_csv(
            folder / "slices.csv",
            [{"hand": HANDS[i], "file": _class_file(i, suffix)} for i in range(COUNT)],
        )
        return DataSection(path=folder.name, slices=("hand",))

    return write


def _npz(folder: Path, samples: NDArray[Any], *, compressed: bool = False) -> DataSection:
    save = np.savez_compressed if compressed else np.savez
    save(folder / "same.npz", x=samples, y=np.array(CLASSES), hand=np.array(HANDS))
    return DataSection(path="same.npz", slices=("hand",))


def _function(folder: Path, samples: NDArray[Any], body: str) -> DataSection:
    np.save(folder / "same.npy", samples)
    (folder / "data.py").write_text(
        f"""
from pathlib import Path
import numpy as np
from edgeworthy.datasets import Dataset, RawBatch
x = np.load(Path(__file__).with_name("same.npy"))
y = {CLASSES}
hand = {HANDS}
class Mine(Dataset):
    data_format = "mine"
    axes = ""
    def __len__(self):
        return len(y)
    def batches(self, size):
        for i in range(0, len(y), size):
            j = i + size
            yield RawBatch(i, {{"": x[i:j]}}, np.array(y[i:j]), {{"hand": hand[i:j]}})
def load():
    {body}
"""
    )
    return DataSection(function="data:load", slices=("hand",))


def _in_memory(folder: Path, samples: NDArray[Any]) -> dict[str, Callable[[], DataSection]]:
    bodies = {
        "function arrays": 'return {"x": x, "y": y, "hand": hand}',
        "function names": 'return {"x": x, "y": [("cat", "dog")[i] for i in y], "hand": hand}',
        "function pairs": 'return [(a, b, {"hand": c}) for a, b, c in zip(x, y, hand)]',
        "function generator": 'yield from ((a, b, {"hand": c}) for a, b, c in zip(x, y, hand))',
        "function dataset": "return Mine()",
    }
    return {
        "npz": lambda: _npz(folder, samples),
        "npz compressed": lambda: _npz(folder, samples, compressed=True),
        "npz fortran": lambda: _npz(folder, np.asfortranarray(samples)),
        "npz big-endian": lambda: _npz(folder, samples.astype(samples.dtype.newbyteorder(">"))),
        **{
            name: functools.partial(_function, folder, samples, body)
            for name, body in bodies.items()
        },
    }


def _table(samples: NDArray[Any], *, series: bool) -> list[dict[str, object]]:
    rows = []
    for index, sample in enumerate(samples):
        for figures in sample if series else [sample]:
            row: dict[str, object] = {f"a{i}": float(value) for i, value in enumerate(figures)}
            row |= {"hand": HANDS[index], "label": NAMES[CLASSES[index]]}
            rows.append(row | ({"take": f"take-{index}"} if series else {}))
    return rows


@pytest.fixture(params=["images", "grey images", "sound", "stereo", "series", "rows"])
def world(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    write_folder: Callable[..., DataSection],
    write_image: Callable[..., None],
    write_wav: Callable[..., None],
    write_csv: Callable[..., None],
) -> World:
    random = np.random.default_rng(7)
    samples: NDArray[Any]
    own: dict[str, Callable[[], DataSection]]
    if request.param in ("images", "grey images"):
        channels = 3 if request.param == "images" else 1
        samples = random.integers(0, 256, (COUNT, 5, 4, channels), dtype=np.uint8)
        own = {
            "image-folder": lambda: write_folder(
                tmp_path / "pictures", ".png", lambda path, i: write_image(path, samples[i])
            )
        }
    elif request.param in ("sound", "stereo"):
        shape = (COUNT, 50) if request.param == "sound" else (COUNT, 50, 2)
        pcm = random.integers(-(2**15), 2**15, shape).astype("<i2")
        samples = (pcm / 2**15).astype(np.float32)
        own = {
            "wav-folder": lambda: write_folder(
                tmp_path / "sounds",
                ".wav",
                lambda path, i: write_wav(path, pcm[i].tobytes(), channels=len(shape) - 1),
            )
        }
    else:
        series = request.param == "series"
        samples = random.normal(size=(COUNT, 7, 3) if series else (COUNT, 3))
        rows = _table(samples, series=series)
        key = "take" if series else ""

        def as_csv() -> DataSection:
            write_csv(tmp_path / "table.csv", rows)
            return DataSection(path="table.csv", slices=("hand",), series=key)

        def as_parquet() -> DataSection:
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / "table.parquet")
            return DataSection(path="table.parquet", slices=("hand",), series=key)

        own = {"csv": as_csv, "parquet": as_parquet}
    return World(tmp_path, samples, {**own, **_in_memory(tmp_path, samples)})


def _content(dataset: Dataset, size: int) -> tuple[list[int], list[tuple[str, ...]]]:
    batches = list(dataset.batches(size))
    assert [batch.first for batch in batches] == list(range(0, len(dataset), size))
    labels = [int(label) for batch in batches for label in batch.labels]
    slices = [text for batch in batches for text in batch.slices["hand"]]
    return labels, [tuple(slices)]


def test_same_samples_same_digests_labels_and_slices(
    world: World, open_section: OpenSection
) -> None:
    digests = {}
    for name, write in world.formats.items():
        section = write()
        dataset = open_section(section)
        assert len(dataset) == COUNT, name
        for size in (1, 4, 100):
            assert _content(dataset, size) == (list(CLASSES), [HANDS]), name
        summary = summarize(
            dataset, name="same", section=section, task="classification", labels=NAMES
        )
        check_labels(summary, NAMES)
        assert summary.label_counts == (4, 2), name
        assert [(s.value, s.sample_count) for s in summary.slices] == [("left", 3), ("right", 3)]
        digests[name] = (summary.reference.digest, sample_digests(dataset))
    assert len(set(digests.values())) == 1, {name: digest[0] for name, digest in digests.items()}


def test_values_are_those_that_were_stored(world: World, open_section: OpenSection) -> None:
    for name, write in world.formats.items():
        batches = list(open_section(write()).batches(4))
        values = np.concatenate([batch.inputs[""] for batch in batches])
        np.testing.assert_array_equal(values, world.samples, err_msg=name)


def test_rows_select_before_anything_else(world: World, open_section: OpenSection) -> None:
    whole = None
    for name, write in world.formats.items():
        section = write()
        whole = whole or sample_digests(open_section(section))
        fields = {key: getattr(section, key) for key in section.__struct_fields__}
        dataset = open_section(DataSection(**{**fields, "rows": (2, 5)}))
        assert len(dataset) == 3, name
        assert sample_digests(dataset) == whole[2:5], name
        assert _content(dataset, 2) == ([0, 0, 1], [HANDS[2:5]]), name
        with pytest.raises(DatasetError, match="`rows` selects samples that are not there"):
            open_section(DataSection(**{**fields, "rows": (2, 7)}))
        with pytest.raises(DatasetError, match="at least 2 samples, found 1"):
            open_section(DataSection(**{**fields, "rows": (2, 3)}))


def test_reading_twice_gives_the_same(world: World, open_section: OpenSection) -> None:
    for write in world.formats.values():
        dataset = open_section(write())
        assert sample_digests(dataset) == sample_digests(dataset)


def test_what_arrives_decodes_to_what_is_read(world: World, open_section: OpenSection) -> None:
    forms = {"image-folder": EncodedImage, "wav-folder": EncodedSound, "csv": EncodedRows}
    for name, write in world.formats.items():
        section = write()
        fields = {key: getattr(section, key) for key in section.__struct_fields__}
        dataset = open_section(DataSection(**{**fields, "rows": (1, 6)}))
        arrived = list(dataset.encoded(3))
        assert len(arrived) == 3, name
        assert {type(each) for each in arrived} == {forms.get(name, EncodedArrays)}, name
        # They cross a process.
        again = msgspec.msgpack.decode(msgspec.msgpack.encode(arrived), type=list[EncodedSample])
        for sample, batch in zip(again, dataset.batches(1), strict=False):
            decoded = decode_sample(sample)
            assert decoded.keys() == batch.inputs.keys(), name
            for key, values in batch.inputs.items():
                np.testing.assert_array_equal(decoded[key], values[0], err_msg=name)
                assert decoded[key].dtype == values.dtype, name
        assert len(list(dataset.encoded(100))) == 5, name


def test_the_laws_cover_every_format() -> None:
    covered = {"npz", "image-folder", "wav-folder", "csv", "parquet", "function"}
    assert set(get_args(DataFormat)) == covered
