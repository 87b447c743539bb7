"""The embedded voice through the API, heard by a recogniser."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from index_tts_ui.api.aliases import stock_voices

from ..hearing import decode_any, pinyin_error_rate, transcribe, word_error_rate
from .server import Server

MANDARIN = (
    "今天的天气非常好，我们下午一起去公园散步。",
    "这本书讲了一个很有意思的故事，我已经看了两遍。",
    "请把会议的时间改到星期三上午，谢谢大家的配合。",
)
ENGLISH = (
    "The weather is lovely today, so we are going for a walk in the park.",
    "She has been reading the same book since the beginning of the summer.",
    "Please remember to close the window before you leave the house.",
)
# words that the recogniser knows inside Chinese: it writes rarer ones as syllables, well spoken or not
MIXED = (
    ("请打开 Google 搜索一下今天的新闻。", ["google"]),
    ("我的 Facebook 和 Google 密码忘记了，怎么办？", ["facebook", "google"]),
)
PER, WER = 0.06, 0.05  # over all sentences of a language


@lru_cache
def speak(url: str, text: str, voice: str, fmt: Any) -> tuple[np.ndarray, int]:
    """Through the SDK, streamed: (samples, Hz)."""
    with (
        openai.OpenAI(base_url=f"{url}/v1", api_key="none", timeout=120) as api,
        api.audio.speech.with_streaming_response.create(
            model="kokoro", input=text, voice=voice, response_format=fmt
        ) as response,
    ):
        return decode_any(b"".join(response.iter_bytes()))


def test_mandarin_is_understood(kokoro: Server) -> None:
    text = "".join(MANDARIN)
    assert pinyin_error_rate(*speak(kokoro.url, text, "zf_xiaobei", "wav"), text) <= PER


def test_who_waits_for_a_turn_gets_the_first_sentence_in_one_piece(kokoro: Server) -> None:
    """Cut in two its sound would begin sooner, and end later; in a crowd it begins when its turn comes."""
    text = "邻居轻轻打开院子里的树，妹妹悄悄记下桌上的茶。"

    async def speak(client: httpx.AsyncClient, name: str) -> bytes:
        body = {"model": "kokoro", "input": text, "voice": "zf_xiaobei", "response_format": "wav"}
        response = await client.post("/v1/audio/speech", json=body, headers={"X-Request-Id": name})
        assert response.status_code == 200
        return response.content

    async def segments(client: httpx.AsyncClient, name: str) -> int:
        for _ in range(200):
            if (response := await client.get(f"/v1/requests/{name}")).status_code == 200:
                return int(response.json()["segments"])
            await asyncio.sleep(0.01)
        raise AssertionError(f"{name} was never there")

    async def scene() -> tuple[list[int], list[bytes]]:
        async with (
            httpx.AsyncClient(base_url=kokoro.url, timeout=120) as client,
            asyncio.TaskGroup() as group,
        ):
            asked, found = [], []
            for name in ("alone", *(f"crowd-{number}" for number in range(8))):
                asked.append(group.create_task(speak(client, name)))
                found.append(await segments(client, name))
            return found, [await one for one in asked]

    found, sounds = asyncio.run(scene())
    assert found[0] == 2 and found[-1] == 1, found
    for sound in (sounds[0], sounds[-1]):
        assert pinyin_error_rate(*decode_any(sound), text) <= 0.1


def test_english_is_understood(kokoro: Server) -> None:
    text = " ".join(ENGLISH)
    assert word_error_rate(*speak(kokoro.url, text, "af_heart", "mp3"), text) <= WER


@pytest.mark.parametrize(("text", "words"), MIXED, ids=["one-word", "two-words"])
def test_mixed_text_is_understood_in_both_languages(kokoro: Server, text: str, words: list[str]) -> None:
    sound = speak(kokoro.url, text, "zf_xiaoxiao", "aac")
    heard = transcribe(*sound, "zh").lower()
    assert all(word in heard for word in words), heard
    assert pinyin_error_rate(*sound, text) <= PER


@pytest.mark.slow
def test_a_stock_name_speaks_the_language_of_the_text(kokoro: Server) -> None:
    """A client that knows no other voices than OpenAI's is understood in both."""
    text = MANDARIN[0]
    assert pinyin_error_rate(*speak(kokoro.url, text, "alloy", "opus"), text) <= PER
    text = ENGLISH[0]
    assert word_error_rate(*speak(kokoro.url, text, "onyx", "flac"), text) <= WER


def test_the_voices_that_stock_names_stand_for_exist(kokoro: Server) -> None:
    voices = {voice["id"]: voice for voice in httpx.get(f"{kokoro.url}/v1/audio/voices").json()["voices"]}
    for tongues in stock_voices().values():
        assert voices[tongues["en"]]["language"].startswith("en")
        assert voices[tongues["zh"]]["language"].startswith("zh")
        assert voices[tongues["en"]]["gender"] == voices[tongues["zh"]]["gender"]


def test_speaker_ids_are_two_women_and_two_men(kokoro: Server) -> None:
    sounds = [
        httpx.post(f"{kokoro.url}/api/tts", json={"text": "你好。", "speaker_id": number}, timeout=60).content
        for number in range(4)
    ]
    assert len(set(sounds)) == 4
    plain = {"model": "kokoro", "input": "你好。", "voice": "zf_xiaobei", "response_format": "wav"}
    named = httpx.post(f"{kokoro.url}/v1/audio/speech", json=plain, timeout=60).content
    assert sounds[0] == named


def test_the_estimate_of_a_preview_is_near_the_truth(kokoro: Server) -> None:
    for text, voice, fmt in (
        ("".join(MANDARIN), "zf_xiaobei", "wav"),
        (" ".join(ENGLISH), "af_heart", "mp3"),
    ):
        body = {"text": text, "voice": voice}
        preview = httpx.post(f"{kokoro.url}/v1/audio/preview", json=body, timeout=60).json()
        samples, rate = speak(kokoro.url, text, voice, fmt)
        assert preview["estimated_seconds"] == pytest.approx(len(samples) / rate, rel=0.25)
