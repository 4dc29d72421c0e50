from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from sightline.data import SampleDataset, SampleStream, dataset
from sightline.errors import WrongUseError

from .test_samples import open_samples


def test_a_map_style_dataset_gives_pixels_and_classes_to_a_data_loader(samples: Path) -> None:
    found = dataset(samples, image_size=32)
    assert isinstance(found, SampleDataset)
    assert found.labels == ("blue", "green", "red")
    loader = DataLoader(found, batch_size=5)
    pixels = torch.cat([one for one, _ in loader])
    classes = torch.cat([one for _, one in loader])
    assert pixels.shape == (24, 3, 32, 32)
    assert pixels.dtype == torch.uint8
    strongest = pixels.float().mean((2, 3)).argmax(1)  # 0 for red, 1 for green, 2 for blue
    assert (strongest == 2 - classes).all()


def test_a_transform_gets_the_decoded_image(samples: Path) -> None:
    found = dataset(samples, "test", transform=lambda image: (image.mode, image.size))
    assert [found[row] for row in range(3)] == [(("RGB", (48, 40)), at) for at in range(3)]


def test_an_iterable_dataset_gives_each_sample_once_in_the_order_of_the_epoch(
    samples: Path,
) -> None:
    stream = dataset(samples, style="iterable", transform=np.asarray, seed=3)
    assert isinstance(stream, SampleStream)
    rows = open_samples(samples)
    classes = sorted(rows[row][1] for row in range(len(rows)))
    first = [class_id for _, class_id in stream]
    assert sorted(first) == classes
    stream.set_epoch(1)
    second = [class_id for _, class_id in stream]
    assert sorted(second) == classes
    assert second != first
    stream.set_epoch(0)
    assert [class_id for _, class_id in stream] == first


def test_the_workers_of_a_data_loader_share_an_iterable_dataset(samples: Path) -> None:
    stream = dataset(samples, style="iterable", image_size=8)
    loader = DataLoader(stream, batch_size=None, num_workers=2, multiprocessing_context="fork")
    assert sorted(int(class_id) for _, class_id in loader) == [0] * 8 + [1] * 8 + [2] * 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "dev"}, "part is 'dev'. Known: train, validation, test."),
        ({"style": "x"}, "style"),
    ],
)
def test_a_wrong_option_of_a_dataset_is_an_error(
    samples: Path, options: dict[str, str], message: str
) -> None:
    with pytest.raises(WrongUseError, match=rf"^INVALID_OPTION: {message}"):
        dataset(samples, **options)  # type: ignore[arg-type]


def test_a_folder_that_holds_no_samples_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"^NO_SAMPLES: "):
        dataset(tmp_path)
