"""The console in a real browser, on a real local cloud: what a person sees and does."""

from __future__ import annotations

import itertools
import json
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from retrain.aws import Stack
from retrain.console.errors import ConsolePortError
from retrain.console.server import serve
from tests.e2e.console.conftest import DESK, PHONE, Console, Watched, running_console

OpenPage = Callable[..., Watched]
Point = tuple[float, float]

RUN_SECONDS = 240_000

# On a canvas of one by one.
RESTS = """async (element) => {
  for (let same = 0, last = ""; same < 20; ) {
    await new Promise(requestAnimationFrame);
    const now = JSON.stringify(element.getBoundingClientRect());
    same = now === last ? same + 1 : 0;
    last = now;
  }
}"""
"""Waits until an element has been at one place for twenty frames."""

SEVEN: tuple[list[Point], ...] = ([(0.28, 0.22), (0.72, 0.22), (0.46, 0.82)],)
ONE: tuple[list[Point], ...] = ([(0.52, 0.16), (0.48, 0.84)],)
THREE: tuple[list[Point], ...] = (
    [
        *[(0.32, 0.24), (0.45, 0.16), (0.6, 0.2), (0.64, 0.32), (0.56, 0.44), (0.42, 0.48)],
        *[(0.58, 0.52), (0.67, 0.64), (0.6, 0.78), (0.45, 0.84), (0.3, 0.78)],
    ],
)


def paper(page: Page) -> FloatRect:
    """Return where the canvas is, once what is above it has come and nothing moves it any more."""
    expect(page.locator("#champions")).to_contain_text("InService")
    expect(page.locator("#graph .state")).not_to_have_count(0)
    canvas = page.locator("#canvas")
    canvas.scroll_into_view_if_needed()
    canvas.evaluate(RESTS)
    box = canvas.bounding_box()
    assert box is not None
    return box


def draw_with_mouse(page: Page, strokes: tuple[list[Point], ...]) -> None:
    box = paper(page)
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=8)
        page.mouse.up()


def state(page: Page, name: str) -> Locator:
    return page.locator(f'#graph [data-state="{name}"]')


def test_a_run_goes_from_start_to_green_while_the_page_is_open(
    open_page: OpenPage, deployed: str, upload: Callable[..., str]
) -> None:
    watched = open_page()
    page = watched.page
    expect(page.locator("#link")).to_have_text("live")
    page.evaluate("window.sameDocument = true")
    run_id = upload("letters")
    entry = page.locator("#run-list li").first
    expect(entry).to_contain_text("letters", timeout=30_000)
    expect(page.locator(".run-id")).to_have_text(run_id)
    expect(page.locator("#run-outcome")).to_have_text("running")
    expect(state(page, "Train")).to_have_class(re.compile(r"\brunning\b"), timeout=60_000)
    watched.shoot("desk-running")
    expect(page.locator("#run-outcome")).to_have_text("deployed", timeout=RUN_SECONDS)
    for name in ("Prepare", "Train", "Evaluate", "Promote?", "RegisterModel", "RecordDeployed"):
        expect(state(page, name)).to_have_class(re.compile(r"\bsucceeded\b"))
    # The outcome is known before the clean-up, the card and the notification.
    unfinished = page.locator("#graph .state.running, #graph .state.failed")
    expect(unfinished).to_have_count(0, timeout=30_000)
    expect(entry).to_contain_text("deployed")
    expect(page.locator("#verdict-word")).to_have_text("promote")
    expect(page.locator("#checks li.passed")).not_to_have_count(0)
    expect(page.locator("#curves figure")).not_to_have_count(0)
    expect(page.locator("#champions")).to_contain_text(run_id)
    expect(page.locator("#champions")).to_contain_text("InService")
    assert page.evaluate("window.sameDocument") is True
    watched.shoot("desk-deployed")


def test_a_failed_state_shows_its_error(
    open_page: OpenPage, deployed: str, upload: Callable[..., str]
) -> None:
    watched = open_page()
    page = watched.page
    run_id = upload("digits", broken=True)
    page.goto(f"{page.url}runs/{run_id}")
    expect(page.locator("#run-outcome")).to_have_text("failed", timeout=RUN_SECONDS)
    failed = page.locator("#graph .state.caught, #graph .state.failed").first
    failed.click()
    dialog = page.locator("#state")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".error").first).to_be_visible()
    name = page.locator("#state-title").inner_text()
    assert name == failed.get_attribute("data-state")
    expect(dialog.locator(".error code").first).not_to_be_empty()
    expect(dialog.locator(".error pre").first).to_contain_text("train-images")
    watched.shoot("desk-failed")
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()


@pytest.mark.parametrize(("strokes", "label"), [(ONE, 1), (SEVEN, 7), (THREE, 3)])
def test_a_digit_drawn_with_the_mouse_is_classified_right(
    open_page: OpenPage, deployed: str, strokes: tuple[list[Point], ...], label: int
) -> None:
    watched = open_page()
    expect(watched.page.locator("#dataset")).to_be_enabled()
    watched.page.locator("#dataset").select_option("digits")
    draw_with_mouse(watched.page, strokes)
    expect(watched.page.locator("#label")).to_have_text(str(label), timeout=20_000)
    watched.shoot(f"desk-digit-{label}")


