"""The classes of a training run, from the labels of its images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sightline.errors import WrongUseError

AUTO = "auto"


def class_names(
    found: Iterable[str], classes: int | str = AUTO, named: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the label of each class. Without names, the labels are sorted.

    Args:
        found: The labels of the images.
        classes: The number of classes that the user expects, or ``auto``.
        named: The labels in the order of the class ids, from ``--class-names``.

    Raises:
        WrongUseError: CLASSES_DIFFER if there is another number of labels, a label without a class,
            or fewer than two classes; CLASS_WITHOUT_IMAGES.
    """
    labels = sorted(set(found))
    if named is not None:
        unknown = [label for label in labels if label not in set(named)]
        if unknown:
            raise WrongUseError(
                "CLASSES_DIFFER",
                f"{_some(unknown)} is no class: --class-names has {len(named)} others. Add it "
                "there, or leave its images out.",
            )
        empty = [label for label in named if label not in set(labels)]
        if empty:
            raise without_images(empty)
        labels = list(named)
    if classes != AUTO and len(labels) != int(classes):
        raise WrongUseError(
            "CLASSES_DIFFER",
            f"--classes is {classes}, and the images have {len(labels)} labels: "
            f"{_some(labels, 10)}.",
        )
    if len(labels) < 2:
        raise WrongUseError(
            "CLASSES_DIFFER",
            f"the images have one label, '{labels[0]}', and a classifier needs at least two. By "
            "default the label is the name of the image's folder.",
        )
    return tuple(labels)


def without_images(labels: Sequence[str], why: str = "") -> WrongUseError:
    """Return the error CLASS_WITHOUT_IMAGES."""
    verb = "has" if len(labels) == 1 else "have"
    return WrongUseError(
        "CLASS_WITHOUT_IMAGES",
        f"{_some(labels)} {verb} no image in the training part{why}. Add images, or remove the "
        "class.",
    )


def _some(labels: Sequence[str], most: int = 3) -> str:
    text = ", ".join(f"'{label}'" for label in labels[:most])
    return text if len(labels) <= most else f"{text} and {len(labels) - most} more"
