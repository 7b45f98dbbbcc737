"""The pictures of docs/, taken from reports/sample: `make pictures` takes them, a test dates them.

python tests/support/pictures.py docs/pictures
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from browser_pages import CHROMIUM, FLAGS
from playwright.sync_api import sync_playwright

SAMPLE = Path(__file__).parents[2] / "reports" / "sample"
DATED = "pictures.json"
"""Picture → digest of the page it was taken from: pixels differ between machines, pages do not."""

SCREEN = {"width": 1280, "height": 860}


def dates() -> dict[str, str]:
    """What the pictures would be dated today."""
    return {
        f"{page.stem}.png": hashlib.sha256(page.read_bytes()).hexdigest()
        for page in sorted(SAMPLE.glob("*.html"))
        if page.name != "report.html"
    }


def take(folder: Path) -> None:
    """Take the first screen of each page."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in dates():
            page = browser.new_page(viewport=SCREEN)  # type: ignore[arg-type]
            page.goto((SAMPLE / name).with_suffix(".html").as_uri())
            page.screenshot(path=folder / name)
            page.close()
        browser.close()
    (folder / DATED).write_text(json.dumps(dates(), indent=1) + "\n")


if __name__ == "__main__":
    take(Path(sys.argv[1]))
