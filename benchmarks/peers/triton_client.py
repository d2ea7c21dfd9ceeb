"""The public tritonclient against a worker, unchanged; runs in tritonclient's own venv.

Prints one line per thing that was tried. Usage: ``python triton_client.py HOST:PORT NAME``
"""

from __future__ import annotations

import sys

import numpy as np
import tritonclient.http as triton  # type: ignore[import-not-found]  # a peer's own environment


def require(held: bool, what: str) -> None:  # noqa: FBT001 - what held
    """End where something does not hold."""
    if not held:
        sys.exit(f"not so: {what}")


def main(url: str, name: str) -> None:
    """Ask in every way that the client knows."""
    client = triton.InferenceServerClient(url)
    require(client.is_server_live() and client.is_server_ready(), "the server is live and ready")
    require(client.is_model_ready(name), "the model is ready")
    print("health: live, ready, model ready")
    described = client.get_model_metadata(name)
    print("metadata:", client.get_server_metadata()["name"], described["name"])
    print("index:", [each["name"] for each in client.get_model_repository_index()])
    shape = [1 if size < 0 else size for size in described["inputs"][0]["shape"]]
    samples = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    answers = []
    for binary_in in (True, False):
        for binary_out in (True, False):
            given = triton.InferInput(described["inputs"][0]["name"], shape, "FP32")
            given.set_data_from_numpy(samples, binary_data=binary_in)
            wanted = triton.InferRequestedOutput(
                described["outputs"][0]["name"], binary_data=binary_out
            )
            result = client.infer(name, [given], outputs=[wanted], request_id="7")
            require(result.get_response()["id"] == "7", "the request's name comes back")
            answers.append(result.as_numpy(described["outputs"][0]["name"]))
            print(f"infer: binary in {binary_in}, binary out {binary_out}: {answers[-1].shape}")
    for answer in answers[1:]:
        np.testing.assert_allclose(answer, answers[0], rtol=1e-6)
    for coding in ("gzip", "deflate"):
        client.infer(name, [given], request_compression_algorithm=coding)
        client.infer(name, [given], response_compression_algorithm=coding)
        print(f"infer: {coding} request and response: accepted")
    pending = [client.async_infer(name, [given]) for _ in range(8)]
    output = described["outputs"][0]["name"]
    for each in pending:
        np.testing.assert_allclose(each.get_result().as_numpy(output), answers[0], rtol=1e-6)
    print("async_infer: 8 answered")
    try:
        client.infer("other", [given])
    except triton.InferenceServerException as error:
        print("error:", error.status(), error.message())


if __name__ == "__main__":
    main(*sys.argv[1:])
