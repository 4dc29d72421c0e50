import pytest

from sightline.bundle.image_settings import Resize, Size
from sightline.bundle.recipe import find_recipe


@pytest.mark.parametrize(
    ("architecture", "pretrained", "resize", "crop", "mean"),
    [
        ("torchvision:mobilenet_v2", "", ("shortest_edge", 232, "bilinear"), 224, 0.485),
        (
            "torchvision:mobilenet_v2",
            "IMAGENET1K_V1",
            ("shortest_edge", 256, "bilinear"),
            224,
            0.485,
        ),
        ("torchvision:efficientnet_b0", "", ("shortest_edge", 256, "bicubic"), 224, 0.485),
        ("timm:tf_efficientnet_lite0", "", ("shortest_edge", 256, "bicubic"), 224, 0.5),
        ("timm:mobilenetv3_small_050", "", ("shortest_edge", 256, "bicubic"), 224, 0.485),
        ("timm:vit_base_patch16_clip_384", "", ("stretch", 384, "bicubic"), 384, 0.48145466),
    ],
)
def test_images_are_preprocessed_as_by_the_library(
    architecture: str, pretrained: str, resize: tuple[str, int, str], crop: int, mean: float
) -> None:
    recipe = find_recipe(architecture, pretrained)

    assert recipe is not None
    mode, edge, interpolation = resize
    assert recipe.preprocessing.resize == Resize(mode, edge, edge, interpolation)
    assert recipe.preprocessing.crop == Size(crop, crop)
    assert recipe.preprocessing.mean[0] == mean


def test_imagenet_names_its_classes() -> None:
    for architecture in ("torchvision:resnet18", "timm:resnet10t"):
        recipe = find_recipe(architecture)
        assert recipe is not None
        assert (len(recipe.labels), recipe.labels[0]) == (1000, "tench")


def test_a_network_of_other_classes_has_no_labels() -> None:
    recipe = find_recipe("timm:vit_small_patch14_dinov2")

    assert recipe is not None
    assert recipe.labels == ()


@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("torchvision:googlenet", {"transform_input": True}),
        ("torchvision:inception_v3", {"transform_input": True}),
        ("torchvision:vit_h_14", {"image_size": 518}),
        ("torchvision:resnet18", {}),
    ],
)
def test_the_recipe_has_the_arguments_that_the_weights_need(
    architecture: str, arguments: dict[str, object]
) -> None:
    recipe = find_recipe(architecture)

    assert recipe is not None
    assert recipe.arguments == arguments


@pytest.mark.parametrize(
    "architecture", ["torch.nn:Linear", "", "torchvision:fasterrcnn_resnet50_fpn"]
)
def test_a_network_that_is_not_an_image_classifier_has_no_recipe(architecture: str) -> None:
    assert find_recipe(architecture) is None
