"""Measures ways to decode and resize large photographs: their CPU time and their effect.

    .venv/bin/python benchmarks/decoders.py models/efficientnet_lite0 ../shared/data [SET …]

SET is camera, tiles, noise, png, webp, imagenet or flowers; without one all are measured, which
takes half an hour. The program prints one Markdown table for each set. It imports nothing of
Sightline and chooses nothing: docs/design.md says what was chosen.

- camera: the photographs as they are; tiles: 320 crops of them, 2 to 14 megapixels.
- png, webp: 40 of the tiles in these formats.
- noise: the pixels that the model sees of the tiles, with 1 added to or taken from every twentieth
  value: what so small a change does to the labels.
- imagenet, flowers: labelled photographs with a short side of 256. They are enlarged to a short
  side of 1600 to 2800 pixels, with noise (sigma 6 of 255) that stands for the missing fine detail.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime as ort
import PIL
from PIL import Image
from sklearn.linear_model import LogisticRegression

sys.path.append(str(Path(__file__).parent / "contenders"))
from plain import Floats, Pixels, Recipe

Encoded = tuple[bytes, int | None]  # a file and its class, if known
Classify = Callable[[list[Pixels]], Floats]  # (n, classes) probabilities


@dataclass(frozen=True)
class Way:
    """One way to decode and resize.

    Args:
        least: A JPEG is decoded at 1/2, 1/4 or 1/8, but not below this many times the resized
            image; 0 decodes all pixels.
        gap: Pillow's `reducing_gap` of the resize.
        box: Whether only the part inside the crop is resized.
    """

    name: str
    least: float = 0
    gap: float | None = None
    box: bool = True


WAYS = (
    Way("whole decode, whole resize", box=False),
    Way("whole decode, resize of the crop's box"),
    Way("whole decode, box, reducing_gap 3", gap=3),
    Way("whole decode, box, reducing_gap 4", gap=4),
    Way("scaled to ≥ 4 x, box", 4),
    Way("scaled to ≥ 3 x, box", 3),
    Way("scaled to ≥ 2.5 x, box", 2.5),
    Way("scaled to ≥ 2 x, box", 2),
    Way("scaled to ≥ 1 x, box", 1),
)


@dataclass
class Found:
    """What one way gave for a set of images."""

    decode_ms: list[float] = field(default_factory=list)
    resize_ms: list[float] = field(default_factory=list)
    pixels: list[Pixels] = field(default_factory=list)


def fitted(recipe: Recipe, content: bytes, way: Way, found: Found) -> Pixels:
    """Decode and resize one image of a model with `shortest_edge`, and note the CPU time."""
    started = time.process_time()
    image = Image.open(io.BytesIO(content))
    width, height = image.size
    edge = recipe.resize["height"]
    resized = (edge * width // min(width, height), edge * height // min(width, height))
    box = (0.0, 0.0, float(width), float(height))
    if way.least and image.format in ("JPEG", "MPO"):
        least = (int(way.least * resized[0]), int(way.least * resized[1]))
        drafted = image.draft(None, least)
        box = drafted[1] if drafted else box
    rgb = image.convert("RGB")
    decoded = time.process_time()
    left, top = ((resized[0] - recipe.width) / 2, (resized[1] - recipe.height) / 2)
    left, top = round(left), round(top)
    part = (left, top, left + recipe.width, top + recipe.height)
    if way.box:
        x, y = box[2] / resized[0], box[3] / resized[1]
        box = (part[0] * x, part[1] * y, part[2] * x, part[3] * y)
        rgb = rgb.resize((recipe.width, recipe.height), recipe.filter, box, way.gap)
    else:
        rgb = rgb.resize(resized, recipe.filter, box, way.gap).crop(part)
    pixels = np.asarray(rgb)
    found.decode_ms.append(1000 * (decoded - started))
    found.resize_ms.append(1000 * (time.process_time() - decoded))
    return pixels


def saved(image: Image.Image, format_: str = "JPEG", **options: object) -> bytes:
    """Encode an image."""
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def camera(data: Path) -> Iterator[Encoded]:
    """The photographs, three times each, for the CPU time."""
    for path in sorted((data / "camera").iterdir()) * 3:
        yield path.read_bytes(), None


def tiles(data: Path, count: int = 320) -> Iterator[Image.Image]:
    """Crops at random places, with short sides from 1300 pixels and an aspect up to 3:2."""
    chance = np.random.default_rng(1)
    paths = sorted((data / "camera").iterdir())
    for path in paths:
        with Image.open(path) as image:
            for _ in range(count // len(paths)):
                height = int(chance.integers(1300, min(image.size) + 1))
                width = int(height * chance.uniform(1, 1.5))
                height, width = min(height, image.height), min(width, image.width)
                left = int(chance.integers(0, image.width - width + 1))
                top = int(chance.integers(0, image.height - height + 1))
                yield image.crop((left, top, left + width, top + height))


def enlarged(path: Path, number: int) -> bytes:
    """One small photograph at the size of a camera's; every third one is progressive."""
    chance = np.random.default_rng(number)
    with Image.open(path) as image:
        side = (1600, 2100, 2800)[number // 3 % 3]
        factor = side / min(image.size)
        size = (round(image.width * factor), round(image.height * factor))
        large = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))
    noise = chance.normal(0, 6, large.shape).astype(np.float32)
    noisy = Image.fromarray((large + noise).clip(0, 255).astype(np.uint8))
    return saved(noisy, quality=90, progressive=number % 3 == 0)


