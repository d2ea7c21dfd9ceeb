"""A LitServe server of one ONNX file, for ``benchmarks/serving.py``; runs in LitServe's own venv.

Usage: ``python litserve_server.py MODEL PORT``
"""

from __future__ import annotations

import sys
from typing import Any

import litserve  # type: ignore[import-not-found]  # a peer's own environment
import numpy as np
import onnxruntime  # type: ignore[import-untyped]


class OnnxApi(litserve.LitAPI):  # type: ignore[misc]
    """The model, with the engine's options of the worker."""

    def setup(self, device: str) -> None:
        """Load the model."""
        del device
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            sys.argv[1], options, providers=["CPUExecutionProvider"]
        )

    # LitServe reads the annotation and takes another one for a query parameter.
    def decode_request(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """The samples."""
        return np.array(request["data"], np.float32).reshape(request["shape"])

    def predict(self, samples: Any) -> Any:  # noqa: ANN401 - an array
        """One inference."""
        return self.session.run(None, {"samples": samples})[0]

    def encode_response(self, scores: Any) -> dict[str, Any]:  # noqa: ANN401 - an array
        """The scores."""
        return {"shape": list(scores.shape), "data": scores.ravel().tolist()}


if __name__ == "__main__":
    litserve.LitServer(OnnxApi(), accelerator="cpu", workers_per_device=1).run(
        port=int(sys.argv[2]), host="127.0.0.1", log_level="error", generate_client_file=False
    )
