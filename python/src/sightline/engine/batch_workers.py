"""Worker threads that each decode a whole batch and run the model on it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np

from sightline.backends.backend import UInt8Array
from sightline.engine.counters import Counters
from sightline.engine.decode import decode
from sightline.engine.memory_bounds import BATCH_BYTES, DecodeMemory
from sightline.engine.model import Model
from sightline.engine.model_batch import BatchResult, ModelBatch
from sightline.engine.preprocess import preprocess
from sightline.engine.result_type import ResultType, Vector
from sightline.engine.scores import Ranked, rank
from sightline.engine.spec import EngineSpec
from sightline.out_of_memory import raise_if_out_of_memory
from sightline.row_error import RowError


class BatchWorkers:
    """Runs batches in worker threads and returns the results in input order.

    Each worker thread decodes a batch and then runs the model on it with single-threaded
    operators. The threads do not pass batches to each other and do not wait for each other within
    an operator, so the cores are busy as long as there are batches. If all threads share one
    device, one thread decodes while another uses the device. With one thread, everything runs in
    the caller's thread.

    Args:
        model: Several threads may call its session.
        spec: Sizes, limits, the decoder and the number of worker threads.
        result: The result type.
        counters: The times of every batch are added to it.
    """

    def __init__(
        self, model: Model, spec: EngineSpec, result: ResultType, counters: Counters
    ) -> None:
        self._model = model
        self._spec = spec
        self._result = result
        self._counters = counters
        self._preprocessing = model.bundle.manifest.preprocessing
        self._top_k = model.kept(result)
        self._buffers = threading.local()
        self._memory = DecodeMemory()
        self._pending_bytes = 0
        self._pending: deque[tuple[ModelBatch, Future[BatchResult]]] = deque()
        self._executor = (
            ThreadPoolExecutor(spec.threads, "sightline-batch") if spec.threads > 1 else None
        )

    def __enter__(self) -> BatchWorkers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def submit(self, batch: ModelBatch) -> None:
        """Start a batch; wait while too many batches or bytes are pending.

        Raises:
            SightlineError: MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY. This or an earlier batch
                caused it.
        """
        if self._executor is None:
            self._finish(batch, self._run(batch))
            return
        # Two batches per thread, so that no thread is idle while results are emitted. If the
        # images are large: one batch per thread and one more.
        most_bytes = (self._spec.threads + 1) * BATCH_BYTES
        while len(self._pending) >= 2 * self._spec.threads or (
            self._pending and self._pending_bytes + batch.image_bytes > most_bytes
        ):
            self._finish_oldest()
        self._pending_bytes += batch.image_bytes
        self._pending.append((batch, self._executor.submit(self._run, batch)))

    def finish_done(self) -> None:
        """Store the results of finished batches, without waiting."""
        while self._pending and self._pending[0][1].done():
            self._finish_oldest()

    def finish_all(self) -> None:
        """Wait for every batch and store its results."""
        while self._pending:
            self._finish_oldest()

    def _finish_oldest(self) -> None:
        batch, future = self._pending.popleft()
        self._pending_bytes -= batch.image_bytes
        start = time.perf_counter()
        result = future.result()
        self._counters.thread_wait_s += time.perf_counter() - start
        self._finish(batch, result)

    def _finish(self, batch: ModelBatch, result: BatchResult) -> None:
        batch.finish(result)
        counters = self._counters
        counters.batches += 1
        counters.decoded += len(batch)
        counters.image_bytes += batch.image_bytes
        counters.decode_cpu_s += result.decode_cpu_s
        counters.infer_cpu_s += result.infer_cpu_s
        counters.infer_wall_s += result.infer_wall_s

    def _run(self, batch: ModelBatch) -> BatchResult:
        started = time.thread_time()
        try:
            images, decoded, errors = self._decode(batch)
        except MemoryError as error:
            raise_if_out_of_memory(error, f"decoding an image ({error})")
            raise
        batch.contents.clear()  # frees the encoded bytes
        inferring, inferring_wall = time.thread_time(), time.perf_counter()
        ranked = self._infer(images)
        return BatchResult(
            ranked,
            decoded,
            errors,
            decode_cpu_s=inferring - started,
            infer_cpu_s=time.thread_time() - inferring,
            infer_wall_s=time.perf_counter() - inferring_wall,
        )

    def _decode(self, batch: ModelBatch) -> tuple[UInt8Array, list[int], dict[int, RowError]]:
        buffer = self._buffer()  # (batch_rows, height, width, 3)
        decoded: list[int] = []
        errors: dict[int, RowError] = {}
        for i, content in enumerate(batch.contents):
            with self._memory.one_image() as reserve:
                error = self._decode_one(content, buffer[len(decoded)], reserve)
            if error is None:
                decoded.append(i)
            else:
                errors[i] = error
        return buffer[: len(decoded)], decoded, errors

    def _decode_one(
        self, content: memoryview, out: UInt8Array, reserve: Callable[[int], None]
    ) -> RowError | None:
        image = decode(content, self._spec, self._preprocessing.least_decoded, reserve)
        if isinstance(image, RowError):
            return image
        try:
            preprocess(image, self._preprocessing, out)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - one image never ends a batch
            message = f"It cannot be resized: {type(error).__name__}: {error}"
            return RowError("UNSUPPORTED", "decode", message)
        return None

    def _infer(self, images: UInt8Array) -> Ranked:
        if len(images) == 0:
            return Ranked.empty(self._top_k)
        output = self._model.run(images, self._result)
        if isinstance(self._result, Vector):
            return Ranked.unranked(output)
        return rank(output, self._model.bundle.manifest.activation, self._top_k)

    def _buffer(self) -> UInt8Array:
        """Return this thread's pixel buffer, which is allocated once and reused."""
        found: UInt8Array | None = getattr(self._buffers, "images", None)
        if found is None:
            rows, size = self._spec.batch_rows, self._preprocessing.size
            found = np.empty((rows, size.height, size.width, 3), np.uint8)
            self._buffers.images = found
        return found
