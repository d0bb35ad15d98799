"""The pages in a real Chromium: log in, see a passage arrive by itself, search, read the chain; by phone and keyboard.

Runs where Chromium is; in CI it must be there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.web.browser import Page, browser, chromium
from tests.web.sample import ADMIN, OPERATOR, SECRET, Site, add_passage, shots
from tests.web.test_web_hostile import serving

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(chromium() is None and os.environ.get("CI") != "true", reason="Chromium is not installed"),
]
NO_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


async def press(page: Page, key: str, code: int) -> None:
    """A key, down and up."""
    text = {"Enter": "\r"}.get(key, "")
    await page.send("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, text=text)
    await page.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)


async def test_a_person_at_the_page(site: Site, tmp_path: Path) -> None:
    async with serving(site.context) as server, browser() as page:
        base = server.url.rstrip("/")
        await page.size(1280, 800)
        await page.open(f"{base}/")
        await page.until("location.pathname == '/login'")
        # with the keyboard alone: the first field has the focus
        assert await page.eval("document.activeElement.name") == "user"
        await page.send("Input.insertText", text=ADMIN)
        await press(page, "Tab", 9)
        assert await page.eval("document.activeElement.name") == "password"
        await page.send("Input.insertText", text=SECRET)
        await press(page, "Enter", 13)

        # the live page: a moving picture, and a passage that arrives by itself
        await page.until("document.querySelectorAll('#passages .passage').length == 8")
        await page.until("document.getElementById('picture').naturalWidth == 960")
        await page.until("document.getElementById('link').textContent == 'live'")
        passage = await add_passage(site.log, site.blobs, shots(3)[1], 200)
        await page.until(f"document.querySelector('#passages .passage')?.dataset.id == '{passage}'")
        plate = shots(3)[1].truth.plate
        assert plate in await page.eval("document.getElementById('said').textContent")
        assert plate in await page.eval("document.getElementById('hero').textContent.replaceAll(/\\s/g, '')")
        await page.until("document.querySelector('#passages .passage img').naturalWidth == 300")
        assert await page.eval("document.querySelectorAll('#passages .passage:first-child .chars li').length") == len(
            plate
        )
        await page.picture(tmp_path / "live.png")

        # search, then one passage with its chain of events
        await site.reindex()
        await page.open(f"{base}/passages")
        await page.eval(f"document.querySelector('[name=plate]').value = '{plate[:5].lower()}'")
        await page.eval("document.querySelector('.filters').requestSubmit()")
        await page.until("new URLSearchParams(location.search).get('plate') && document.readyState == 'complete'")
        assert await page.eval(f"[...document.querySelectorAll('.passage')].every(e => e.dataset.plate == '{plate}')")
        await page.eval("document.querySelector('.passage a').click()")
        await page.until("document.querySelectorAll('.chain > li').length == 9")
        await page.eval("document.querySelector('.chain summary').click()")
        assert '"trigger": "motion"' in await page.eval("document.querySelector('.chain pre').textContent")

        # everything fits a phone, light and dark
        for path in ("/", "/passages", f"/passages/{passage}", "/status", "/users", "/password"):
            await page.size(360, 740, mobile=True, dark=True)
            await page.open(f"{base}{path}")
            assert await page.eval(NO_SIDEWAYS), path
        # what can't be undone is asked for first
        await page.open(f"{base}/users")
        await page.eval("window.confirm = (text) => { window.asked = text; return false; }")
        await page.eval("document.querySelector('button.danger').click()")
        assert OPERATOR in await page.eval("window.asked") and site.users.get(OPERATOR) is not None
        await page.eval("window.confirm = () => true")
        await page.eval("document.querySelector('button.danger').click()")
        await page.until("document.readyState == 'complete' && !document.querySelector('button.danger')")
        assert site.users.get(OPERATOR) is None
        await page.eval("document.querySelector('.menu summary').click()")
        await page.eval("document.querySelector('.menu form').requestSubmit()")
        await page.until("location.pathname == '/login'")
        assert page.errors == []
        assert {url for url in page.requests if not url.startswith((f"{base}/", "data:"))} == set()
