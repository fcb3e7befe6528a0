"""The far end: Chromium without a window, and what its own `fetch` and `WebSocket` show."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    # A page that no server sent may not reach loopback otherwise.
    "--disable-features=LocalNetworkAccessChecks",
]

FETCH = """async ([url, body]) => {
  const began = performance.now();
  const seen = { status: null, type: "", texts: [], error: null };
  try {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url, { method: "POST", body, headers });
    seen.status = response.status;
    seen.type = response.headers.get("content-type") ?? "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part; !(part = await reader.read()).done;) seen.texts.push(part.value);
  } catch (error) {
    seen.error = `${error.name}: ${error.message}`;
  }
  return { ...seen, after: (performance.now() - began) / 1000 };
}"""

# Until the socket closes, a message contains `until`, or the patience is over.
SOCKET = """([url, protocols, says, until, patience]) => new Promise((resolve) => {
  const began = performance.now();
  const seen = { texts: [], code: null, reason: "" };
  const done = () => resolve({ ...seen, after: (performance.now() - began) / 1000 });
  const socket = new WebSocket(url, protocols);
  socket.onopen = () => says.forEach((each) => socket.send(each));
  socket.onmessage = ({ data }) => {
    seen.texts.push(data);
    if (until && data.includes(until)) done();
  };
  socket.onclose = ({ code, reason }) => {
    Object.assign(seen, { code, reason });
    done();
  };
  setTimeout(done, patience * 1000);
})"""


class NoChromium(Exception):
    """There is no browser to look with; the text says what to install."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the reader of a `fetch` saw, with the error that the page got, and how many seconds it took."""

    status: int | None
    type: str
    texts: tuple[str, ...]
    error: str | None
    after: float


@dataclass(frozen=True, slots=True)
class Socketed:
    """What a WebSocket saw. `code` is None if it stayed open."""

    texts: tuple[str, ...]
    code: int | None
    reason: str
    after: float


class Browser:
    """Pages of whatever origin is to be asked."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium

    def fetch(self, url: str, body: str = "{}") -> Fetched:
        """Post from a page of the same origin, which nothing behind it hears of."""
        seen = self._run(url, FETCH, [url, body])
        return Fetched(**{**seen, "texts": tuple(seen["texts"])})

    def socket(
        self,
        url: str,
        says: Sequence[str],
        *,
        protocols: Sequence[str] = (),
        until: str = "",
        patience: float = 30,
    ) -> Socketed:
        """Connect, say that, and listen until it closes, a message contains `until`, or patience is over."""
        asked = [url, list(protocols), list(says), until, patience]
        seen = self._run(url.replace("ws", "http", 1), SOCKET, asked)
        return Socketed(**{**seen, "texts": tuple(seen["texts"])})

    def _run(self, url: str, script: str, arguments: list[Any]) -> Any:
        parts = urlsplit(url)
        blank = f"{parts.scheme}://{parts.netloc}/blank"
        page = self._chromium.new_page()
        try:
            page.route(blank, lambda route: route.fulfill(content_type="text/html", body=""))
            page.goto(blank)
            return page.evaluate(script, arguments)
        finally:
            page.close()


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser; raises `NoChromium`."""
    if CHROMIUM is None:
        raise NoChromium("there is no chromium on this machine: install it, as .ci/run does")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield Browser(chromium)
        finally:
            chromium.close()
