import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sightline.errors import SightlineError, WrongUseError
from sightline.train.batch_loader import BatchLoader
from sightline.train.epoch_order import batches, epoch_order, share
from sightline.train.sample_index import SampleIndex
from sightline.train.samples import Samples
from sightline.train.shard_cache import ShardCache
from sightline.train.storage import Storage

from .conftest import photo, prepare, remote_storage, write_photos


def open_samples(folder: Path, part: str = "train") -> Samples:
    storage = Storage(folder)
    return Samples(SampleIndex.read(storage), part, ShardCache(storage, folder / "cache", 10**9))


def test_every_image_is_in_one_part_with_its_bytes_and_its_class(
    photos: Path, samples: Path
) -> None:
    index = SampleIndex.read(Storage(samples))
    assert index.labels == ("blue", "green", "red")
    assert index.counts == {"train": (8, 8, 8), "validation": (1, 1, 1), "test": (1, 1, 1)}
    found = {}
    for part in index.parts:
        rows = open_samples(samples, part)
        for row in range(len(rows)):
            content, class_id = rows[row]
            path = rows.path(row)
            assert Path(path).parent.name == index.labels[class_id]
            found[path] = bytes(content)
    assert found == {str(file): file.read_bytes() for file in photos.rglob("*.jpg")}


def test_an_image_that_cannot_be_decoded_is_left_out_and_named(tmp_path: Path) -> None:
    images = write_photos(tmp_path / "images", 10)
    (images / "red" / "003.jpg").write_bytes(b"no image")
    (images / "red" / "004.jpg").write_bytes(photo("red", 4)[:200])
    index = prepare(images, tmp_path / "samples", max_error_rate=0.1)
    assert sum(index.counts["train"]) + sum(index.counts["validation"]) == 28 - 3
    assert index.left_out == {"TRUNCATED": 1, "UNSUPPORTED": 1}
    lines = (tmp_path / "samples" / "left_out.jsonl").read_text("utf-8").splitlines()
    assert [(Path(one["path"]).name, one["code"]) for one in map(json.loads, lines)] == [
        ("003.jpg", "UNSUPPORTED"),
        ("004.jpg", "TRUNCATED"),
    ]


def test_too_many_bad_images_end_the_run_before_the_training(tmp_path: Path) -> None:
    images = write_photos(tmp_path / "images", 10)
    (images / "red" / "003.jpg").write_bytes(b"no image")
    with pytest.raises(
        SightlineError, match=r"^MAX_ERROR_RATE_EXCEEDED: 1 of 30 images .*003.jpg: UNSUPPORTED"
    ):
        prepare(images, tmp_path / "samples")


def test_a_class_whose_images_are_all_bad_is_an_error(tmp_path: Path) -> None:
    images = write_photos(tmp_path / "images", 2)
    for file in (images / "red").iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(WrongUseError, match=r"^CLASS_WITHOUT_IMAGES: 'red' has no image"):
        prepare(images, tmp_path / "samples", max_error_rate=0.5)


def test_the_names_of_the_classes_must_be_those_of_the_images(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"^CLASSES_DIFFER: 'red' is no class"):
        prepare(photos, tmp_path / "a", class_names=["blue", "green"])
    with pytest.raises(WrongUseError, match=r"^CLASS_WITHOUT_IMAGES: 'pink' has no image"):
        prepare(photos, tmp_path / "b", class_names=["red", "green", "blue", "pink"])
    with pytest.raises(WrongUseError, match=r"^CLASSES_DIFFER: --classes is 4, .* 3 labels"):
        prepare(photos, tmp_path / "c", classes="4")
    index = prepare(photos, tmp_path / "d", class_names=["red", "green", "blue"])
    assert index.labels == ("red", "green", "blue")


def test_images_without_labels_are_an_error(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"^NO_LABELS: 10 of 10 images"):
        prepare(photos / "red", tmp_path / "samples")


