"""`sightline bench`: its options, and the table that it prints."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import click

from sightline.cli.allow_code import ALLOW_CODE
from sightline.engine.spec import DEFAULT_BATCH_ROWS
from sightline.own_cores import own_cores

_AT_LEAST_1 = click.IntRange(min=1)
_PATH = click.Path(path_type=Path)
_ROWS = ("raw decode", "raw inference", "raw limit", "sequential loop", "engine")


class _List(click.ParamType[tuple[Any, ...]]):
    """Values separated by commas, without duplicates, in their order."""

    name = "list"

    def __init__(self, item: click.ParamType[Any]) -> None:
        self._item = item

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[Any, ...]:
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in value.split(",") if word.strip()]
        if not words:
            self.fail("the list is empty.", param, ctx)
        return tuple(dict.fromkeys(self._item.convert(word, param, ctx) for word in words))


_NAMES = _List(click.STRING)


@click.command()
@click.option("--model", required=True, help="Name of a bundle, or the path of one.")
@click.option("--images", required=True, help="Folder, glob, or CSV/Parquet table of paths.")
@click.option(
    "--backend",
    "backends",
    type=_NAMES,
    default="onnx",
    show_default=True,
    help="onnx, openvino, pytorch: one, or several with commas.",
)
@click.option(
    "--batch-rows",
    type=_List(_AT_LEAST_1),
    default=str(DEFAULT_BATCH_ROWS),
    show_default=True,
    help="Images in one batch: one or more numbers.",
)
@click.option(
    "--decoder",
    "decoders",
    type=_NAMES,
    default="pillow",
    show_default=True,
    help="pillow, turbo, scaled: one or more.",
)
@click.option(
    "--precision",
    "precisions",
    type=_NAMES,
    default="fp32",
    show_default=True,
    help="fp32, bf16, int8: one or more. Reduced precision must have been calibrated.",
)
@click.option(
    "--rounds", type=_AT_LEAST_1, default=3, show_default=True, help="The best one counts."
)
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
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all samples, the machine and the versions to this file.",
)
def bench(**given: Any) -> None:  # noqa: ANN401 - click's values, by the names of the options
    """Measure the cost of an image with a model, beside its raw parts.

    Each combination of the listed backends, precisions, decoders and batch sizes is measured in
    four parts: decoding and resizing alone, inference on ready pixels alone, a sequential loop of
    both, and the engine as `sightline predict` runs it, without writing. All but the engine use one
    thread. CPU time does not include work on a GPU: compare images per second there.

    \b
    Example:
      sightline bench --model efficientnet_lite0 --images photos/ --batch-rows 8,32
          --decoder pillow,turbo --json bench.json
    """  # noqa: D301 - \b is click's mark for text that is not to be wrapped
    # Only here: --help must not pay for numpy and pyarrow.
    from sightline.bench.bench import BenchArguments, run_bench
    from sightline.bench.parts import Combination

    file: Path | None = given["json_file"]
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    lists = (given["backends"], given["precisions"], given["decoders"], given["batch_rows"])
    arguments = BenchArguments(
        model=given["model"],
        models=given["models"],
        images=given["images"],
        limit_images=given["limit_images"],
        combinations=[Combination(*values) for values in itertools.product(*lists)],
        rounds=given["rounds"],
        device=given["device"],
        threads=given["threads"] or own_cores(),
        allow_code=given["allow_code"],
    )
    record = run_bench(arguments, lambda line: click.echo(f"sightline: bench {line}", err=True))
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
        lines.append(
            f"{one['backend']} {one['precision']} {one['decoder']}, batches of "
            f"{one['batch_rows']}, {one['device']}"
        )
        for part in _ROWS:
            cost = one["parts"][part]
            ratio = "" if cost["cpu_ratio"] is None else f"{cost['cpu_ratio']:.2f}"
            lines.append(
                f"  {part:<16}{cost['cpu_ms']:>16.2f}  {ratio:>5}  {cost['images_per_s']:>9.1f}"
                f"  {cost['speed_ratio']:>5.2f}"
            )
    return "\n".join(lines)
