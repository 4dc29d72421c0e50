import json
from pathlib import Path

from sightline.source.split import split_of


def test_the_split_is_given_by_the_nearest_folder_with_a_split_name() -> None:
    # Scala's SplitSuite reads the same cases.
    cases = json.loads(Path(__file__).with_name("splits.json").read_text())
    assert {path: split_of(path) for path in cases} == cases
