"""Export of a torch module as an ONNX graph."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence

import onnx
import torch

from sightline.backends.pytorch import PixelModel
from sightline.bundle.graph import strip_notes
from sightline.bundle.image_settings import Size
from sightline.bundle.quiet_logs import quiet_logs
from sightline.errors import SightlineError

_LARGEST_BATCH = 4096


def export_onnx(model: PixelModel, size: Size, outputs: Sequence[str]) -> onnx.ModelProto:
    """Export the network with its normalisation, for batches of 1 to 4,096 rows.

    The input is uint8 (n, height, width, 3), RGB.

    Args:
        model: On the CPU and in evaluation mode. Its memory layout is changed.
        size: Height and width of the images in pixels.
        outputs: Names for the model's outputs, in its order.

    Raises:
        SightlineError: EXPORT_FAILED, with the exporter's reason.
    """
    example = torch.zeros((2, size.height, size.width, 3), dtype=torch.uint8)
    # With channels last, torch exports global pooling as index arithmetic. openvino computes that
    # wrongly in an int8 graph.
    model.layout = torch.contiguous_format
    rows = torch.export.Dim("n", min=1, max=_LARGEST_BATCH)
    chatter = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(chatter), quiet_logs():
            warnings.simplefilter("ignore")  # torch's own deprecations
            program = torch.onnx.export(
                model,
                (example,),
                dynamo=True,
                dynamic_shapes=({0: rows},),
                external_data=False,
                input_names=["images"],
                output_names=list(outputs),
                verbose=False,
            )
    except (RuntimeError, ValueError, TypeError, torch.onnx.OnnxExporterError) as error:
        reason = " ".join(str(error).split())[:300]
        raise SightlineError(
            "EXPORT_FAILED",
            f"torch cannot export this network to ONNX: {reason}. Give an ONNX file with --onnx, "
            "or add it for pytorch alone with --no-export.",
        ) from error
    if program is None:
        raise SightlineError("EXPORT_FAILED", "torch returned no ONNX program. Use --no-export.")
    graph: onnx.ModelProto = program.model_proto
    strip_notes(graph)
    return graph