def imagenet(data: Path) -> Iterator[Encoded]:
    """500 photographs of 500 classes."""
    with (data / "imagenet" / "labels.csv").open() as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            yield enlarged(data / "imagenet" / row["path"], number), int(row["class_id"])


def flowers(data: Path) -> Iterator[Encoded]:
    """100 photographs of five classes; see `flower_classifier`."""
    classes = sorted(path.name for path in (data / "flowers/dev/test").iterdir())
    for number, path in enumerate(sorted((data / "flowers/dev/test").glob("*/*.jpg"))):
        yield enlarged(path, number), classes.index(path.parent.name)


def run(session: ort.InferenceSession, output: int, images: list[Pixels]) -> Floats:
    """Run (height, width, 3) images one by one; return (n, values)."""
    name, wanted = session.get_inputs()[0].name, session.get_outputs()[output].name
    return np.concatenate([session.run([wanted], {name: image[None]})[0] for image in images])


def flower_classifier(recipe: Recipe, session: ort.InferenceSession, data: Path) -> Classify:
    """Fit a logistic regression on the model's features of the 400 training photographs."""
    paths = sorted((data / "flowers/dev/train").glob("*/*.jpg"))
    classes = sorted({path.parent.name for path in paths})
    images = [recipe.pixels(path.read_bytes()) for path in paths]
    labels = [classes.index(path.parent.name) for path in paths]
    head = LogisticRegression(max_iter=2000).fit(run(session, 1, images), labels)
    return lambda found: head.predict_proba(run(session, 1, found)).astype(np.float32)


