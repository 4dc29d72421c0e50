from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from sightline.backends.cache import open_session
from sightline.backends.device import Device
from sightline.bundle.bundle import Bundle
from sightline.engine.model import Model
from sightline.engine.result_type import Vector
from sightline.engine.run import run_scalar
from sightline.engine.settings import EngineSettings
from sightline.errors import WrongUseError

SPEC = EngineSettings(batch_rows=2)


@pytest.fixture(scope="module")
def means_model(means_bundle: Path) -> Model:
    bundle = Bundle.load(means_bundle)
    return Model(bundle, open_session(bundle, "onnx", Device("cpu"), threads=1))


def test_features_are_the_vector_of_the_model_an_error_or_null(
    means_model: Model, encode: Callable[..., bytes]
) -> None:
    images = pa.array([encode("red"), b"no image", None, encode((10, 20, 30))], pa.binary())
    (answer,) = run_scalar([images], means_model, SPEC, Vector())
    assert isinstance(answer, pa.StructArray)
    assert answer.is_null().to_pylist() == [False, False, True, False]
    features, error = answer.field("features").to_pylist(), answer.field("error").to_pylist()
    assert features == [[255.0, 0.0, 0.0], None, None, [10.0, 20.0, 30.0]]
    assert [one and one["code"] for one in error] == [None, "UNSUPPORTED", None, None]


def test_a_model_without_features_is_refused(
    colour_model: Model, encode: Callable[..., bytes]
) -> None:
    images = pa.array([encode("red")], pa.binary())
    with pytest.raises(WrongUseError, match="NO_FEATURES: model colour has no output of features"):
        list(run_scalar([images], colour_model, SPEC, Vector()))
