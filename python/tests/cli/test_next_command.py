from pathlib import Path

from sightline.cli.next_command import find_jar


def test_a_wheel_carries_the_jar_and_a_checkout_builds_it(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages" / "sightline"
    (installed / "jars").mkdir(parents=True)
    (installed / "jars" / "sightline.jar").touch()
    assert find_jar(installed) == installed / "jars" / "sightline.jar"
    checkout = tmp_path / "repository" / "python" / "src" / "sightline"
    assert find_jar(checkout) == tmp_path / "repository" / "dist" / "sightline.jar"
