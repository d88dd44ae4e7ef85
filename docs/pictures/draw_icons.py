"""Draws `addin/assets/icon-*.png` from `icon.svg` beside them. Run it again after a change of the drawing."""  # noqa: INP001

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ASSETS = Path(__file__).resolve().parents[2] / "addin" / "assets"
# What the manifest names: buttons 16 to 80, the add-in itself 64 and 128, mobile 25, 32 and 48 at one, two and three
# pixels a point; 48 at two pixels is also 96.
SIZES = (16, 20, 24, 25, 32, 40, 48, 50, 64, 75, 80, 96, 128, 144)
BOLDER_BELOW = 24  # there lines of the drawing's width would fade


def drawing(size: int) -> str:
    svg = (ASSETS / "icon.svg").read_text(encoding="utf-8")
    if size < BOLDER_BELOW:
        svg = svg.replace('stroke-width="15"', 'stroke-width="17"').replace('stroke-width="8"', 'stroke-width="11"')
    return f"<style>*{{margin:0}}svg{{display:block;width:{size}px;height:{size}px}}</style>{svg}"


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page = browser.new_page()
    for each in SIZES:
        page.set_viewport_size({"width": each, "height": each})
        page.set_content(drawing(each))
        page.screenshot(path=ASSETS / f"icon-{each}.png", omit_background=True)
    browser.close()
