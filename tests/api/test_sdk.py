"""The real, unmodified OpenAI SDK speaks to the server."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import numpy as np
import openai
import pytest

from index_tts_ui.audio import FORMATS

from ..hearing import decode_any
from .server import Server

TEXT = "Hello there. How are you? 今天天气很好。"
RATE = 24_000
RATES = dict.fromkeys(FORMATS, RATE) | {"opus": 48_000}  # opus always decodes at 48 kHz
CODEC_SECONDS = 0.16  # delay and padding that mp3 and aac add
CHARACTERS = ("Hello there.", "How are you?", "今天天气很好。")


def client(server: Server, **options: Any) -> openai.OpenAI:
    """As a user would make it."""
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", timeout=60, **options)


def sound(data: bytes, fmt: str) -> tuple[np.ndarray, int]:
    """Decoded; pcm is 24 kHz s16le mono."""
    if fmt == "pcm":
        return np.frombuffer(data, "<i2").astype(np.float32) / 32768, RATE
    return decode_any(data)


def check(data: bytes, fmt: str) -> None:
    """The sound has the right rate and length, and is not silence."""
    samples, rate = sound(data, fmt)
    spoken = sum(map(len, CHARACTERS)) * 0.06  # the engine's 60 ms a character
    assert rate == RATES[fmt]
    assert spoken <= len(samples) / rate <= spoken + 0.1 * len(CHARACTERS) + CODEC_SECONDS
    assert np.abs(samples).max() > 0.05


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_sdk_streams_every_format(tone: Server, fmt: Any) -> None:
    with (
        client(tone) as api,
        api.audio.speech.with_streaming_response.create(
            model="tts-1", input=TEXT, voice="alloy", response_format=fmt
        ) as response,
    ):
        chunks = list(response.iter_bytes())
        assert response.headers["content-type"] == FORMATS[fmt].media_type
        assert response.headers["x-tts-engine"] == "tone"
        assert "content-length" not in response.headers
    check(b"".join(chunks), fmt)


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_asynchronous_sdk_streams_every_format(tone: Server, fmt: Any) -> None:
    async def speak() -> bytes:
        async with openai.AsyncOpenAI(base_url=f"{tone.url}/v1", api_key="none", timeout=60) as api:
            call = api.audio.speech.with_streaming_response.create(
                model="gpt-4o-mini-tts", input=TEXT, voice={"id": "tone-a"}, response_format=fmt
            )
            async with call as response:
                return b"".join([chunk async for chunk in response.iter_bytes()])

    check(asyncio.run(speak()), fmt)


def test_formats_sound_the_same(tone: Server) -> None:
    """Every lossless format carries exactly the same samples."""
    with client(tone) as api:
        made = {
            fmt: api.audio.speech.create(
                model="tone", input=TEXT, voice="tone-a", response_format=fmt
            ).content
            for fmt in ("pcm", "wav", "flac")
        }
    pcm = sound(made["pcm"], "pcm")[0]
    for fmt in ("wav", "flac"):
        assert np.abs(sound(made[fmt], fmt)[0] - pcm).max() < 2 / 32768


def test_mp3_is_the_default_and_speed_shortens_it(tone: Server) -> None:
    with client(tone) as api:
        plain = api.audio.speech.create(model="tone", input=TEXT, voice="alloy").content
        fast = api.audio.speech.create(model="tone", input=TEXT, voice="alloy", speed=2.0).content
    assert plain[:3] == b"ID3" or plain[0] == 0xFF
    assert 0.4 < len(sound(fast, "mp3")[0]) / len(sound(plain, "mp3")[0]) < 0.7


def test_sse_carries_the_sound_and_the_usage(tone: Server) -> None:
    with (
        client(tone) as api,
        api.audio.speech.with_streaming_response.create(
            model="tone", input=TEXT, voice="alloy", response_format="wav", stream_format="sse"
        ) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: ")]
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert events[-1]["type"] == "speech.audio.done"
    usage = events[-1]["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens"] == sum(map(len, CHARACTERS))
    check(b"".join(base64.b64decode(event["audio"]) for event in events[:-1]), "wav")


def test_vendor_fields_are_checked_and_unknown_ones_ignored(tone: Server) -> None:
    with client(tone, max_retries=0) as api:
        fields = {"language": "zh-CN", "timeout": 30, "seed": 7, "nonsense": [1], "stream_format": None}
        assert api.audio.speech.create(model="tone", input=TEXT, voice="alloy", extra_body=fields).content
        for wrong in ({"language": "fr"}, {"timeout": 0}, {"timeout": "1"}, {"seed": -1}, {"seed": 1.5}):
            with pytest.raises(openai.BadRequestError) as caught:
                api.audio.speech.create(model="tone", input=TEXT, voice="alloy", extra_body=wrong)
            assert caught.value.param == next(iter(wrong))


def test_instructions_an_engine_cannot_follow_are_said_to_be_ignored(tone: Server) -> None:
    with client(tone) as api:
        raw = api.audio.speech.with_raw_response
        told = raw.create(model="gpt-4o-mini-tts", input=TEXT, voice="alloy", instructions="Sound sad.")
        plain = raw.create(model="gpt-4o-mini-tts", input=TEXT, voice="alloy")
    assert told.headers["x-tts-ignored"] == "instructions"
    assert "x-tts-ignored" not in plain.headers


def test_errors_reach_the_sdk_as_its_own_exceptions(tone: Server) -> None:
    with client(tone) as api:
        with pytest.raises(openai.NotFoundError) as missing:
            api.audio.speech.create(model="tone", input="Hi.", voice="nobody")
        with pytest.raises(openai.BadRequestError) as empty:
            api.audio.speech.create(model="tone", input=" ", voice="alloy")
        with pytest.raises(openai.NotFoundError) as model:
            api.models.retrieve("gpt-99")
    assert (missing.value.code, missing.value.param) == ("voice_not_found", "voice")
    assert (empty.value.code, empty.value.param) == ("empty_text", "input")
    assert model.value.code == "model_not_found"
    assert empty.value.request_id


def test_models_are_listed_and_found(tone: Server) -> None:
    with client(tone) as api:
        listed = [model.id for model in api.models.list()]
        assert listed[0] == "tone"
        assert {"tts-1", "tts-1-hd", "gpt-4o-mini-tts"} < set(listed)
        assert api.models.retrieve("tts-1").object == "model"
