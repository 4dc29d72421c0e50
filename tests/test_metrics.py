"""Metrics of the node Infer, on Spark's page and for Prometheus, while an application runs."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]
Rows = Callable[[Path], list[dict[str, Any]]]


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


class Page:
    """Spark's page of an application."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self._root}{path}", timeout=30) as answer:  # noqa: S310
            return str(answer.read().decode())

    def prometheus(self) -> dict[str, float]:
        """Return the values of Sightline's metrics by their names."""
        pattern = r"^metrics_\w+_driver_sightline_(\w+)_Value\{[^}]*\} (\S+)$"
        found = re.findall(pattern, self.get("/metrics/prometheus/"), re.MULTILINE)
        return {name: float(value) for name, value in found}

    def queries(self) -> list[dict[str, Any]]:
        """Return the queries, the newest last, with their nodes."""
        (one,) = json.loads(self.get("/api/v1/applications"))
        path = f"/api/v1/applications/{one['id']}/sql?details=true"
        return list(json.loads(self.get(path)))


def metrics(query: dict[str, Any]) -> dict[str, str]:
    """Return the metrics of the only node Infer of a query."""
    (node,) = [one for one in query["nodes"] if one["nodeName"] == "Infer"]
    return {one["name"]: one["value"] for one in node["metrics"]}


@pytest.mark.timeout(300)
def test_sparks_page_and_prometheus_have_the_counts_of_a_command_and_of_sql(
    start_application: Callable[..., Run],
    gallery: Path,
    colour_bundle: Path,
    tmp_path: Path,
    rows_of: Rows,
) -> None:
    port = free_port()
    sink = "spark.metrics.conf.driver.sink.prometheusServlet"
    settings = [
        *("spark.ui.enabled=true", f"spark.ui.port={port}", "spark.ui.retainedExecutions=100"),
        f"{sink}.class=org.apache.spark.metrics.sink.PrometheusServlet",
        f"{sink}.path=/metrics/prometheus",
    ]
    run = start_application(*(word for one in settings for word in ("--conf", one)))
    out = tmp_path / "out"
    done = run("predict", "--images", gallery, "--model", colour_bundle, "--output", out)
    assert done.returncode == 0, done.stderr
    errors = Counter(row["error"]["code"] for row in rows_of(out) if row["error"])
    assert errors == {"UNSUPPORTED": 1, "EMPTY": 1, "TOO_LARGE": 1, "TRUNCATED": 1, "NOT_FOUND": 1}
    query = (
        f"SELECT count(ml_predict('{colour_bundle}', content).label) FROM read_images('{gallery}')"  # noqa: S608
    )
    done = run("sql", "--execute", query)
    assert done.returncode == 0, done.stderr

    page = Page(port)
    expected = {"images": 24.0, "decoded": 22.0} | {
        f"errors_{code}": 2.0 * count for code, count in errors.items()
    }
    # In SQL that error is read_images' own: ml_predict gets NULL.
    expected["errors_NOT_FOUND"] = 1.0
    # Spark reports the end of a task a moment later.
    deadline = time.monotonic() + 60
    while (found := page.prometheus()).get("images") != expected["images"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    assert {name: found[name] for name in expected} == expected
    shown = [
        one for one in gallery.rglob("[!.]*.*") if one.is_file() and "_skipped" not in one.parts
    ]
    assert found["image_bytes"] == 2 * sum(one.stat().st_size for one in shown)
    assert 0 < found["decode_cpu_seconds"] < 60
    assert 0 < found["infer_wall_seconds"] < 60

    inferences = [
        one for one in page.queries() if any(n["nodeName"] == "Infer" for n in one["nodes"])
    ]
    assert len(inferences) == 2
    for query_shown in inferences:
        values = metrics(query_shown)
        assert values["rows"] == "12"
        assert values["errors: TRUNCATED"] == "1"
        html = page.get(f"/SQL/execution/?id={query_shown['id']}")
        assert "rows sent to the model: 11" in html
