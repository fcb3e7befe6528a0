"""Takes pictures of the chat page over each path, for eyes: text growing, thinking, truncated, interrupted.

python tools/screenshots.py FOLDER          # FOLDER/index.html has all of them
"""

import sys
from pathlib import Path
from typing import Any

import httpx
from chat import chatting
from generated import ROOT
from playwright.sync_api import Error, ViewportSize, sync_playwright

sys.path.insert(0, str(ROOT))

from delivery.chromium import ARGUMENTS, CHROMIUM

TEXT = (
    "Yes, I can help you with that. Your subscription renews on 1 March, and the renewal is charged to the "
    "card that ends in 4242. You are on the yearly plan, so the next charge covers twelve months. "
)
TOOL = {"name": "slow_report", "input": {"seconds": 3}}
# By name: what Bedrock answers, call by call, and the state of the answer in which the picture is taken.
SCENES: dict[str, tuple[list[Any], str]] = {
    "growing": ([[{"text": TEXT * 3, "every": "40ms"}]], "streaming"),
    "thinking": ([[{"text": "Let me look. "}, {"tool_use": TOOL}], [{"text": "Three rows."}]], "tool"),
    "truncated": ([[{"text": TEXT}, {"stop": "max_tokens"}]], "truncated"),
    "interrupted": ([[{"text": "Your subscription renews on "}, "finish"]], "interrupted"),
}
SIZE = ViewportSize(width=620, height=480)


def main(folder: Path) -> int:
    """Write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with chatting() as chat, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        names = [path["name"] for path in httpx.get(f"{chat.page}paths", trust_env=False).json()]
        index = ["<!doctype html><meta charset=utf-8><style>img{width:420px;border:1px solid #ccc}</style>"]
        for name in names:
            index.append(f"<h2>{name}</h2>")
            for scene in SCENES:
                page = browser.new_page(viewport=SIZE)
                file = f"{name} {scene}.png".lower().replace(" ", "-")
                problems = take(page, chat.page, chat.emulator, name, scene, folder / file)
                index.append(f'<img src="{file}" title="{name}, {scene}">')
                print(f"{name:16} {scene:12} {', '.join(problems) or 'taken'}", flush=True)
                page.close()
        browser.close()
    (folder / "index.html").write_text("\n".join(index), encoding="utf-8")
    return 0


def take(page: Any, url: str, emulator: str, name: str, scene: str, file: Path) -> list[str]:
    """One picture; what the page complained of meanwhile."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    replies, state = SCENES[scene]
    session = f"{name} {scene}".lower().replace(" ", "-")
    arming = {"session": session, "replies": replies}
    httpx.post(f"{emulator}/_emulator/arm", json=arming, trust_env=False).raise_for_status()
    page.goto(url)
    page.get_by_test_id("path").select_option(name)
    page.get_by_test_id("prompt").fill(f"When does it renew? [[session: {session}]]")
    page.keyboard.press("Enter")
    answer = page.get_by_test_id("assistant").last
    try:
        answer.and_(page.locator(f"[data-state={state}]")).wait_for(timeout=15_000)
        page.wait_for_timeout(700)
    except Error as error:  # the picture shows what there is instead
        problems.append(str(error).splitlines()[0])
    page.screenshot(path=str(file))
    return problems


if __name__ == "__main__":
    if len(sys.argv) != 2 or CHROMIUM is None:
        raise SystemExit("say into which folder; and Chromium has to be installed")
    raise SystemExit(main(Path(sys.argv[1])))
