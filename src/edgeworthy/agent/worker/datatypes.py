"""Data types by their names in the Open Inference Protocol.

Source: https://github.com/kserve/open-inference-protocol (version 2, "Tensor Data Types").
"""

from __future__ import annotations

from collections.abc import Mapping

#: Protocol name by numpy name, for every type that an engine gives.
PROTOCOL_NAMES: Mapping[str, str] = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}
#: Numpy name by protocol name; text and pictures are ``BYTES``, which numpy has no word for.
NUMPY_NAMES: Mapping[str, str] = {name: numpy for numpy, name in PROTOCOL_NAMES.items()}
BYTES = "BYTES"
