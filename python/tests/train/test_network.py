from dataclasses import replace

import pytest
import torch

from sightline.errors import WrongUseError
from sightline.train.network import (
    build_network,
    count_parameters,
    freeze,
    full_name,
    head_names,
    preprocessing_of,
    set_training,
)
from sightline.train.train_settings import TrainSettings

TINY = TrainSettings(architecture="timm:test_efficientnet", weights="none", image_size=64)


def test_a_plain_name_is_torchvisions_or_else_timms() -> None:
    assert full_name("resnet50") == "torchvision:resnet50"
    assert full_name("test_efficientnet") == "timm:test_efficientnet"
    assert full_name("timm:resnet50") == "timm:resnet50"


def test_start_weights_are_kept_and_the_head_is_new() -> None:
    start = build_network(TINY, 1000, None).state_dict()
    start = {name: torch.full_like(value, 1) for name, value in start.items()}
    network = build_network(TINY, 3, start)
    head = {"classifier.weight", "classifier.bias"}
    assert head_names(TINY, 3) == head
    for name, value in network.state_dict().items():
        assert bool((value == 1).all()) == (name not in head)
    assert network.state_dict()["classifier.weight"].shape[0] == 3


def test_the_same_seed_gives_the_same_new_head() -> None:
    one, other = (build_network(TINY, 3, None).state_dict()["classifier.weight"] for _ in range(2))
    assert torch.equal(one, other)
    third = build_network(replace(TINY, seed=1), 3, None).state_dict()["classifier.weight"]
    assert not torch.equal(one, third)


def test_weights_of_another_architecture_are_refused() -> None:
    start = build_network(replace(TINY, architecture="timm:test_convnext"), 3, None).state_dict()
    with pytest.raises(WrongUseError, match=r"^WEIGHTS_MISMATCH: "):
        build_network(TINY, 3, start)


def test_an_architecture_without_a_number_of_classes_is_refused() -> None:
    other = replace(TINY, architecture="sightline.backends.compact_cnn:compact_cnn")
    with pytest.raises(WrongUseError, match=r"^BAD_ARCHITECTURE: "):
        build_network(other, 3, {})


def test_all_but_the_head_is_frozen_and_its_batch_normalisation_keeps_its_statistics() -> None:
    settings = replace(TINY, freeze="all-but-head")
    network = build_network(settings, 3, None)
    frozen = freeze(network, settings, 3)
    trained = [name for name, one in network.named_parameters() if one.requires_grad]
    assert trained == ["classifier.weight", "classifier.bias"]
    assert count_parameters(network)[0] == 3 * 256 + 3
    before = {name: one.clone() for name, one in network.named_buffers()}
    set_training(network, frozen)
    network(torch.rand(4, 3, 64, 64))
    assert all(torch.equal(before[name], one) for name, one in network.named_buffers())


def test_the_first_layers_are_frozen_by_number() -> None:
    settings = replace(TINY, freeze="2")
    network = build_network(settings, 3, None)
    freeze(network, settings, 3)
    frozen = [name for name, one in network.named_parameters() if not one.requires_grad]
    assert frozen == ["conv_stem.weight", "bn1.weight", "bn1.bias"]
    with pytest.raises(WrongUseError, match=r"^INVALID_OPTION: --freeze is 1000, and"):
        freeze(network, replace(TINY, freeze="1000"), 3)


def test_batch_normalisation_keeps_its_statistics_and_trains_its_weights_if_asked() -> None:
    for settings, kept in ((TINY, False), (replace(TINY, batch_norm="keep"), True)):
        network = build_network(settings, 3, None)
        set_training(network, freeze(network, settings, 3))
        before = {name: one.clone() for name, one in network.named_buffers()}
        network(torch.rand(4, 3, 64, 64)).sum().backward()
        after = dict(network.named_buffers())
        assert all(torch.equal(before[name], after[name]) == kept for name in before)
        assert network.get_parameter("bn1.weight").grad is not None


def test_the_preprocessing_is_that_of_the_published_weights_at_the_given_size() -> None:
    settings = TrainSettings(architecture="torchvision:resnet50", image_size=112)
    found = preprocessing_of(settings)
    assert (found.resize.height, found.size.height) == (116, 112)  # 232 / 224 of V2's weights
    assert found.mean == (0.485, 0.456, 0.406)
    assert preprocessing_of(replace(settings, mean=(0.5, 0.5, 0.5))).mean == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"optimizer": "adagrad"}, "UNKNOWN_OPTIMIZER: --optimizer 'adagrad'. Known: adam, "),
        ({"scheduler": "x"}, "UNKNOWN_SCHEDULER: "),
        ({"augment": "x"}, "UNKNOWN_AUGMENT: "),
        ({"batch_norm": "x"}, "UNKNOWN_BATCH_NORM: --batch-norm 'x'. Known: update, keep."),
        ({"precision": "int8"}, "UNKNOWN_PRECISION: "),
        ({"epochs": 0}, "INVALID_OPTION: --epochs is 0; it must be at least 1."),
        ({"learning_rate": float("nan")}, "INVALID_OPTION: --learning-rate is nan"),
        ({"weight_decay": -1.0}, "INVALID_OPTION: --weight-decay is -1.0"),
        ({"momentum": 1.0}, "INVALID_OPTION: --momentum is 1.0"),
        ({"freeze": "some"}, "INVALID_OPTION: --freeze is some"),
    ],
)
def test_a_wrong_setting_is_an_error_with_its_option(
    changed: dict[str, object], message: str
) -> None:
    with pytest.raises(WrongUseError) as raised:
        TrainSettings(**changed)  # type: ignore[arg-type]
    assert str(raised.value).startswith(message)