def test_a_digit_is_drawn_with_a_finger_on_a_phone(open_page: OpenPage, deployed: str) -> None:
    watched = open_page(f"runs/{deployed}", PHONE, has_touch=True, is_mobile=True)
    page = watched.page
    expect(page.locator("#dataset")).to_be_enabled()
    page.locator("#dataset").select_option("digits")
    expect(page.locator("#curves figure")).not_to_have_count(0)
    box = paper(page)
    fingers = page.context.new_cdp_session(page)
    for stroke in SEVEN:
        kind = "touchStart"
        for (x0, y0), (x1, y1) in itertools.pairwise(stroke):
            for step in range(9):
                x, y = x0 + (x1 - x0) * step / 8, y0 + (y1 - y0) * step / 8
                place = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
                fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
                kind = "touchMove"
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("#label")).to_have_text("7", timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    watched.shoot("phone")


def test_the_keyboard_reaches_everything(open_page: OpenPage, deployed: str) -> None:
    watched = open_page()
    page = watched.page
    link = page.locator(f'#run-list a[data-run="{deployed}"]')
    link.focus()
    page.keyboard.press("Enter")
    expect(link).to_have_attribute("aria-current", "page")
    assert page.url.endswith(f"/runs/{deployed}")
    train = state(page, "Train")
    train.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#state-title")).to_have_text("Train")
    expect(page.locator("#state-visits")).to_contain_text("training_job")
    page.keyboard.press("Escape")
    expect(train).to_be_focused()
    page.locator("#canvas").focus()
    for key in ["ArrowUp"] * 9 + [" "] + ["ArrowDown"] * 18 + [" "]:
        page.keyboard.press(key)
    expect(page.locator("#label")).to_have_text("1", timeout=20_000)
    page.keyboard.press("Delete")
    expect(page.locator("#answer")).to_be_empty()


def test_back_and_forward_lead_through_the_runs(open_page: OpenPage, deployed: str) -> None:
    page = open_page().page
    first = page.locator("#run-list a").first.get_attribute("data-run")
    page.locator(f'#run-list a[data-run="{deployed}"]').click()
    expect(page.locator(".run-id")).to_have_text(deployed)
    page.go_back()
    expect(page.locator(".run-id")).to_have_text(str(first))
    page.go_forward()
    expect(page.locator(".run-id")).to_have_text(deployed)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_is_legible_in_light_and_dark_at_every_width(
    open_page: OpenPage, deployed: str, scheme: str, size: tuple[int, int]
) -> None:
    watched = open_page(f"runs/{deployed}", size, color_scheme=scheme)
    page = watched.page
    expect(state(page, "RecordDeployed")).to_have_class(re.compile(r"\bsucceeded\b"))
    expect(page.locator("#champions")).to_contain_text("InService")
    expect(page.locator("#curves figure")).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    backgrounds = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in re.findall(r"\d+", backgrounds)[:3])
    assert (brightness < 200) == (scheme == "dark")
    watched.shoot(f"{'desk' if size == DESK else 'phone'}-{scheme}")


def test_the_run_card_is_shown_and_may_do_nothing(
    open_page: OpenPage, console: Console, deployed: str
) -> None:
    stack = console.stack
    key = f"runs/{deployed}/report.html"
    html = "<!doctype html><title>before</title><h1>The card</h1><script>document.title = 'ran'</script>"
    stack.client("s3").put_object(Bucket=stack.output("ArtifactsBucketName"), Key=key, Body=html.encode())
    watched = open_page(f"runs/{deployed}")
    watched.page.locator("#card-link").click()
    expect(watched.page.locator("h1")).to_have_text("The card")
    assert watched.page.title() == "before"
    assert watched.complaints, "the browser says that it ran no script"
    watched.complaints.clear()


def test_a_page_of_another_site_gets_nothing(open_page: OpenPage, console: Console) -> None:
    watched = open_page("api/stack")
    page = watched.page
    page.goto("about:blank")
    script = """async (url) => {
        const ask = (path, options) => fetch(url + path, options).then(({status}) => status, () => "refused");
        return [
            await ask("api/stack"),
            await ask("api/predict?dataset=digits", {method: "POST", body: new Uint8Array(78400)}),
        ];
    }"""
    assert page.evaluate(script, console.url) == ["refused", "refused"]
    watched.complaints.clear()


def test_it_ends_at_once_though_a_page_listens(stack: Stack) -> None:
    with running_console(stack) as (url, server):
        with urllib.request.urlopen(url + "api/events", timeout=10) as events:
            assert events.readline().startswith(b"retry:")
            server.send_signal(signal.SIGINT)
            events.read()
        assert server.wait(15) == 130


def test_a_port_that_is_taken_is_said(console: Console) -> None:
    with pytest.raises(ConsolePortError, match=r"choose another with --port"):
        serve(console.stack, int(console.url.rstrip("/").rsplit(":", 1)[1]))


def test_a_name_that_resolves_to_this_computer_is_refused(console: Console) -> None:
    request = urllib.request.Request(console.url + "api/stack", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=10)
    assert refusal.value.code == 403
    refusal.value.close()
    with urllib.request.urlopen(console.url + "api/stack", timeout=10) as answer:
        assert json.load(answer)["name"] == console.stack.name
