"""The PyTorch backend. Importing this module imports torch, which costs 4.5 CPU-seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import safetensors
import safetensors.torch
import torch

from sightline.backends.architecture import build_architecture, load_weights
from sightline.backends.backend import Array
from sightline.backends.device import Device, unavailable
from sightline.backends.divided import Divided
from sightline.bundle.bundle import Bundle
from sightline.bundle.calibration import Precision
from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.signature import IMAGE
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import WrongUseError
from sightline.out_of_memory import raise_if_out_of_memory


class PixelModel(torch.nn.Module):
    """A network with its normalisation. Its input is uint8, so less data goes to the device.

    (x / 255 - mean) / std is one multiplication and one addition, as in every variant.
    """

    scale: torch.Tensor
    bias: torch.Tensor
    # The input has channels last, which is also the faster layout on the CPU. An export may select
    # the other layout.
    layout: torch.memory_format = torch.preserve_format

    def __init__(self, network: torch.nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        scale, bias = preprocessing.scale_and_bias
        self.network = network
        self.register_buffer("scale", torch.tensor(scale).reshape(1, 3, 1, 1))
        self.register_buffer("bias", torch.tensor(bias).reshape(1, 3, 1, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Convert (n, height, width, 3) uint8 to the network's outputs, each (n, …) float32."""
        pixels = images.permute(0, 3, 1, 2)  # (n, 3, height, width)
        pixels = pixels.to(torch.float32, memory_format=self.layout)
        values: torch.Tensor | tuple[torch.Tensor, ...]
        values = self.network(pixels * self.scale + self.bias)
        return values


@dataclass(frozen=True)
class PytorchSession:
    """A model in torch; any number of threads may run it at the same time."""

    model: torch.nn.Module
    device: torch.device
    inputs: tuple[str, ...]
    outputs: tuple[TensorSpec, ...]
    features: torch.nn.Module | None = None  # the network without its head
    precision: Precision = "fp32"

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> dict[str, Array]:
        """See `backend.Session.run`. The head is not computed if only the features are wanted."""
        model, outputs = self.model, self.outputs
        if self.features is not None and list(wanted) == [outputs[-1].name]:
            model, outputs = self.features, outputs[-1:]
        # Both settings apply to the calling thread only.
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"),
        ):
            values = model(*(torch.from_numpy(feeds[name]).to(self.device) for name in self.inputs))
            values = values if isinstance(values, tuple) else (values,)
            return {
                one.name: value.to("cpu", getattr(torch, one.dtype)).numpy()
                for one, value in zip(outputs, values, strict=True)
                if one.name in wanted
            }


class PytorchBackend:
    """torch on the CPU or one CUDA device."""

    def open(
        self,
        bundle: Bundle,
        device: Device,
        threads: int,
        *,
        precision: Precision = "fp32",
        allow_code: bool = False,
    ) -> PytorchSession:
        """See `backend.Backend.open`."""
        variant = bundle.manifest.pytorch
        if variant is None:
            raise WrongUseError("NO_VARIANT", f"model {bundle.name} has no pytorch variant.")
        signature = bundle.manifest.signature
        if signature.image is None and any(one.kind == IMAGE for one in signature.inputs):
            raise WrongUseError(
                "INVALID_BUNDLE",
                f"{bundle.path}: a pytorch variant takes one image or only numbers. Use another "
                "backend.",
            )
        torch.set_num_threads(threads)
        try:
            weights = safetensors.torch.load(bundle.read_bytes(variant.file))
        except safetensors.SafetensorError as error:
            raise WrongUseError(
                "INVALID_BUNDLE", f"{bundle.path}: '{variant.file}' is not safetensors: {error}."
            ) from error
        network: torch.nn.Module = build_architecture(
            variant.architecture, variant.arguments, model=bundle.name, allow_code=allow_code
        )
        load_weights(network, weights, variant.architecture)
        features: torch.nn.Module | None = None
        if variant.head:
            divided = _divide(network, variant.head, bundle)
            network, features = divided, divided.body
        if signature.image is not None:
            network = PixelModel(network, signature.image)
            features = features if features is None else PixelModel(features, signature.image)
        model = network.eval()
        features = features if features is None else features.eval()
        place = torch.device(str(device))
        try:
            if device.kind == "cuda" and device.memory_fraction is not None:
                torch.cuda.set_per_process_memory_fraction(device.memory_fraction, device.index)
            model.to(place)
            if features is not None:
                features.to(place)
        except (RuntimeError, AssertionError) as error:
            raise_if_out_of_memory(error, f"loading model {bundle.name}")
            raise unavailable("pytorch", str(device), str(error).splitlines()[0]) from error
        return PytorchSession(
            model,
            place,
            tuple(one.tensor.name for one in signature.inputs),
            tuple(one.tensor for one in bundle.manifest.outputs_of("pytorch")),
            features,
            precision,
        )

    def has_cuda(self) -> bool:
        """Whether this torch is a CUDA build and sees a device."""
        return torch.cuda.is_available()


def _divide(network: torch.nn.Module, head: str, bundle: Bundle) -> Divided:
    try:
        return Divided(network, head)
    except AttributeError as error:
        raise WrongUseError(
            "INVALID_BUNDLE", f"{bundle.path}: its network has no layer '{head}' ({error})."
        ) from error


BACKEND = PytorchBackend()
