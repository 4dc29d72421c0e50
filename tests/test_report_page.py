"""The page of `sightline report` in a browser: its content, keyboard and labels."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect, sync_playwright  # noqa: E402

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 60), "blue": (40, 60, 230)}
HOSTILE = "</script><img src=x onerror=alert(1)>'\"😀" + "long " * 100
K = 5
IMAGES = 60
Done = subprocess.CompletedProcess[str]


def chromium() -> str:
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium: set CHROMIUM, or install chromium")
    return found


@pytest.fixture(scope="module")
def components() -> npt.NDArray[np.float32]:
    """Three clouds, one for each colour; rows in the order of label and path, as on the page."""
    random = np.random.default_rng(3)
    middles = random.normal(size=(3, K)) * 6
    return np.vstack([middle + random.normal(size=(IMAGES // 3, K)) for middle in middles]).astype(
        np.float32
    )


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("photos")
    paths = []
    for label in sorted(COLOURS):
        for n in range(IMAGES // 3):
            path = folder / f"{label}-{n:02}.png"
            Image.new("RGB", (40, 20), COLOURS[label]).save(path)
            paths.append(str(path))
    (folder / "green-03.png").unlink()
    return paths


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory,
    components: npt.NDArray[np.float32],
    paths: list[str],
    run_in: Callable[..., Done],
    repository: Path,
) -> str:
    """The address of the page; the class green has a hostile name."""
    folder = tmp_path_factory.mktemp("run")
    labels = [HOSTILE if "green" in path else Path(path).name.split("-")[0] for path in paths]
    sample = {
        "path": paths,
        "filename": [Path(path).name for path in paths],
        "label": labels,
        "split": ["test" if n % 4 == 0 else "train" for n in range(IMAGES)],
        "components": pa.array(components.tolist(), pa.list_(pa.float32())),
    }
    (folder / "sample").mkdir()
    pq.write_table(pa.table(sample), folder / "sample" / "part-00000.parquet")
    record = {
        "command": "pca",
        "started": "2026-11-22T16:50:12+00:00",
        "seconds": {"pca_fit": 2.0, HOSTILE: 1.0},
        "arguments": ["--features", HOSTILE],
        "features_run": {"model": {"name": "tiny_net", "sha256": "ab" * 32}},
        "counts": {"rows": IMAGES, "errors": {"CORRUPT": 2}},
        "classes": [{"label": label, "train": 15, "test": 5} for label in sorted(set(labels))],
        "error_samples": [{"path": HOSTILE, "code": "CORRUPT", "message": HOSTILE}],
        "pca": {
            "k": K,
            "explained_variance": [0.5, 0.2, 0.1, 0.05, 0.02],
            "components_for": {"0.90": 6},
        },
    }
    (folder / "run.json").write_text(json.dumps(record), "utf-8")
    done = run_in(repository / ".venv/bin/sightline", "report", folder, "--any-image")
    assert done.returncode == 0, done.stderr
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, wide, from its file; an error or a request of the page fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(("data:", address)) else complaints.append(asked.url)
        ),
    )
    page.goto(address)
    expect(page.locator("#plot")).to_be_visible()
    yield page
    context.close()
    assert complaints == []


# Moves a pointer over the plot until the card shows an image of the label.
SWEEP = """(label) => {
  const plot = document.getElementById('plot'), box = plot.getBoundingClientRect();
  const card = document.getElementById('card'), name = document.getElementById('card-label');
  for (let y = box.top + 10; y < box.bottom - 10; y += 8) {
    for (let x = box.left + 10; x < box.right - 10; x += 8) {
      plot.dispatchEvent(new PointerEvent('pointermove', { clientX: x, clientY: y }));
      if (!card.hidden && name.textContent === label) return [x, y];
    }
  }
  return null;
}"""


def find_point(page: Page, label: str) -> str:
    """Move the pointer to an image of that label and return the displayed path."""
    page.locator("#plot").scroll_into_view_if_needed()
    place = page.evaluate(SWEEP, label)
    assert place is not None, f"no image of {label} on the plot"
    page.mouse.move(*place)
    expect(page.locator("#card-label")).to_have_text(label)
    return page.locator("#card-path").text_content() or ""


def colour_in(page: Page, canvas: str) -> list[int]:
    """The colour in the middle of a thumbnail of 96 by 48 pixels, after it is drawn."""
    page.wait_for_function(f"document.querySelector('{canvas}').width === 96")
    found: list[int] = page.evaluate(
        f"[...document.querySelector('{canvas}').getContext('2d').getImageData(48, 24, 1, 1).data]"
    )
    return found[:3]


def nearest(components: npt.NDArray[np.float32], row: int) -> list[int]:
    distances = np.linalg.norm(components.astype(float) - components[row].astype(float), axis=1)
    return [int(other) for other in np.argsort(distances) if other != row][:12]


def listed(page: Page) -> list[str]:
    """Paths of the nearest images, nearest first."""
    titles = page.locator("#nearest button").evaluate_all("all => all.map(b => b.title)")
    return [title.split("\n")[-1] for title in titles]


@pytest.mark.parametrize("view", ["3", "2"])
def test_an_image_under_the_pointer_is_shown_with_its_label(page: Page, view: str) -> None:
    page.check(f"input[name=view][value='{view}']")
    path = find_point(page, "blue")
    assert "/blue-" in path
    assert colour_in(page, "#card-image") == pytest.approx(COLOURS["blue"], abs=12)
    assert page.locator("#card-image").evaluate("c => [c.width, c.height]") == [96, 48]
    expect(page.locator("#ring")).to_be_visible()


def test_a_click_lists_the_true_nearest_images(
    page: Page, components: npt.NDArray[np.float32], paths: list[str]
) -> None:
    path = find_point(page, "red")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#chosen-path")).to_have_text(path)
    expected = nearest(components, paths.index(path))
    assert listed(page) == [paths[row] for row in expected]
    same = sum("/red-" in paths[row] for row in expected)
    expect(page.locator("#agreement")).to_have_text(
        f"{same} of the 12 nearest images share its label."
    )
    distance = np.linalg.norm(components[expected[0]] - components[paths.index(path)])
    shown = page.locator("#nearest .distance").first.text_content() or ""
    assert float(shown.split()[0]) == pytest.approx(float(distance), rel=1e-3)
    # A click on the nearest image shows its own nearest images.
    page.locator("#nearest button").first.click()
    expect(page.locator("#chosen-path")).to_have_text(paths[expected[0]])


def test_images_and_their_neighbours_can_be_reached_by_keyboard(
    page: Page, components: npt.NDArray[np.float32], paths: list[str]
) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "plot":
            break
    assert page.evaluate("document.activeElement.id") == "plot"
    assert page.locator("#plot").evaluate("p => getComputedStyle(p).outlineWidth") == "3px"
    labels = sorted([HOSTILE, "blue", "red"])
    assert labels[0] == HOSTILE
    page.keyboard.press("ArrowRight")
    expect(page.locator("#spoken")).to_contain_text("image 1 of 60")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#spoken")).to_contain_text("blue")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#card-path")).to_have_text(paths[1])
    page.keyboard.press("Enter")
    expect(page.locator("#spoken")).to_contain_text("of the 12 nearest images share its label")
    assert listed(page) == [paths[row] for row in nearest(components, 1)]
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("+")
    page.keyboard.press("Escape")
    expect(page.locator("#nearest button")).to_have_count(0)


def test_hostile_labels_are_text(page: Page) -> None:
    shown = page.locator("#legend bdi").first.text_content() or ""
    assert shown.startswith(HOSTILE[:80])
    assert len(shown) <= 200
    assert page.locator("img").count() == 1  # the chart of the explained variance
    assert page.locator("script").count() == 2


def test_classes_and_splits_are_hidden_and_shown_again(page: Page) -> None:
    red = page.locator("#legend button", has_text="red")
    page.click("#legend-none")
    expect(red).to_have_attribute("aria-pressed", "false")
    red.click()
    expect(red).to_have_attribute("aria-pressed", "true")
    page.focus("#plot")
    page.keyboard.press("Home")
    expect(page.locator("#card-label")).to_have_text("red")  # the keyboard skips hidden images
    page.uncheck("#splits input >> nth=0")
    page.focus("#plot")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#card-split")).to_have_text("test")


def test_other_components_can_be_the_axes(page: Page) -> None:
    drawn = "document.getElementById('canvas').toDataURL()"
    before = page.evaluate(drawn)
    page.select_option("#axis-0", "4")
    page.wait_for_function(
        "before => document.getElementById('canvas').toDataURL() !== before", arg=before
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_needs_no_scrolling_sideways(
    browser: Browser, address: str, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": 400, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(address)
    page.focus("#plot")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#nearest button")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 23, 26)") == (scheme == "dark")
    context.close()


def test_without_scripts_the_page_has_everything_except_the_plot(
    browser: Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.locator("noscript")).to_be_visible()
    expect(page.locator("#variance figure")).to_be_visible()
    expect(page.locator("#classes table")).to_be_visible()
    expect(page.locator("#explore-body")).to_be_hidden()
    context.close()
