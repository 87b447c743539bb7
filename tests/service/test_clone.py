"""SpeechService with an engine that clones: what it can do, and its sample voices."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from index_tts_ui.app import build_service
from index_tts_ui.config import Config
from index_tts_ui.errors import Invalid, NotFound
from index_tts_ui.service import SpeechService
from index_tts_ui.speech import Emotion, Owner, SpeechRequest
from tests.recordings import MINE, recording

ME = Owner("me")


@contextlib.asynccontextmanager
async def cloning(home: Path, options: str = "") -> AsyncIterator[SpeechService]:
    """A service of the cloning test engine whose worker is loaded."""
    service = build_service(Config(home=str(home), engine="tone-clone", engine_options=options))
    service.host.start()
    try:
        async with asyncio.timeout(60):
            while not service.status().ready:
                await asyncio.sleep(0.01)
            yield service
    finally:
        await service.close()


def test_a_checkpoint_without_an_emotion_model_refuses_descriptions_once_that_is_known(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        config = Config(home=str(tmp_path), engine="tone-clone")
        before = build_service(config)
        assert before.can("emotion_text") and before.can("clone") and not before.can("blend")
        await before.close()
        async with cloning(tmp_path, "without=emotion_text") as service:
            assert service.can("emotion") and not service.can("emotion_text")
            await service.add_voice(recording(), "Anna", statement=MINE, owner=ME)
            with pytest.raises(Invalid) as refused:
                await service.submit(SpeechRequest("Hello.", emotion=Emotion(text="sad")), ME)
            assert (refused.value.code, refused.value.param) == ("unsupported", "emotion.text")
            handle = await service.submit(SpeechRequest("Hello.", emotion=Emotion(vector=(0.1,) * 8)), ME)
            assert [event async for event in handle.events()][-1].error is None  # type: ignore[union-attr]

    asyncio.run(go())


def test_a_voice_that_is_deleted_still_speaks_for_the_requests_under_way(tmp_path: Path) -> None:
    async def go() -> None:
        async with cloning(tmp_path, "step_ms=20") as service:
            voice = await service.add_voice(recording(), "Anna", statement=MINE, tags=["x"], owner=ME)
            clip = service.voice_clip("Anna")
            handle = await service.submit(SpeechRequest("Some words. Some more.", voice=voice.id), ME)
            await service.delete_voice(voice.id)
            assert [event async for event in handle.events()][-1].error is None  # type: ignore[union-attr]
            assert clip.exists() and service.default_voice() == ""
            with pytest.raises(NotFound):
                await service.submit(SpeechRequest("Some words.", voice=voice.id), ME)

    asyncio.run(go())


def test_the_preview_obeys_the_length_that_is_asked_for_and_needs_no_voice(tmp_path: Path) -> None:
    async def go() -> None:
        service = build_service(Config(home=str(tmp_path), engine="tone-clone"))
        text = "word " * 40
        short = await service.preview(text, segment_tokens=20)
        assert (
            max(piece.tokens for piece in short)
            <= 20
            < max(piece.tokens for piece in await service.preview(text))
        )
        with pytest.raises(Invalid):
            await service.preview(text, segment_tokens=7)
        with pytest.raises(NotFound):
            await service.preview(text, voice="nobody")
        await service.close()

    asyncio.run(go())


@pytest.mark.slow
def test_kokoro_makes_sample_voices_once_for_an_empty_library(kokoro_dir: Path, tmp_path: Path) -> None:
    async def made(service: SpeechService) -> None:
        await service.warm()
        deadline = time.monotonic() + 300
        while not service.voices():
            assert time.monotonic() < deadline, "no sample voices after five minutes"
            await asyncio.sleep(0.1)

    async def go() -> None:
        (tmp_path / "cache_hub").symlink_to(kokoro_dir.parent)
        config = Config(home=str(tmp_path), engine="tone-clone")
        service = build_service(config)
        await made(service)
        voices = service.voices()
        assert {(voice.language, voice.gender) for voice in voices} == {
            (language, gender) for language in ("zh-CN", "en-US") for gender in ("female", "male")
        }
        for voice in voices:
            assert voice.tags == ("sample",) and 3 < voice.seconds < 15 and voice.name_zh != voice.name
            stored = await service.add_clip(service.voice_clip(voice.id).read_bytes())
            assert stored.notices == ()
            await service.delete_voice(voice.id)
        await service.close()
        again = build_service(config)
        await again.warm()
        await asyncio.sleep(1)
        assert not again.voices(), "what was deleted does not come back"
        await again.close()

    asyncio.run(go())


def test_a_kokoro_that_cannot_speak_costs_nothing_but_the_samples(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> None:
        model = tmp_path / "cache_hub" / "kokoro" / "model.onnx"
        model.parent.mkdir(parents=True)
        model.write_bytes(b"no model")
        service = build_service(Config(home=str(tmp_path), engine="tone-clone"))
        service.start_upkeep(model.parent)
        deadline = time.monotonic() + 60
        while "no sample voices" not in caplog.text:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert not service.voices()
        await service.add_clip(recording())
        await service.close()

    asyncio.run(go())


def test_closing_ends_the_making_of_samples(kokoro_dir: Path, tmp_path: Path) -> None:
    async def go() -> None:
        service = build_service(Config(home=str(tmp_path), engine="tone-clone"))
        service.start_upkeep(kokoro_dir)
        deadline = time.monotonic() + 30
        while not _children():
            assert time.monotonic() < deadline, "the child has begun"
            await asyncio.sleep(0.02)
        await service.close()
        assert not _children() and not service.voices()

    asyncio.run(go())


def _children() -> list[str]:
    """Command lines of this process's children that make samples (proc(5))."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            parent = path.with_name("stat").read_text().rpartition(")")[2].split()[1]
            line = path.read_bytes().decode()
            if parent == str(os.getpid()) and "sample_voices" in line:
                found.append(line)
    return found
