"""Write docs/errors.md from error_conditions.json, which both languages read.

Run it after a change of that file: ``python scripts/errors_page.py``. A test compares both files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONDITIONS = ROOT / "python" / "src" / "sightline" / "error_conditions.json"
PAGE = ROOT / "docs" / "errors.md"

HEAD = """# Errors

<!-- Written by scripts/errors_page.py from python/src/sightline/error_conditions.json. -->

Every error has a condition and a message. The condition is a name in capitals, for programs. The
message is one or two sentences for people. Commands print one line on the error stream,
`sightline: CONDITION: …`. The exit status is 2 if the request is wrong, so that the same command
with the same settings fails again. It is 1 if the run failed. The jar and the Python package read
the same file of conditions, so both use the same condition and status.

In SQL an error is an `AnalysisException` of Spark, or a `SparkRuntimeException` if a running task
raises it. Every client gets the condition, its parameters and its SQLSTATE:
`getCondition()`, `getMessageParameters()` and `getSqlState()` in Scala, PySpark and Spark
Connect, `getSQLState()` in JDBC.

```python
from pyspark.errors import AnalysisException

try:
    spark.sql("SELECT ml_predict('resnet5', content) FROM read_images('photos')")
except AnalysisException as error:
    if error.getCondition() != "UNKNOWN_MODEL":
        raise
    print(error.getMessageParameters()["known"])
```

An image that cannot be read does not raise such an error. Its row has an `error`
([sql.md](sql.md#errors)).

`<names>` in a message are its parameters. If the message is `<detail>`, the Python package or a
worker provides the whole sentence. An error of the Python package that the jar reports also has
only that parameter.
"""

SECTIONS = {
    2: "## Wrong use (exit status 2)",
    1: "## Failed runs (exit status 1)",
}


def page(conditions: dict[str, dict[str, Any]]) -> str:
    """Return the whole page as Markdown."""
    parts = [HEAD]
    for status, title in SECTIONS.items():
        rows = [
            f"| `{name}` | {entry['sqlState']} | {entry['meaning']} | {_cell(entry['message'])} |"
            for name, entry in sorted(conditions.items())
            if entry["exitStatus"] == status
        ]
        table = ["| condition | SQLSTATE | when | message |", "|---|---|---|---|", *rows]
        parts.append("\n".join([title, "", *table, ""]))
    return "\n".join(parts)


def _cell(message: list[str]) -> str:
    text = " ".join(message).replace("|", "\\|")
    # Two backticks, because messages quote commands in single backticks.
    return f"`` {text} ``" if "`" in text else f"`{text}`"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(CONDITIONS.read_text("utf-8"))), "utf-8")
