"""Sightline as a library does not change the state of the user's process."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import importlib, json, locale, logging, os, pkgutil, signal, sys, threading, warnings

def state():
    from PIL import Image, ImageFile
    loggers = {name: [len(logger.handlers), logger.level]
               for name, logger in logging.Logger.manager.loggerDict.items()
               if isinstance(logger, logging.Logger) and (logger.handlers or logger.level)}
    return {
        "filters": repr(warnings.filters),
        "showwarning": repr(warnings.showwarning),
        "pixels": Image.MAX_IMAGE_PIXELS,
        "truncated": ImageFile.LOAD_TRUNCATED_IMAGES,
        "loggers": loggers,
        "root": [len(logging.getLogger().handlers), logging.getLogger().level],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "signals": [repr(signal.getsignal(number)) for number in signal.valid_signals()],
        "threads": threading.active_count(),
        "streams": [repr(sys.stdout), repr(sys.stderr), repr(sys.excepthook)],
        "path": sys.path,
        "recursion": sys.getrecursionlimit(),
    }

# Effects of importing other libraries are not checked.
for name in sys.argv[2].split(","):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
Image = importlib.import_module("PIL.Image")
Image.MAX_IMAGE_PIXELS = 12_345_678
warnings.filterwarnings("ignore", message="of the user's own")
before = state()

import sightline
failed = []
TORCH = ["sightline.backends." + name for name in ("architecture", "compact", "divided", "pytorch")]
TORCH += ["sightline.bundle." + name for name in (
    "add", "builtin", "class_count", "export", "find_head", "fold", "from_", "graph", "keras_",
    "pretrained", "pt2_", "read_", "recipe", "weights"
)]
TORCH += ["sightline.calibrate", "sightline.data", "sightline.plugins.torch_", "sightline.train"]
for module in pkgutil.walk_packages(sightline.__path__, "sightline."):
    # The skipped modules import torch, which takes 20 seconds.
    if module.name.startswith(tuple(TORCH)) or module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        failed.append(f"{module.name}: {error}")
imported = state()

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sightline.engine.decode import decode
from sightline.engine.settings import EngineSettings
files = [Path(name).read_bytes() for name in sys.argv[1].split(",")]
with ThreadPoolExecutor(8) as threads:
    settings = EngineSettings()
    found = [str(one) for one in threads.map(lambda file: decode(file, settings), files * 100)]
decoded = state()
differs = [name for name in before if not before[name] == imported[name] == decoded[name]]
print(json.dumps([differs, failed, len(found)]))
"""
LIBRARIES = (
    "numpy,pyarrow,pyarrow.fs,click,tqdm,PIL.ImageCms,onnxruntime,openvino,pyspark.sql,mlflow,"
    "optuna,pandas,pyspark.ml,usearch.index"
)


def test_importing_every_module_and_decoding_in_threads_changes_nothing_of_the_process(
    tmp_path: Path, encode: object
) -> None:
    assert callable(encode)
    files = []
    for name, content in {
        "sound.png": encode("red"),
        "sound.tif": encode("green", "TIFF"),
        "cut.jpg": encode("blue", "JPEG")[:200],
        "odd.png": encode("red")[:33] + b"\0\0\0\0acTL\0\0\0\0" + encode("red")[33:],
    }.items():
        (tmp_path / name).write_bytes(content)
        files.append(str(tmp_path / name))
    command = [sys.executable, "-c", PROGRAM, ",".join(files), LIBRARIES]

    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603

    differs, failed, decoded = json.loads(done.stdout.splitlines()[-1])
    assert differs == []  # each a name in the program's state()
    assert failed == []
    assert decoded == 400
