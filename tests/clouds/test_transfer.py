"""`sightline download` and `sightline upload`, with real stores."""

from __future__ import annotations

import random
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from sightline.train.checkpoint import MODEL_FILE, Position, TrainState, save_checkpoint
from sightline.train.storage import Storage

from .stores import KEYS, NO_MACHINE, Store, start_moto

Done = subprocess.CompletedProcess[str]
pytestmark = pytest.mark.timeout(300)
MIB = 1 << 20
BIG = 25 * MIB


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve small files, an empty one, a marker, and one that S3 stores in three parts."""
    folder = tmp_path_factory.mktemp("files")
    numbers = random.Random(7)  # noqa: S311 - content of files
    sizes = {f"deep/{n} ü%20/x.bin": 1000 + n for n in range(12)}
    for name, size in (sizes | {"empty": 0, "_SUCCESS": 0, "big.bin": BIG}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(numbers.randbytes(size))
    return folder


@pytest.fixture
def remote(store: Store) -> Iterator[str]:
    """The URI of the empty folder ``gallery/files``."""
    store.remove("gallery/files")
    yield store.uri("gallery/files")
    store.proxy.heal()


@pytest.fixture(scope="module")
def sightline(run_in: Callable[..., Done], repository: Path) -> Callable[..., tuple[int, str]]:
    """``sightline("upload", …)``: the exit status, and the output or the error.

    It is another process: Arrow's calls of Google's store would stop the proxy in this one.
    """

    def call(*words: object, **variables: str) -> tuple[int, str]:
        environment = KEYS | NO_MACHINE | {"PYTHONPATH": str(repository / "python/src")}
        done = run_in(sys.executable, "-m", "sightline", *words, **(environment | variables))
        return done.returncode, done.stderr.splitlines()[-1] if done.returncode else done.stdout

    return call


@pytest.fixture
def transfer(
    store: Store, sightline: Callable[..., tuple[int, str]]
) -> Callable[..., tuple[int, str]]:
    """``transfer("upload", source, output)`` with the options of the store."""

    def call(command: str, source: object, output: object, *more: str) -> tuple[int, str]:
        anonymous = ("--credentials", "anonymous") if store.cloud == "gcs" else ()
        usual = ("--source", source, "--output", output, "--endpoint", store.options[3])
        return sightline(command, *usual, *anonymous, *more)

    return call


def content(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their relative paths."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_folder_is_uploaded_and_downloaded_once_and_each_file_is_checked(
    store: Store,
    transfer: Callable[..., tuple[int, str]],
    files: Path,
    remote: str,
    tmp_path: Path,
) -> None:
    written = content(files)
    for present in (0, len(written)):
        status, printed = transfer("upload", files, remote)
        assert status == 0, printed
        assert f"copied     {len(written) - present} files" in printed
        assert f"present    {present} files" in printed
        assert "unchecked" not in printed
    assert store.names("gallery/files") == sorted(written)
    for present in (0, len(written)):
        status, printed = transfer("download", remote, tmp_path / "copy")
        assert status == 0, printed
        assert f"copied     {len(written) - present} files" in printed
        assert "unchecked" not in printed
    assert content(tmp_path / "copy") == written

    # A file of the same size and another content is replaced.
    (tmp_path / "copy/deep/3 ü%20/x.bin").write_bytes(b"!" * 1003)
    status, printed = transfer("download", remote, tmp_path / "copy")
    assert "copied     1 files, 1003 bytes" in printed
    assert content(tmp_path / "copy") == written


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_download_that_was_cut_off_continues_where_it_stopped(
    store: Store, transfer: Callable[..., tuple[int, str]], remote: str, tmp_path: Path
) -> None:
    big = random.Random(8).randbytes(BIG)  # noqa: S311 - content of a file
    store.write("gallery/files/big.bin", big)
    store.proxy.heal()
    store.proxy.cut_after = 13 * MIB
    status, error = transfer("download", remote, tmp_path)
    assert (status, error.split(": ")[:2]) == (1, ["sightline", "STORAGE_UNREACHABLE"])
    (part,) = tmp_path.iterdir()
    begun = part.stat().st_size
    assert 4 * MIB <= begun < BIG
    store.proxy.heal()
    status, printed = transfer("download", remote, tmp_path)
    assert status == 0, printed
    assert content(tmp_path) == {"big.bin": big}
    assert store.proxy.served <= BIG - begun + MIB


def test_a_file_that_changes_on_its_way_is_read_again_and_never_kept(
    store: Store, transfer: Callable[..., tuple[int, str]], remote: str, tmp_path: Path
) -> None:
    store.write("gallery/files/a.bin", b"0123456789")
    store.proxy.corrupt = 1
    status, printed = transfer("download", remote, tmp_path / "once")
    assert status == 0, printed
    assert content(tmp_path / "once") == {"a.bin": b"0123456789"}
    store.proxy.corrupt = 9
    status, error = transfer("download", remote, tmp_path / "always")
    # Google's client compares the hash itself, and fails as if the store did.
    condition = "HASH_MISMATCH" if store.cloud == "s3" else "STORAGE_UNREACHABLE"
    assert (status, error.split(": ")[:2]) == (1, ["sightline", condition])
    assert content(tmp_path / "always") == {}


def test_five_percent_of_throttled_requests_do_not_end_a_copy(
    store: Store,
    transfer: Callable[..., tuple[int, str]],
    files: Path,
    remote: str,
    tmp_path: Path,
) -> None:
    small = files / "deep"
    store.proxy.fail_every = 20
    assert transfer("upload", small, remote)[0] == 0
    assert transfer("download", remote, tmp_path)[0] == 0
    assert store.proxy.failed >= 2
    assert content(tmp_path) == content(small)


def test_what_cannot_be_copied_is_one_sentence(
    store: Store, transfer: Callable[..., tuple[int, str]], remote: str, tmp_path: Path
) -> None:
    (tmp_path / "one").write_text("1")
    gone = store.uri("no-such-bucket/x")
    (tmp_path / "empty").mkdir()
    for words, message in (
        (("download", gone, tmp_path), f"BUCKET_NOT_FOUND: {gone}: "),
        (("upload", tmp_path, gone), f"BUCKET_NOT_FOUND: {gone}: "),
        (("download", remote, tmp_path), f"PATH_NOT_FOUND: {remote} does not exist"),
        (("upload", tmp_path / "empty", remote), "PATH_NOT_FOUND: "),
        (("download", "hdfs://h/x", tmp_path), "UNKNOWN_SCHEME: 'hdfs://h/x' is not gs://"),
        (("download", remote, tmp_path, "--endpoint", "h:1"), "INVALID_OPTION: --endpoint"),
        (("download", remote, tmp_path, "--credentials", "k"), "INVALID_OPTION: --credentials"),
    ):
        status, error = transfer(*words)
        assert (status, error[: len(message) + 11]) == (2, f"sightline: {message}")
    store.write("gallery/files/_INCOMPLETE", b"{}")
    status, error = transfer("download", remote, tmp_path / "new")
    assert (status, error[:30]) == (2, "sightline: OUTPUT_INCOMPLETE: ")
    assert not (tmp_path / "new").exists()


def test_a_wrong_key_and_a_missing_permission_are_one_sentence(
    connectors: str, sightline: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    assert connectors
    (tmp_path / "one").write_text("1")
    with start_moto("shut=2", INITIAL_NO_AUTH_ACTION_COUNT="0") as moto:
        endpoint = f"http://127.0.0.1:{moto.port}"
        usual = ("--source", tmp_path, "--output", "s3://shut/x", "--endpoint", endpoint)
        for key, secret in (("AKIAWRONG", "x"), (moto.key, moto.secret)):
            keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
            status, error = sightline("upload", *usual, **keys)
            assert status == 2
            assert error.startswith("sightline: PERMISSION_DENIED: s3://shut/x: ")


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_file_whose_hash_cannot_be_compared_is_read_twice_and_that_is_said(
    store: Store, transfer: Callable[..., tuple[int, str]], remote: str, tmp_path: Path
) -> None:
    parts = [bytes([number]) * 6 * MIB for number in range(2)]  # no usual program has 6 MiB
    url = f"{store.options[3]}/gallery/files/odd.bin"

    def ask(method: str, query: str, data: bytes = b"") -> tuple[str, str]:
        kind = {"Content-Type": "application/octet-stream"}
        request = urllib.request.Request(f"{url}?{query}", data, kind, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.headers.get("ETag", ""), answer.read().decode()

    upload = ask("POST", "uploads")[1].partition("<UploadId>")[2].partition("<")[0]
    listed = ""
    for number, part in enumerate(parts, 1):
        tag, _ = ask("PUT", f"partNumber={number}&uploadId={upload}", part)
        listed += f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
    whole = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    ask("POST", f"uploadId={upload}", whole.encode())
    store.proxy.heal()
    status, shown = transfer("download", remote, tmp_path / "copy")
    assert status == 0, shown
    assert "read twice 1 files: their hash in the store could not be compared, and two " in shown
    assert "unchecked" not in shown
    assert (tmp_path / "copy" / "odd.bin").read_bytes() == b"".join(parts)
    assert store.proxy.served >= 2 * 12 * MIB


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_checkpoint_in_a_bucket_becomes_a_file_of_pytorch(
    store: Store, sightline: Callable[..., tuple[int, str]], remote: str, tmp_path: Path
) -> None:
    endpoint = ("--endpoint", store.options[3])
    weight = torch.tensor([[1.5, -2.0]])
    settings = {"architecture": "torchvision:resnet18"}
    state = TrainState(Position(1, 0, 3), settings, ("a", "b"), "", ({"epoch": 1},))
    folder = Storage(tmp_path / "run" / "checkpoints")
    save_checkpoint(folder, state, {"weight": weight}, {"state": {}, "param_groups": []})
    for file in (tmp_path / "run").rglob("*.*"):
        name = file.relative_to(tmp_path / "run").as_posix()
        store.write(f"gallery/files/{name}", file.read_bytes())
    for place in ("checkpoints/step-00000003", "checkpoints/step-00000003/"):
        output = tmp_path / "model.pth"
        words = (f"{remote}/{place}", "--output", output, "--overwrite")
        status, shown = sightline("checkpoint", *words, *endpoint)
        assert status == 0, shown
        found = torch.load(output, weights_only=True)
        assert list(found) == ["weight"]
        assert torch.equal(found["weight"], weight)
    damaged = f"gallery/files/checkpoints/step-00000003/{MODEL_FILE}"
    store.write(damaged, store.read(damaged)[:-1] + b"?")
    other = ("--output", tmp_path / "other.pth")
    status, shown = sightline("checkpoint", f"{remote}/{place}", *other, *endpoint)
    assert status == 1
    assert "CHECKPOINT_CORRUPT: " in shown
    assert not (tmp_path / "other.pth").exists()
