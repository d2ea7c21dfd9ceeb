"""Which request gets which answer.

Rules:

1. What needs no engine is answered at once: health, metadata, mistakes in the path.
2. What needs the engine comes back as work, which a thread of the engine does.
3. Every error is JSON with the field ``error``; what went wrong inside is said without a trace of
   paths or memory.

Source: https://github.com/kserve/open-inference-protocol (version 2, "HTTP/REST").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeworthy.agent.worker.answers import answer_samples
from edgeworthy.agent.worker.http_answer import Answer, error_answer, json_answer
from edgeworthy.agent.worker.http_body import unpacked
from edgeworthy.agent.worker.http_head import HttpRefused
from edgeworthy.agent.worker.http_reader import Request
from edgeworthy.agent.worker.limits import Limits
from edgeworthy.agent.worker.served_models import RawModel, ServedModel, count_unfit
from edgeworthy.agent.worker.tensor_answer import check_outputs, encode_answer
from edgeworthy.agent.worker.tensor_request import decode_request
from edgeworthy.errors import EdgeworthyError
from edgeworthy.version import __version__

_QUICK_BODY_BYTES = 1 << 20
_FORGETTING = 0.9
_EXTENSIONS = ["binary_tensor_data"]


@dataclass(frozen=True, slots=True)
class Work:
    """What the engine does for a request.

    Attributes:
        run: Does it.
        quick: Whether it is an inference and little else: no decoder of pictures, no large body.
    """

    run: Callable[[], Answer]
    quick: bool


@dataclass
class Counts:
    """What was answered since the start.

    Attributes:
        answered: Inferences, right or wrong.
        refused: Requests that were the client's mistake, or too many at once.
        failed: Inferences that the engine failed, or that gave what is no number.
        recent_seconds: The longest that recent work took; 0 before the first.
    """

    answered: int = 0
    refused: int = 0
    failed: int = 0
    recent_seconds: float = 0.0


@dataclass
class Router:
    """Finds the answer to a request.

    Attributes:
        models: What is served; the one of raw samples last.
        limits: Of bodies.
        ready: Whether the models may be used.
        counts: Kept up to date by the work.
    """

    models: Sequence[ServedModel]
    limits: Limits
    ready: bool = False
    counts: Counts = field(default_factory=Counts)

    def route(self, request: Request) -> Answer | Work:
        """The answer to a request, or the work that makes it.

        Raises:
            HttpRefused: There is nothing of that name, or not by that method.
        """
        parts = request.head.path.strip("/").split("/")
        if parts == ["answer"]:
            _allow(request, "POST")
            return self._work(lambda: self._answer(request), quick=False)
        if parts[:2] == ["v2", "models"] and len(parts) > 2:  # noqa: PLR2004 - a name follows
            return self._of_model(request, parts[2:])
        if parts == ["v2", "repository", "index"]:
            _allow(request, "POST", "GET")
            return json_answer([self._indexed(model) for model in self.models])
        _allow(request, "GET", "HEAD")
        return self._of_server(parts)

    def _of_server(self, parts: list[str]) -> Answer:
        if parts == ["v2", "health", "live"]:
            return Answer(200)
        if parts == ["v2", "health", "ready"]:
            return Answer(200 if self.ready else 503)
        if parts == ["v2"]:
            return json_answer(
                {"name": "edgeworthy", "version": __version__, "extensions": _EXTENSIONS}
            )
        if parts == [""]:
            names = [model.name for model in self.models]
            return json_answer({"protocol": "/v2", "answers": "/answer", "models": names})
        raise HttpRefused(404, "nothing here; the protocol begins at /v2")

    def _of_model(self, request: Request, parts: list[str]) -> Answer | Work:
        model = self._find(parts)
        rest = parts[3:] if parts[1:2] == ["versions"] else parts[1:]
        if rest == ["infer"]:
            _allow(request, "POST")
            packed = "content-encoding" in request.head.headers
            quick = not packed and len(request.body) <= _QUICK_BODY_BYTES
            quick = quick and not isinstance(model, RawModel)
            return self._work(lambda: self._infer(model, request), quick=quick)
        _allow(request, "GET", "HEAD")
        if rest == ["ready"]:
            return Answer(200 if self.ready else 503)
        if rest:
            raise HttpRefused(404, "a model has `ready` and `infer`, and its metadata")
        return json_answer(model.metadata())

    def _find(self, parts: list[str]) -> ServedModel:
        for model in self.models:
            if model.name == parts[0]:
                break
        else:
            names = ", ".join(f"`{model.name}`" for model in self.models)
            raise HttpRefused(404, f"no model `{parts[0][:100]}`: {names}")
        if parts[1:2] == ["versions"] and parts[2:3] != [model.version]:
            raise HttpRefused(404, f"only version {model.version} of `{model.name}` is here")
        return model

    def _indexed(self, model: ServedModel) -> Mapping[str, str]:
        state = "READY" if self.ready else "UNAVAILABLE"
        return {"name": model.name, "version": model.version, "state": state}

    def _infer(self, model: ServedModel, request: Request) -> Answer:
        wanted = decode_request(self._body(request), request.head.headers)
        check_outputs(wanted, model.output_names)
        outputs = model.run(wanted.inputs)
        self.counts.failed += count_unfit(outputs)
        return encode_answer(outputs, wanted, name=model.name, version=model.version)

    def _answer(self, request: Request) -> Answer:
        raw = self.models[-1]
        if not isinstance(raw, RawModel):
            raise HttpRefused(404, "no model of raw samples is served")
        content_type = request.head.headers.get("content-type", "")
        return answer_samples(raw, self._body(request), content_type)

    def _body(self, request: Request) -> memoryview:
        coding = request.head.headers.get("content-encoding", "")
        return unpacked(request.body, coding, largest_bytes=self.limits.body_bytes)

    def _work(self, infer: Callable[[], Answer], *, quick: bool) -> Work:
        if not self.ready:
            raise HttpRefused(503, "the model is not ready")
        return Work(lambda: self._timed(infer), quick)

    def _timed(self, infer: Callable[[], Answer]) -> Answer:
        began = time.monotonic()
        answer = self._guarded(infer)
        took = time.monotonic() - began
        self.counts.recent_seconds = max(took, _FORGETTING * self.counts.recent_seconds)
        return answer

    def _guarded(self, infer: Callable[[], Answer]) -> Answer:
        try:
            answer = infer()
        except HttpRefused as refusal:
            self.counts.refused += 1
            return error_answer(refusal.status, refusal.message)
        except EdgeworthyError as error:
            self.counts.failed += 1
            return error_answer(500, error.problem)
        except MemoryError:
            self.counts.failed += 1
            return error_answer(503, "not enough memory for this request")
        self.counts.answered += 1
        return answer


def _allow(request: Request, *methods: str) -> None:
    if request.head.method not in methods:
        raise HttpRefused(405, f"{' or '.join(methods)} only")
