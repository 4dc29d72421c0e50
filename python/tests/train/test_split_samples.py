from collections import Counter

import pytest

from sightline.errors import WrongUseError
from sightline.train.split_samples import SplitShares, split_samples

SHARES = SplitShares(0.6, 0.2, 0.2)
NAMES = [f"{label}/{number}.jpg" for label in ("cat", "dog") for number in range(10)]
LABELS = [name.partition("/")[0] for name in NAMES]
UNKNOWN: list[str | None] = [None] * len(NAMES)


def test_each_label_is_divided_by_the_shares() -> None:
    parts = split_samples(NAMES, LABELS, None, UNKNOWN, SHARES, 0)
    assert Counter(zip(LABELS, parts, strict=True)) == {
        ("cat", "train"): 6,
        ("cat", "validation"): 2,
        ("cat", "test"): 2,
        ("dog", "train"): 6,
        ("dog", "validation"): 2,
        ("dog", "test"): 2,
    }


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_images() -> None:
    parts = dict(zip(NAMES, split_samples(NAMES, LABELS, None, UNKNOWN, SHARES, 0), strict=True))
    reverse = split_samples(NAMES[::-1], LABELS[::-1], None, UNKNOWN, SHARES, 0)
    assert dict(zip(NAMES[::-1], reverse, strict=True)) == parts
    other = split_samples(NAMES, LABELS, None, UNKNOWN, SHARES, 1)
    assert dict(zip(NAMES, other, strict=True)) != parts


def test_images_of_one_group_are_in_one_part() -> None:
    patients = [f"{label}-{number // 5}" for label in ("a", "b") for number in range(10)]
    parts = split_samples(NAMES, LABELS, patients, UNKNOWN, SplitShares(0.5, 0.5, 0.0), 0)
    assert len(set(zip(patients, parts, strict=True))) == 4
    assert Counter(parts) == {"train": 10, "validation": 10}


def test_folders_name_the_parts_and_a_missing_validation_part_is_drawn() -> None:
    known: list[str | None] = ["test" if name.endswith("9.jpg") else "train" for name in NAMES]
    parts = split_samples(NAMES, LABELS, None, known, SplitShares.parse("folders"), 0)
    assert Counter(parts) == {"train": 16, "validation": 2, "test": 2}
    assert [part == "test" for part in parts] == [part == "test" for part in known]


def test_folders_without_a_training_part_are_an_error() -> None:
    with pytest.raises(WrongUseError, match=r"^NO_SPLIT: "):
        split_samples(NAMES, LABELS, None, UNKNOWN, SplitShares.parse("folders"), 0)


@pytest.mark.parametrize(
    "text", ["0.8", "0.8/0.1", "0.8/0.1/0.2", "0/0.5/0.5", "1.2/-0.1/-0.1", "x"]
)
def test_shares_that_do_not_add_up_to_one_are_an_error(text: str) -> None:
    with pytest.raises(WrongUseError, match=f"^INVALID_OPTION: --split is '{text}'"):
        SplitShares.parse(text)
