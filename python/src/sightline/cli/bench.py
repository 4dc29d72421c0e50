"""`sightline bench`: its options, and the table that it prints."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sightline.cli.options import ALLOW_CODE_HELP as ALLOW_CODE
from sightline.cli.options import BATCH_ROWS_HELP, read_batch_rows
from sightline.engine.batch_rows import AUTO, BatchRows
from sightline.engine.settings import DEFAULT_DECODER
from sightline.own_cores import own_cores

_AT_LEAST_1 = click.IntRange(min=1)
_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)
_Command = TypeVar("_Command", bound=Callable[..., Any])
_ROWS = ("raw decode", "raw inference", "raw limit", "sequential loop", "engine")


def _names(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Split at commas, and drop duplicates."""
    names = tuple(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
    if not names:
        raise click.BadParameter("the list is empty.", context, parameter)
    return names


def _batch_rows(
    context: click.Context, parameter: click.Parameter, value: str
) -> tuple[BatchRows, ...]:
    return tuple(read_batch_rows(name) for name in _names(context, parameter, value))


def _list(name: str, default: str, known: str) -> Callable[[_Command], _Command]:
    text = f"{known}: one, or several with commas."
    return click.option(
        f"--{name}", metavar="A,B", callback=_names, default=default, show_default=True, help=text
    )


@click.command()
@click.option("--model", required=True, help="Name of a bundle, or the path of one.")
@click.option("--images", required=True, help="Folder, glob, or CSV/Parquet table of paths.")
@_list("backend", "onnx", "onnx, openvino, pytorch")
@_list("precision", "fp32", "fp32, bf16, int8")
@_list("decoder", DEFAULT_DECODER, "fast, exact")
@click.option(
    "--batch-rows",
    metavar="N|auto,…",
    callback=_batch_rows,
    default=AUTO,
    show_default=True,
    help=f"{BATCH_ROWS_HELP} One value, or several with commas.",
)
@click.option("--rounds", type=_AT_LEAST_1, default=3, show_default=True, help="The best counts.")
@click.option(
    "--limit-images",
    type=_AT_LEAST_1,
    default=256,
    show_default=True,
    help="Measure the first N images. Their pixels stay in memory.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option("--threads", type=_AT_LEAST_1, help="Of the engine; default: all cores.")
@click.option("--models", type=_PATH, help="Folder of bundles; default: SIGHTLINE_MODELS.")
@click.option("--allow-code", is_flag=True, help=ALLOW_CODE)
@click.option("--json", "file", type=_FILE, help="Write all samples, machine and versions here.")
def bench(file: Path | None, **given: Any) -> None:  # noqa: ANN401 - click's values
    """Measure the cost of an image with a model, beside its raw parts.

    Each combination of the listed backends, precisions, decoders and batch sizes is measured in
    four parts: decoding and resizing alone, inference on ready pixels alone, a sequential loop of
    both, and the engine as `sightline predict` runs it, without writing. All but the engine use one
    thread. CPU time does not include work on a GPU: compare images per second there.

    \b
    Example:
      sightline bench --model efficientnet_lite0 --images photos/ --batch-rows auto,32
          --decoder fast,exact --json bench.json
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.bench.parts import Combination
    from sightline.bench.run_bench import BenchArguments, run_bench

    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    lists = [given.pop(name) for name in ("backend", "precision", "decoder", "batch_rows")]
    given["threads"] = given["threads"] or own_cores()
    combinations = [Combination(*values) for values in itertools.product(*lists)]
    record = run_bench(
        BenchArguments(combinations=combinations, **given),
        lambda line: click.echo(f"sightline: bench {line}", err=True),
    )
    click.echo(_table(record))
    if file is not None:
        file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
        click.echo(f"json       {file}")


def _table(record: dict[str, Any]) -> str:
    machine, images = record["machine"], record["images"]
    failed = f"; {images['failed']} could not be decoded" if images["failed"] else ""
    lines = [
        f"model      {record['model']['name']}",
        f"images     {images['measured']}, {images['mean_bytes']:,} bytes on average{failed}",
        f"machine    {machine['processor']}, {machine['cores']} cores, {machine['system']}",
        f"measured   best of {record['rounds']} rounds, engine with {record['threads']} threads",
        "",
        f"{'':<18}CPU-ms per image  / raw   images/s  / raw",
    ]
    for one in record["combinations"]:
        way = f"{one['backend']} {one['precision']} {one['decoder']}"
        lines.append(f"{way}, batches of {one['batch_rows']}, {one['device']}")
        for part in _ROWS:
            cost = one["parts"][part]
            cpu = f"{cost['cpu_ms']:>16.2f}  {cost['cpu_ratio']:>5.2f}"
            speed = f"{cost['images_per_s']:>9.1f}  {cost['speed_ratio']:>5.2f}"
            lines.append(f"  {part:<16}{cpu}  {speed}")
    return "\n".join(lines)
