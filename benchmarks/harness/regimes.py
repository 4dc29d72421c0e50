"""The regimes of the benchmark: their images, their model, and the sizes of their jobs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.bench_models import calibrate, light_model, random_resnet50, run_once
from harness.checkout import MODELS, REPOSITORY, shared_data
from harness.inputs import ImageSet
from harness.made_images import make_crops, make_small_copies, sort_photographs

REGIMES = ("heavy", "light", "camera", "resnet50")
_CARDS_PEOPLE = 100
_SMALL_COPIES = 256
_CROPS_PER_CYCLE = 8
_LEAST_IMAGES = 8  # of a job, so that every partition of 8 has one
Calibration = Literal["wanted", "not wanted"]


@dataclass(frozen=True)
class Sizes:
    """Sizes of a regime's jobs.

    Args:
        images: Images of the small job.
        times: Images of a large job, as a multiple of those of the small one; at least 2.
    """

    images: int
    times: int


DEFAULT_SIZES = {
    "heavy": Sizes(500, 3),
    "light": Sizes(500, 8),
    "camera": Sizes(32, 8),
    "resnet50": Sizes(100, 4),
}


@dataclass(frozen=True)
class Regime:
    """Images and a model.

    Args:
        name: One of REGIMES.
        title: Title in tables.
        source: Description of the images.
        sets: The images by kind.
        model: Folder of the bundle.
        jobs: Images of each set in each job of a full contender.
        cycles: A job has multiples of this many images of each set, so that all jobs have the
            same mixture.
        calibration: Output of `models calibrate`, or why there is no reduced precision; empty if
            no contender needs it.
    """

    name: str
    title: str
    source: str
    sets: tuple[ImageSet, ...]
    model: Path
    jobs: tuple[tuple[int, ...], ...]
    cycles: tuple[int, ...] = (1,)
    calibration: str = ""

    def jobs_of(self, share: float) -> tuple[tuple[int, ...], ...]:
        """Return the jobs of a contender that gets this share of the images, 0 to 1.

        A contender gets all images if the share would make a job too small, or two jobs equal.
        """
        jobs = tuple(
            tuple(
                max(round(count * share / cycle), 1) * cycle
                for count, cycle in zip(job, self.cycles, strict=True)
            )
            for job in self.jobs
        )
        enough = min(sum(job) for job in jobs) >= _LEAST_IMAGES
        return jobs if enough and len(set(jobs)) == len(jobs) else self.jobs

    def distinct_images(self, share: float) -> tuple[int, ...]:
        """Return how many images of each set a job has to have to show each one's label."""
        most = [max(counts) for counts in zip(*self.jobs_of(share), strict=True)]
        return tuple(
            min(count, max(len(images.files), _LEAST_IMAGES))
            for count, images in zip(most, self.sets, strict=True)
        )


def open_regime(
    name: str, work: Path, sizes: Sizes | None = None, calibration: Calibration = "not wanted"
) -> Regime | str:
    """Return a regime, or the reason why it cannot be measured on this machine.

    Args:
        name: One of REGIMES.
        work: Folder for what is missing: images that are made, and models.
        sizes: Sizes of the jobs; None: those of DEFAULT_SIZES.
        calibration: Whether contenders need reduced precision. Calibration takes minutes, once.

    Raises:
        BenchError: BENCH_SETUP if something missing cannot be made.
    """
    return _OPEN[name](work, sizes or DEFAULT_SIZES[name], calibration)


def _heavy(work: Path, sizes: Sizes, calibration: Calibration) -> Regime:
    shared = shared_data()
    files = tuple(sorted((shared / "imagenet").rglob("*.jpg")))
    source = f"{len(files):,} photographs with a short side of 256 pixels"
    if not files:
        files = _cards(work / "cards")
        source = (
            f"{len(files):,} identity cards drawn for this run: the shared photographs are "
            "missing, so label agreement means little and decoding costs more"
        )
    model, printed = MODELS / "efficientnet_lite0", ""
    if calibration == "wanted" and (shared / "imagenet").is_dir():
        # Ranges come from other photographs, because all 500 of imagenet are compared.
        ranges = ("--range-images", str(shared / "flowers/dev/train"))
        model, printed = calibrate(model, work / "models", shared / "imagenet/labels.csv", ranges)
    title = "Heavy: EfficientNet-Lite0 at 224 px"
    return _of_one_set("heavy", title, source, files, model, sizes, printed)


