"""A labelled set of images on disk: the choice of people and classes, and their order."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cards.capture import photograph
from cards.card import make_print, render_card
from cards.identity import make_identity
from cards.layout import Box
from cards.tamper import Forgery, crop_and_replace, font_issue

CLASSES = ("crop_and_replace", "font_issue", "valid_id")
SPLITS = ("train", "validation", "test")
_PEOPLE_PER_SPLIT = 1_000_000


@dataclass(frozen=True)
class Picture:
    """One image to make: number of its file, person, class, and seed of the dataset."""

    number: int
    person: int
    class_id: int
    seed: int


def plan_pictures(people: int, split: str, seed: int) -> list[Picture]:
    """Return one image of each class for each person, in an order that depends on neither.

    Args:
        people: 1 to 1,000,000.
        split: One of SPLITS. No person is in two splits, for any seeds.
        seed: At least 0. It determines the people of the split and their photographs.

    Returns:
        3 * people images, numbered from 0 in file order.
    """
    first = SPLITS.index(split) * _PEOPLE_PER_SPLIT
    rng = np.random.default_rng([seed, first])
    chosen = first + rng.choice(_PEOPLE_PER_SPLIT, size=people, replace=False)
    pairs = [(int(person), class_id) for person in chosen for class_id in range(len(CLASSES))]
    order = rng.permutation(len(pairs))
    return [Picture(number, pairs[i][0], pairs[i][1], seed) for number, i in enumerate(order)]


def make_picture(picture: Picture) -> tuple[bytes, list[Box]]:
    """Return JPEG bytes and the forged boxes. Equal arguments give equal results."""
    rng = np.random.default_rng([picture.seed, picture.person, picture.class_id])
    identity = make_identity(picture.person)
    if CLASSES[picture.class_id] == "crop_and_replace":
        donor = make_identity(_another_person(picture.person, rng))
        forgery = crop_and_replace(identity, donor, rng)
    elif CLASSES[picture.class_id] == "font_issue":
        forgery = font_issue(identity, rng)
    else:
        forgery = Forgery(render_card(identity, make_print(rng)), ())
    photo = photograph(forgery.card, rng)
    return photo.jpeg, [photo.find(box) for box in forgery.boxes]


def write_dataset(pictures: list[Picture], folder: Path, workers: int) -> Iterator[Path]:
    """Write folder/all_images/*.jpg, then image_data.csv and regions.csv.

    regions.csv contains the boxes of each forgery in pixels of the photo, for training only.

    Args:
        pictures: Images to make, from plan_pictures.
        folder: Output folder, which is created if it does not exist.
        workers: Number of processes, at least 1. The bytes do not depend on it.

    Yields:
        The path of each written image, in file order.
    """
    (folder / "all_images").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        made = pool.map(make_picture, pictures, chunksize=8)
        regions = []
        for picture, (data, boxes) in zip(pictures, made, strict=True):
            path = folder / _name(picture)
            path.write_bytes(data)
            regions += [(_name(picture), *box) for box in boxes]
            yield path
    _write_table(folder / "regions.csv", ("image_path", "left", "top", "right", "bottom"), regions)
    classes = [(_name(one), CLASSES[one.class_id], one.class_id) for one in pictures]
    header = ("image_path", "actual_class", "actual_class_id")
    _write_table(folder / "image_data.csv", header, classes)


def _name(picture: Picture) -> str:
    return f"all_images/{picture.number:06d}.jpg"


def _write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def _another_person(person: int, rng: np.random.Generator) -> int:
    """Return another person of the same split, because no person may be in two splits."""
    first = person // _PEOPLE_PER_SPLIT * _PEOPLE_PER_SPLIT
    step = int(rng.integers(1, _PEOPLE_PER_SPLIT))
    return first + (person - first + step) % _PEOPLE_PER_SPLIT
