"""Visits of the page in a headless Chromium."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect, sync_playwright

from tests.gateway.conftest import Gateway

QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
QUESTION = "Why are there two lanes?"
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 360, "height": 740}, "reduced_motion": "reduce"},
}
_PATIENCE_MS = 20_000
_REFUSED = re.compile(r"Failed to load resource: (?:the server responded with a status of |net::)(\w+)")


@dataclass
class Visit:
    """A page that is open, and what went wrong on it.

    Attributes:
        refusals: what the test brings about, and the browser tells on its console: statuses, and errors of its own.
    """

    page: Page
    base_url: str
    refusals: tuple[str, ...] = ()
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"a document ran: {dialog.message}"))
        self.page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        refused = _REFUSED.match(message.text)
        if message.type in ("error", "warning") and not (refused and refused[1] in self.refusals):
            self.wrong.append(f"{message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        if not request.url.startswith(f"{self.base_url}/"):
            self.wrong.append(f"another host was asked: {request.url}")

    @property
    def question(self) -> Locator:
        return self.page.get_by_label("Question", exact=True)

    @property
    def turn(self) -> Locator:
        return self.page.get_by_role("article").last

    @property
    def alert(self) -> Locator:
        return self.page.locator("#problem-text")

    def ask(self, question: str = QUESTION) -> None:
        self.question.fill(question)
        self.question.press("Enter")

    def wait_for_answer(self) -> None:
        expect(self.page.get_by_role("button", name="Ask", exact=True)).to_be_visible()

    def serve_models(self, *kinds: str) -> None:
        """Lets the gateway seem to have models of these kinds alone."""
        listed = json.dumps({"data": [{"id": f"the {kind} model", "kind": kind} for kind in kinds]})
        self.page.route("**/v1/models", lambda route: route.fulfill(body=listed, content_type="application/json"))
        self.page.reload()

    def violations(self) -> str:
        found = Axe().run(self.page)
        return found.generate_report() if found.violations_count else ""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("the page is tested in Chromium, and there is none: apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=QUIET.split())
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Opens the page of a gateway, with its key unless another is given; nothing may go wrong on it."""
    expect.set_options(timeout=_PATIENCE_MS)
    visits: list[Visit] = []

    def open_page(gateway: Gateway, *refusals: str, with_key: bool = True, looks: str = "light") -> Visit:
        context = browser.new_context(**LOOKS[looks])
        context.set_default_timeout(_PATIENCE_MS)
        if with_key:
            context.add_init_script(f"sessionStorage.setItem('retriton.key', {json.dumps(gateway.key)})")
        visits.append(Visit(context.new_page(), gateway.url, refusals))
        visits[-1].page.goto(f"{gateway.url}/")
        return visits[-1]

    yield open_page
    for number, visited in enumerate(visits):
        visited.page.screenshot(path=tmp_path / f"page-{number}.png")
        visited.page.context.close()
    assert [wrong for visited in visits for wrong in visited.wrong] == []