def _light(work: Path, sizes: Sizes, _: Calibration) -> Regime | str:
    shared = shared_data()
    files = tuple(sorted((shared / "fruits").rglob("*.jpg")))
    weights = shared / "weights/mobilenet_v2_1.0_224.torchvision.safetensors"
    if not files or not weights.is_file():
        return f"needs the shared test data ({shared} has no fruits or no weights)"
    model = light_model(weights, shared / "imagenet/classes.txt", work / "models")
    source = f"{len(files):,} JPEGs of 100×100 pixels, photographs of fruits"  # noqa: RUF001
    return _of_one_set("light", "Light: MobileNetV2 at 100 px", source, files, model, sizes)


def _camera(work: Path, sizes: Sizes, _: Calibration) -> Regime | str:
    found = sort_photographs(shared_data() / "camera")
    baseline, progressive = found.baseline, found.progressive
    if not baseline or not progressive:
        return f"needs the shared photographs ({shared_data()}/camera has too few)"
    base, other = len(baseline) + _CROPS_PER_CYCLE, len(progressive)
    cycles = max(round(sizes.images / (base + other)), 1)
    count = cycles * sizes.times * _CROPS_PER_CYCLE
    crops = make_crops(sorted((*baseline, *progressive)), count, work / f"camera/crops-{count}")
    mixed: list[Path] = []
    for at in range(0, count, _CROPS_PER_CYCLE):
        mixed += [*baseline, *crops[at : at + _CROPS_PER_CYCLE]]
    sets = (
        ImageSet("baseline-", "baseline", base / (base + other), tuple(mixed)),
        ImageSet("progressive-", "progressive", other / (base + other), progressive),
    )
    few, many = (cycles * base, cycles * other), sizes.times
    source = (
        f"{len(baseline) + other} photographs of 6 to 20 megapixels as cameras wrote them "
        f"({len(baseline)} baseline JPEGs, {other} progressive) and {count:,} crops of 3 to 4 "
        "megapixels, which were encoded again as cameras do (baseline, quality 90 to 95, 4:2:0). "
        f"Of {base + other} images {len(baseline) + other} are photographs and "
        f"{_CROPS_PER_CYCLE} crops; a photograph is repeated, a crop is not"
    )
    return Regime(
        "camera",
        "Camera: photographs, EfficientNet-Lite0 at 224 px",
        source,
        sets,
        MODELS / "efficientnet_lite0",
        (few, (many * few[0], few[1]), (few[0], many * few[1])),
        (base, other),
    )


def _resnet50(work: Path, sizes: Sizes, _: Calibration) -> Regime | str:
    found = sort_photographs(shared_data() / "camera")
    photographs = sorted((*found.baseline, *found.progressive))
    if not photographs:
        return f"needs the shared photographs ({shared_data()}/camera is missing)"
    files = make_small_copies(photographs, _SMALL_COPIES, work / f"camera/small-{_SMALL_COPIES}")
    source = (
        f"{len(files):,} JPEGs of 500×375 pixels, the usual size in ImageNet, cut from the "  # noqa: RUF001
        "photographs of the regime camera (baseline, quality 95, 4:2:0). The weights are random, "
        "which costs the same time"
    )
    title = "ResNet-50 at 224 px, for comparison with published figures"
    return _of_one_set("resnet50", title, source, files, random_resnet50(work / "models"), sizes)


def _of_one_set(
    name: str,
    title: str,
    source: str,
    files: tuple[Path, ...],
    model: Path,
    sizes: Sizes,
    calibration: str = "",
) -> Regime:
    jobs = ((sizes.images,), (sizes.times * sizes.images,))
    sets = (ImageSet("", "", 1.0, files),)
    return Regime(name, title, source, sets, model, jobs, calibration=calibration)


def _cards(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        draw = REPOSITORY / "examples/fraud_id/generate.py"
        people = ("--people", str(_CARDS_PEOPLE))
        run_once([sys.executable, str(draw), "--output", str(folder), *people], folder)
    return tuple(sorted(folder.rglob("*.jpg")))


_OPEN: dict[str, Callable[[Path, Sizes, Calibration], Regime | str]] = {
    "heavy": _heavy,
    "light": _light,
    "camera": _camera,
    "resnet50": _resnet50,
}
