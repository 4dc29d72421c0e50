"""The worker reads tests/contract/worker_spec.json; the Scala test writes each spec."""

import json
from pathlib import Path
from typing import Any

import pytest

from sightline.engine.result_type import Probabilities, ResultType, Several, Tensors, TopK, Vector
from sightline.engine.settings import EngineSettings
from sightline.errors import SightlineError
from sightline.worker.worker_spec import BulkColumns, WorkerSpec

CONTRACT = Path(__file__).parents[3] / "tests" / "contract" / "worker_spec.json"
CASES: list[dict[str, Any]] = json.loads(CONTRACT.read_text("utf-8"))
RESULTS: dict[str, ResultType] = {
    "bulk, top_k": TopK(5),
    "scalar, top_k": TopK(1),
    "bulk, probabilities": Probabilities(),
    "scalar, probabilities": Probabilities(),
    "bulk, vector": Vector(),
    "bulk, vector of a named output": Vector("pooled"),
    "scalar, vector": Vector(),
    "bulk, tensors, two inputs": Tensors(("y", "z")),
    "scalar, tensors": Tensors(("y",)),
    "scalar, several": Several((TopK(5), Vector())),
}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_every_field_of_the_contract_is_read(case: dict[str, Any]) -> None:
    spec, name = case["spec"], case["name"]
    columns = spec["columns"]
    assert (columns is not None) == name.startswith("bulk")
    assert WorkerSpec.from_json(json.dumps(spec)) == WorkerSpec(
        model_name=spec["model"]["name"],
        model_sha256=spec["model"]["sha256"],
        model_folder=spec["model"]["folder"],
        backend=spec["backend"],
        device=spec["device"],
        precision=spec["precision"],
        allow_code=spec["allow_code"],
        local=spec["local"],
        gpus=spec["gpus"],
        batch_rows=spec["batch_rows"],
        engine=EngineSettings(
            max_image_bytes=spec["images"]["max_bytes"],
            max_image_pixels=spec["images"]["max_pixels"],
            decoder=spec["images"]["decoder"],
            threads=spec["threads"],
            casts=spec["casts"],
        ),
        result=RESULTS[name],
        columns=columns and BulkColumns(tuple(columns["inputs"]), columns["error"]),
    )


def test_the_contract_has_every_result_for_bulk_and_scalar() -> None:
    assert {case["name"] for case in CASES} == set(RESULTS)


def test_a_scalar_spec_may_leave_out_the_columns() -> None:
    spec = dict(next(case["spec"] for case in CASES if case["name"] == "scalar, top_k"))
    del spec["columns"]
    assert WorkerSpec.from_json(json.dumps(spec)).columns is None


def test_an_unknown_result_kind_is_a_protocol_mismatch() -> None:
    spec = CASES[0]["spec"] | {"result": {"kind": "boxes"}}
    with pytest.raises(SightlineError, match=r"PROTOCOL_MISMATCH: the jar requests .* 'boxes'"):
        WorkerSpec.from_json(json.dumps(spec))
