from harness.benchmark import closest


def row(name: str, family: str, cpu_ms: float, **more: object) -> dict[str, object]:
    warm = [{"cpu_ms": cpu_ms, "wall_ms": cpu_ms}]
    fixed: dict[str, object] = {
        "skipped": None,
        "documented": "tuned",
        "precision": "fp32",
        "cold": [],
    }
    return {"name": name, "family": family, "warm": warm} | fixed | more


def test_raw_parts_sightline_and_peers_of_similar_cost_get_more_rounds() -> None:
    contenders = [
        row("raw-inference", "raw", 9.0),
        row("loop-tuned", "loop", 10.0),
        row("spark-parquet", "sightline", 10.0),
        row("spark-sql", "sightline", 10.0),
        row("spark-int8", "sightline", 6.0, precision="int8"),
        row("spark-bf16", "sightline", 6.0, precision="bf16", skipped="not calibrated"),
        row("pandas", "peer", 12.9),
        row("daft", "peer", 13.1),
        row("pandas-documented", "peer", 9.0, documented="documented"),
    ]
    names = ["raw-inference", "spark-parquet", "spark-int8", "pandas"]
    assert closest({"contenders": contenders}) == names
