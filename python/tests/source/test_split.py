import pytest

from sightline.source.split import split_of


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("fruits/Training/Apple 1/r_5.jpg", "train"),
        ("fruits/Test/Apple 1/r_5.jpg", "test"),
        ("/data/flowers/train/rose/1.jpg", "train"),
        ("gs://bucket/TEST/1.jpg", "test"),
        ("imagenet/val/n01440764/1.jpg", "validation"),
        ("/mnt/test/fruits/Training/Apple/1.jpg", "train"),
        ("photos/rose/test.jpg", None),
        ("photos/training set/1.jpg", None),
        ("train", None),
    ],
)
def test_the_folder_nearest_to_the_file_tells_its_split(path: str, split: str | None) -> None:
    assert split_of(path) == split
