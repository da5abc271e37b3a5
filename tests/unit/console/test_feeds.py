"""Pages are told what changes, the newest of it, and what is wrong; nobody looks when nobody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from retrain.console.feeds import Feed, Hub, Listener
from retrain.errors import CloudError


class Script:
    """Looks that go as written, and then stay as they are; a look that is an error is raised."""

    def __init__(self, *looks: dict[str, Any] | Exception) -> None:
        self.looks = list(looks)
        self.count = 0

    def look(self) -> Iterator[tuple[str, Any]]:
        now = self.looks[min(self.count, len(self.looks) - 1)]
        self.count += 1
        if isinstance(now, Exception):
            raise now
        yield from now.items()

    def pause(self) -> float:
        return 0.0


async def told(listener: Listener, enough: Callable[[list[tuple[str, Any]]], bool]) -> list[tuple[str, Any]]:
    """What a listener is told until it is enough."""
    found: list[tuple[str, Any]] = []

    async def listen() -> None:
        async for event in listener.events():
            if event.startswith(b"event: "):
                name, data = event.decode().strip().split("\n")
                found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
            if enough(found):
                return

    await asyncio.wait_for(listen(), 10)
    return found


def last(name: str, value: Any) -> Callable[[list[tuple[str, Any]]], bool]:
    return lambda found: (name, value) in found


def test_only_changes_are_told():
    async def scenario() -> None:
        script = Script({"n": 1, "same": "x"}, {"n": 1, "same": "x"}, {"n": 2, "same": "x"})
        feed, listener = Feed("feed", script), Listener()
        feed.join(listener)
        found = await told(listener, last("n", 2))
        feed.leave(listener)
        assert [value for name, value in found if name == "same"] == ["x"]
        values = [value for name, value in found if name == "n"]
        assert values == sorted(set(values))

    asyncio.run(scenario())


def test_who_comes_later_is_told_what_is_known():
    async def scenario() -> None:
        feed, first, second = Feed("feed", Script({"n": 1})), Listener(), Listener()
        feed.join(first)
        await told(first, last("n", 1))
        feed.join(second)
        assert ("n", 1) in await told(second, last("n", 1))
        feed.leave(first)
        feed.leave(second)

    asyncio.run(scenario())


def test_a_slow_page_gets_the_newest_alone():
    async def scenario() -> None:
        listener = Listener()
        for number in range(5):
            listener.tell("n", str(number))
        assert await told(listener, bool) == [("n", 4)]

    asyncio.run(scenario())


def test_nobody_looks_when_nobody_listens():
    async def scenario() -> None:
        script = Script({"n": 1})
        feed, listener = Feed("feed", script), Listener()
        assert script.count == 0
        feed.join(listener)
        await told(listener, last("n", 1))
        feed.leave(listener)
        looking = asyncio.all_tasks() - {asyncio.current_task()}
        assert looking
        _, pending = await asyncio.wait(looking, timeout=10)
        assert not pending

    asyncio.run(scenario())


def test_trouble_is_told_and_that_it_is_over():
    async def scenario() -> None:
        feed = Feed("feed", Script({"n": 1}, CloudError("Nothing answers."), {"n": 2}))
        listener = Listener()
        feed.join(listener)
        found = await told(listener, lambda found: dict(found).get("n") == 2 and found[-1][1] is None)
        assert found[-1] == ("feed-trouble", None)
        feed.leave(listener)

    asyncio.run(scenario())


def test_trouble_that_stays_is_told():
    async def scenario() -> None:
        feed, listener = Feed("feed", Script(CloudError("Nothing answers."))), Listener()
        feed.join(listener)
        assert await told(listener, bool) == [("feed-trouble", "Nothing answers.")]
        feed.leave(listener)

    asyncio.run(scenario())


def test_an_unforeseen_failure_is_told_and_logged_and_tried_again_for_the_next_page(caplog):
    async def scenario() -> None:
        feed, first, second = Feed("feed", Script(ZeroDivisionError("odd"), {"n": 1})), Listener(), Listener()
        feed.join(first)
        [(name, text)] = await told(first, bool)
        assert name == "feed-trouble"
        assert "ZeroDivisionError" in text
        feed.join(second)
        await told(second, last("n", 1))
        feed.leave(first)
        feed.leave(second)

    asyncio.run(scenario())
    assert "ZeroDivisionError" in caplog.text


def test_what_ends_the_console_ends_its_connections():
    async def scenario() -> None:
        hub = Hub(Script({"runs": []}), lambda _: Script({"run": {}}))
        seen = []

        async def page() -> None:
            async for event in hub.events("run-1"):
                seen.append(event)
                if b"event: run\n" in event:
                    hub.close()

        await asyncio.wait_for(page(), 10)
        assert any(b"event: runs" in event for event in seen)
        assert [event async for event in hub.events(None)] == []

    asyncio.run(scenario())


def test_two_pages_of_one_run_share_its_looks():
    async def scenario() -> None:
        made: list[str] = []

        def look(run_id: str) -> Script:
            made.append(run_id)
            return Script({"run": run_id})

        hub = Hub(Script({"runs": []}), look)
        pages = [hub.events("one"), hub.events("one"), hub.events("two")]
        for page in pages:
            await anext(page)
            await asyncio.wait_for(anext(page), 10)
        assert made == ["one", "two"]
        for page in pages:
            await page.aclose()
        again = hub.events("one")
        await anext(again)
        await again.aclose()
        assert made == ["one", "two", "one"]

    asyncio.run(scenario())
