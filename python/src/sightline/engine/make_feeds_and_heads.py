"""Makes the feeds of a model's inputs and the heads of the outputs that a result needs."""

from __future__ import annotations

from collections.abc import Sequence

from sightline.bundle.bundle import Bundle
from sightline.bundle.image_settings import Preprocessing
from sightline.bundle.signature import CLASSES, IMAGE, TENSOR, VECTOR, Classes, Input, Output
from sightline.engine.feeds.feed import Feed, FeedFactory
from sightline.engine.feeds.image_feed import DecodeMemory, ImageFeed
from sightline.engine.feeds.tensor_feed import TensorFeed
from sightline.engine.heads.classes_head import ClassesHead, ProbabilitiesHead
from sightline.engine.heads.head import Head, HeadFactory
from sightline.engine.heads.tensor_head import TensorHead, VectorHead
from sightline.engine.result_type import OneResult, Probabilities, Tensors, TopK, Vector
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError
from sightline.extensions import extension_names, load_extension, unknown_extension

_FEEDS, _HEADS = (IMAGE, TENSOR), (CLASSES, TENSOR, VECTOR)


def open_feeds(bundle: Bundle, spec: EngineSettings) -> tuple[Feed, ...]:
    """Make the feed of each input, in the order of the signature.

    Args:
        bundle: The bundle with the signature.
        spec: Sizes and limits of the run.

    Raises:
        WrongUseError: UNKNOWN_EXTENSION or BROKEN_EXTENSION.
    """
    memory = DecodeMemory()
    return tuple(_feed(one, spec, memory) for one in bundle.manifest.signature.inputs)


def open_heads(bundle: Bundle, result: OneResult) -> dict[str, Head]:
    """Make the heads of the outputs that a result type needs, by the output's name.

    `Tensors` returns the unchanged values of an output with a built-in head. The head of another
    package makes its own columns of its output.

    Args:
        bundle: The bundle with the signature and the labels.
        result: The result type.

    Raises:
        WrongUseError: NO_CLASSES, NO_FEATURES, UNKNOWN_OUTPUT, INVALID_BUNDLE for damaged labels,
            UNKNOWN_EXTENSION or BROKEN_EXTENSION.
    """
    signature = bundle.manifest.signature
    if isinstance(result, TopK | Probabilities):
        output = signature.require_classes(bundle.name)
        return {output.name: _classes(bundle, output, result)}
    if isinstance(result, Vector):
        output = signature.require_vector(bundle.name, result.output)
        return {output.name: VectorHead(output.tensor)}
    by_name = {one.name: one for one in signature.outputs}
    return {name: _tensor(bundle, by_name, name) for name in _names(result)}


def open_plain_heads(bundle: Bundle, outputs: Sequence[str]) -> dict[str, Head]:
    """Make tensor heads for outputs, whatever heads the manifest has for them.

    Args:
        bundle: The bundle with the signature.
        outputs: Names of outputs, at least one.

    Raises:
        WrongUseError: UNKNOWN_OUTPUT.
    """
    by_name = {one.name: one for one in bundle.manifest.signature.outputs}
    return {
        name: TensorHead(_named(by_name, name).tensor) for name in _names(Tensors(tuple(outputs)))
    }


def _names(result: Tensors) -> tuple[str, ...]:
    if not result.outputs or len(set(result.outputs)) < len(result.outputs):
        raise WrongUseError("UNKNOWN_OUTPUT", "name one output or more, each only once.")
    return result.outputs


def _feed(input_: Input, spec: EngineSettings, memory: DecodeMemory) -> Feed:
    if isinstance(input_.feed, Preprocessing):
        return ImageFeed(input_.feed, spec, memory)
    if input_.kind == TENSOR:
        return TensorFeed(input_.tensor, spec.casts)
    if input_.kind not in extension_names("sightline.feeds"):
        raise unknown_extension("sightline.feeds", input_.kind, _FEEDS)
    factory: FeedFactory = load_extension("sightline.feeds", input_.kind)
    return factory(input_, spec)


def _classes(bundle: Bundle, output: Output, result: TopK | Probabilities) -> ClassesHead:
    activation = output.head.activation if isinstance(output.head, Classes) else ""
    labels = bundle.labels_of(output)
    if isinstance(result, TopK):
        return ClassesHead(labels, activation, result.k)
    return ProbabilitiesHead(labels, activation)


def _tensor(bundle: Bundle, outputs: dict[str, Output], name: str) -> Head:
    output = _named(outputs, name)
    if output.kind in _HEADS:
        return TensorHead(output.tensor)
    if output.kind not in extension_names("sightline.heads"):
        raise unknown_extension("sightline.heads", output.kind, _HEADS)
    factory: HeadFactory = load_extension("sightline.heads", output.kind)
    return factory(output, bundle)


def _named(outputs: dict[str, Output], name: str) -> Output:
    if name not in outputs:
        raise WrongUseError("UNKNOWN_OUTPUT", f"'{name}'. Known: {', '.join(outputs)}.")
    return outputs[name]