def test_images_of_one_label_are_an_error(tmp_path: Path) -> None:
    images = write_photos(tmp_path / "images", 2)
    shutil.rmtree(images / "red")
    shutil.rmtree(images / "blue")
    with pytest.raises(WrongUseError, match=r"^CLASSES_DIFFER: the images have one label, 'green'"):
        prepare(images, tmp_path / "samples")


def test_no_image_in_the_training_part_is_an_error(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"^EMPTY_PART: "):
        prepare(photos, tmp_path / "samples", split="0.01/0.0/0.99")


def test_a_changed_shard_is_an_error(samples: Path, tmp_path: Path) -> None:
    changed = tmp_path / "samples"
    shutil.copytree(samples, changed)
    (shard,) = changed.glob("train-*.arrow")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with pytest.raises(SightlineError, match=r"^SAMPLES_CORRUPT: .*has sha256"):
        open_samples(changed)[0]


def test_a_folder_without_an_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WrongUseError, match=r"^NO_SAMPLES: .*has no index.json"):
        SampleIndex.read(Storage(tmp_path))
    (tmp_path / "index.json").write_text("{", "utf-8")
    with pytest.raises(SightlineError, match=r"^SAMPLES_CORRUPT: .*is not JSON"):
        SampleIndex.read(Storage(tmp_path))


def test_remote_shards_are_copied_once_and_the_oldest_is_removed_at_the_limit(
    samples: Path, tmp_path: Path
) -> None:
    remote = remote_storage("gs://cache-test/samples")
    for file in samples.glob("*.arrow"):
        remote.store(file, file.name)
    remote.store(samples / "index.json", "index.json")
    index = SampleIndex.read(remote)
    (train,), (test,) = index.parts["train"], index.parts["test"]
    cache = ShardCache(remote, tmp_path / "copies", train.bytes + 10)
    first = Samples(index, "train", cache)
    assert bytes(first[0][0]) == bytes(open_samples(samples)[0][0])
    ShardCache(remote, tmp_path / "copies", train.bytes + 10).open(train)
    assert cache.fetched_bytes == train.bytes
    cache.open(test)
    assert [file.name for file in (tmp_path / "copies").glob("*.arrow")] == [f"{test.sha256}.arrow"]
    assert bytes(first[0][0]) == bytes(open_samples(samples)[0][0])  # the open file is still read
    with pytest.raises(WrongUseError, match=r"^CACHE_TOO_SMALL: "):
        ShardCache(remote, tmp_path / "copies", 10).open(train)


def test_the_order_of_an_epoch_is_a_permutation_of_the_seed_and_the_epoch() -> None:
    order = epoch_order(1000, 7, 3)
    assert sorted(order) == list(range(1000))
    assert (order == epoch_order(1000, 7, 3)).all()
    assert (order != epoch_order(1000, 7, 4)).any()
    assert (order != epoch_order(1000, 8, 3)).any()


def test_a_large_part_is_shuffled_in_windows_of_whole_blocks() -> None:
    order = epoch_order(10_000, 1, 0, window_rows=4096)
    assert sorted(order) == list(range(10_000))
    assert Counter((order[:4096] // 1024).tolist()).values()
    assert len(set(order[:4096] // 1024)) <= 5


def test_workers_share_a_batch_so_that_each_row_is_taken_once() -> None:
    batch = np.arange(10)
    assert [share(batch, rank, 3).tolist() for rank in range(3)] == [
        [0, 3, 6, 9],
        [1, 4, 7],
        [2, 5, 8],
    ]
    assert [one.tolist() for one in batches(batch, 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_sample_that_fails_in_the_training_is_named(samples: Path) -> None:
    from sightline.row_error import RowError

    bad = RowError("CORRUPT", "decode", "It broke.")
    with BatchLoader(2, 1, (8, 8)) as loader:
        batches_ = loader.load(open_samples(samples), [[0]], lambda *_: bad)
        with pytest.raises(SightlineError, match=r"^SAMPLE_FAILED: .*\.jpg: CORRUPT: It broke\."):
            next(batches_)
