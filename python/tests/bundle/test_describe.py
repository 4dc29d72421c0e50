import shutil

from sightline.bundle.bundle import Bundle
from sightline.bundle.describe import describe_bundle
from sightline.bundle.find import known_models
from sightline.bundle.list_models import list_bundles


def test_the_summary_has_every_property_of_the_bundle(tiny: Bundle) -> None:
    text = describe_bundle(tiny)

    for fact in (
        "images: uint8 (n, 16, 12, 3), image",
        "logits: float32 (n, 3), classes",
        "3: cat, dog, fish",
        "resize shortest edge to 20, bilinear; centre crop 16 x 12",
        "[0.485, 0.456, 0.406]",
        "tiny_networks:two_layers",
        "features: float32 (n, 4), vector",
        "head           5, whose input is the features",
        "MIT",
        f"{tiny.manifest.parameters}",
        tiny.sha256,
    ):
        assert fact in text


def test_the_summary_of_a_bundle_with_one_variant_states_it(tiny: Bundle) -> None:
    only = Bundle.load(tiny.path)
    object.__setattr__(only.manifest, "pytorch", None)

    assert "pytorch        no such variant in this bundle" in describe_bundle(only)


def test_the_table_lists_a_damaged_bundle_and_the_bundles_after_it(tiny: Bundle) -> None:
    root = tiny.path.parent
    shutil.copytree(tiny.path, root / "broken")
    (root / "broken/model.json").write_text("{")

    lines = list_bundles({**known_models(root)}).splitlines()

    headings = "name inputs outputs classes parameters variants MB where"
    assert lines[0].split() == headings.split()
    assert any(line.split()[:2] == ["broken", "damaged"] for line in lines)
    assert any(line.startswith("tiny") and "onnx, pytorch" in line for line in lines)
