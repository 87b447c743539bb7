"""Gradio's queue rests while nobody is about."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Receive, Scope, Send

from index_tts_ui.webui.gradio_import import gradio  # noqa: F401 - first

from gradio.queueing import Queue  # isort: skip
from index_tts_ui.webui.presence import ABOUT_SECONDS, ALONE_SECONDS, AWAY_SECONDS, Presence


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def _unused(*_: Any) -> Any:
    raise AssertionError


def _finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """In a thread: the browser's loop may run in this one."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, coroutine).result(30)


def _queue() -> Queue:
    """Of no page; to be made where a loop runs."""
    return Queue(False, 1, 1, None, None)  # type: ignore[arg-type]


def test_it_looks_often_while_a_page_is_open_and_rarely_when_all_are_gone() -> None:
    now = 1000.0

    async def run() -> None:
        nonlocal now
        queue, presence = _queue(), Presence(_nothing, lambda: now)
        presence.paces(queue)
        assert queue.sleep_when_free == ALONE_SECONDS
        await presence({"type": "http", "path": "/v1/audio/speech"}, _unused, _unused)
        assert queue.sleep_when_free == ALONE_SECONDS
        await presence({"type": "http", "path": "/below/gradio_api/queue/join"}, _unused, _unused)
        assert queue.sleep_when_free == ABOUT_SECONDS
        now += AWAY_SECONDS - 1
        assert queue.sleep_when_free == ABOUT_SECONDS
        now += 1
        assert queue.sleep_when_free == ALONE_SECONDS

    _finish(run())


def test_gradio_asks_before_each_sleep() -> None:
    """Of the version that is installed: another one may take the number once."""
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return 0.0

    async def run() -> None:
        queue = _queue()
        Presence(_nothing, clock).paces(queue)
        task = asyncio.create_task(queue.start_processing())
        while looks < 3:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    _finish(asyncio.wait_for(run(), 20))
