"""What browser tests share: how Chromium is started, and what a page did while it was open."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page

AXE = Path(__file__).parents[1] / "browser" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Opened:
    """A page, and what it asked for while it was open."""

    page: Page
    asked: list[str] = field(default_factory=list)
    failed: dict[str, str | None] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def left(self) -> list[str]:
        """What it asked of anything but its own folder and this machine."""
        return [url for url in self.asked if not _here(url)]


def _here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("file", "data", "blob") or parts.hostname == "127.0.0.1"


Open = Callable[..., Opened]


def note(opened: Opened, message: ConsoleMessage) -> None:
    if message.type == "error":
        opened.errors.append(message.text)


def dismiss(opened: Opened, dialog: Dialog) -> None:
    opened.dialogs.append(dialog.message)
    dialog.dismiss()


def violations(page: Page) -> list[str]:
    """What axe finds; the page was opened with `bypass_csp`, for its policy refuses axe as well."""
    assert AXE.exists(), "run `make browser-tools`"
    page.add_script_tag(path=AXE)
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [f"{v['id']}: {v['nodes'][0]['target']}: {v['help']}" for v in found]
