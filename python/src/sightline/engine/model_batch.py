"""Images gathered from any number of input batches until the model has a full batch."""

import numpy as np
from PIL import Image

from sightline.engine.model import Model
from sightline.engine.preprocess import preprocess
from sightline.engine.request import Outcome
from sightline.engine.scores import rank
from sightline.row_error import RowError


class ModelBatch:
    """One buffer of pixels, allocated once and used again for every batch.

    Args:
        model: Runs the batch.
        rows: Images in a full batch.
        top_k: Classes kept for each image.
    """

    def __init__(self, model: Model, rows: int, top_k: int) -> None:
        size = model.bundle.manifest.preprocessing.size
        self._model = model
        self._top_k = top_k
        self._images = np.empty((rows, size.height, size.width, 3), np.uint8)
        self._places: list[tuple[Outcome, int]] = []

    def add(self, image: Image.Image, outcome: Outcome, row: int) -> None:
        """Put one image into the batch, and run the batch if that fills it.

        Args:
            image: Mode RGB, any size.
            outcome: Where the result goes, at ``row``.
            row: Row of the input batch.
        """
        out = self._images[len(self._places)]
        try:
            preprocess(image, self._model.bundle.manifest.preprocessing, out)
        except Exception as error:  # noqa: BLE001 - one image never ends a batch
            message = f"It cannot be resized: {type(error).__name__}: {error}"
            outcome.errors[row] = RowError("CORRUPT", "decode", message)
            return
        self._places.append((outcome, row))
        outcome.waiting += 1
        if len(self._places) == len(self._images):
            self.run()

    def run(self) -> None:
        """Run the model on the images gathered so far, and hand out the results."""
        if not self._places:
            return
        scores = self._model.scores(self._images[: len(self._places)])
        ranked = rank(scores, self._model.bundle.manifest.activation, self._top_k)
        for i, (outcome, row) in enumerate(self._places):
            outcome.waiting -= 1
            if ranked.valid[i]:
                outcome.class_ids[row] = ranked.class_ids[i]
                outcome.scores[row] = ranked.scores[i]
                outcome.predicted[row] = True
            else:
                message = "The model gave a score that is not a number."
                outcome.errors[row] = RowError("MODEL", "infer", message)
        self._places.clear()