def measure(recipe: Recipe, name: str, images: Iterator[Encoded], classify: Classify) -> None:
    """Print the table of one set. The columns after top-1 are differences from the first way."""
    found = {way: Found() for way in WAYS}
    true: list[int | None] = []
    megapixels = []
    for content, label in images:
        true.append(label)
        with Image.open(io.BytesIO(content)) as image:
            megapixels.append(image.width * image.height / 1e6)
        first = len(true) % len(WAYS)  # the first way after another image has cold caches
        for way in WAYS[first:] + WAYS[:first]:
            found[way].pixels.append(fitted(recipe, content, way, found[way]))
    exact = found[WAYS[0]]
    scores = {way: classify(one.pixels) for way, one in found.items()}
    labels = {way: one.argmax(axis=1).tolist() for way, one in scores.items()}
    best, rows = labels[WAYS[0]], np.arange(len(true))
    low, high = min(megapixels), max(megapixels)
    print(f"\n### {name}: {len(true)} images of {low:.1f} to {high:.1f} megapixels\n")
    print(
        "| way | decode | resize | CPU-ms | label as exact | top-1 | score | mean | 99.9 % | max |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for way, one in found.items():
        pairs = zip(one.pixels, exact.pixels, strict=True)
        differences = np.stack([np.abs(a.astype(int) - b) for a, b in pairs])
        same = sum(a == b for a, b in zip(labels[way], best, strict=True))
        right = sum(a == b for a, b in zip(labels[way], true, strict=True))
        decode, resize = (float(np.mean(some)) for some in (one.decode_ms, one.resize_ms))
        change = np.abs(scores[way] - scores[WAYS[0]])[rows, best].mean()
        top1 = "-" if true[0] is None else f"{100 * right / len(true):.1f} %"
        print(
            f"| {way.name} | {decode:.1f} | {resize:.1f} | {decode + resize:.1f} "
            f"| {same}/{len(true)} | {top1} | {change:.4f} | {differences.mean():.3f} "
            f"| {np.quantile(differences, 0.999):.0f} | {differences.max()} |",
            flush=True,
        )


def measure_noise(recipe: Recipe, images: list[Image.Image], classify: Classify) -> None:
    """Print how many labels a change of one of 255 in five per cent of the values changes."""
    chance = np.random.default_rng(2)
    pixels = [recipe.pixels(saved(image)) for image in images]
    noisy = []
    for one in pixels:
        step = chance.choice([-1, 0, 1], one.shape, p=[0.025, 0.95, 0.025])
        noisy.append((one.astype(int) + step).clip(0, 255).astype(np.uint8))
    before, after = classify(pixels), classify(noisy)
    first, second = np.sort(before, axis=1)[:, -2:].T[::-1]
    labels, rows = before.argmax(axis=1), np.arange(len(pixels))
    print(f"\n### noise: {len(pixels)} images\n")
    print(f"labels as without: {(labels == after.argmax(axis=1)).sum()}")
    print(f"mean change of the best score: {np.abs(before - after)[rows, labels].mean():.4f}")
    print(f"best two scores within 0.01: {(first - second < 0.01).sum()}")


def main(model: str, data: str, *sets: str) -> None:
    """Print a table for each set."""
    recipe, folder = Recipe(model), Path(data)
    session = recipe.session(1)

    def classify(images: list[Pixels]) -> Floats:
        logits = run(session, 0, images)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Floats = powers / powers.sum(axis=1, keepdims=True)
        return found

    def jpegs() -> Iterator[Encoded]:
        for number, tile in enumerate(tiles(folder)):
            yield saved(tile, quality=92, progressive=number % 2 == 1), None

    def others(format_: str) -> Iterator[Encoded]:
        options = {"quality": 90, "method": 2} if format_ == "WEBP" else {"compress_level": 6}
        for tile in tiles(folder, 40):
            yield saved(tile, format_, **options), None

    known: dict[str, Callable[[], Iterator[Encoded]]] = {
        "camera": lambda: camera(folder),
        "tiles": jpegs,
        "png": lambda: others("PNG"),
        "webp": lambda: others("WEBP"),
        "imagenet": lambda: imagenet(folder),
        "flowers": lambda: flowers(folder),
    }
    print(f"{Path(model).name}, Pillow {PIL.__version__}, onnxruntime {ort.__version__}")
    for name in sets or (*known, "noise"):
        if name == "noise":
            measure_noise(recipe, list(tiles(folder)), classify)
            continue
        flower = name == "flowers"
        head = flower_classifier(recipe, session, folder) if flower else classify
        measure(recipe, name, known[name](), head)


if __name__ == "__main__":
    main(*sys.argv[1:])
