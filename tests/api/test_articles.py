"""The routes that the articles use."""

from __future__ import annotations

import io
import wave

import httpx
import pytest

from ..hearing import decode_any
from .conftest import PREFIX
from .server import Server

TEXT = "Hello there. How are you?"
SECONDS = (len("Hello there.") + len("How are you?")) * 0.06  # without pauses


def seconds_of(data: bytes) -> float:
    """As the standard library reads a wav: it believes the sizes in the header."""
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24_000, 1, 2)
        return sound.getnframes() / sound.getframerate()


def check_wav(response: httpx.Response, seconds: float = SECONDS) -> None:
    """A whole wav with true sizes and a Content-Length."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "audio/wav"
    assert int(response.headers["content-length"]) == len(response.content)
    assert seconds <= seconds_of(response.content) <= seconds + 0.4


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code, param."""
    error = response.json()["error"]
    return response.status_code, error["code"], error["param"]


def test_api_tts_answers_with_a_whole_wav(tone: Server) -> None:
    check_wav(httpx.post(f"{tone.url}/api/tts", json={"text": TEXT}, timeout=20))
    check_wav(httpx.post(f"{tone.url}/api/tts", json={"text": TEXT, "voice": "tone-b"}, timeout=20))
    fast = httpx.post(f"{tone.url}/api/tts", json={"text": TEXT, "speed": 2.0}, timeout=20)
    check_wav(fast, SECONDS / 2)


def test_api_tts_answers_with_a_whole_mp3(tone: Server) -> None:
    response = httpx.post(f"{tone.url}/api/tts", json={"text": TEXT, "format": "mp3"}, timeout=20)
    assert response.headers["content-type"] == "audio/mpeg"
    assert int(response.headers["content-length"]) == len(response.content)
    samples, rate = decode_any(response.content)
    assert SECONDS <= len(samples) / rate <= SECONDS + 0.5


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"speaker_id": 4}, (400, "out_of_range", "speaker_id")),
        ({"speaker_id": -1}, (400, "out_of_range", "speaker_id")),
        ({"speaker_id": "0"}, (400, "not_an_integer", "speaker_id")),
        ({"speed": 0.4}, (400, "out_of_range", "speed")),
        ({"speed": 2.1}, (400, "out_of_range", "speed")),
        ({"format": "flac"}, (400, "not_one_of", "format")),
        ({"voice": "nobody"}, (404, "voice_not_found", "voice")),
        ({"text": "…"}, (400, "nothing_to_speak", "text")),
    ],
)
def test_api_tts_refuses_what_it_cannot_do(
    tone: Server, fields: dict[str, object], expected: tuple[int, str, str]
) -> None:
    assert refusal(httpx.post(f"{tone.url}/api/tts", json={"text": TEXT, **fields}, timeout=20)) == expected


@pytest.mark.parametrize("emotion", ["neutral", "calm", "平静", ""])
def test_tts_generate_speaks_plainly(tone: Server, emotion: str) -> None:
    check_wav(httpx.post(f"{tone.url}/tts/generate", data={"text": TEXT, "emotion": emotion}, timeout=20))


@pytest.mark.parametrize("emotion", ["happy", "angry", "喜悦", "低落"])
def test_an_emotion_the_engine_lacks_is_refused_by_name(tone: Server, emotion: str) -> None:
    response = httpx.post(f"{tone.url}/tts/generate", data={"text": TEXT, "emotion": emotion}, timeout=20)
    assert refusal(response) == (400, "unsupported", "emotion")
    assert "'tone'" in response.json()["error"]["message"]


def test_a_word_that_is_no_emotion_is_refused_with_the_list(tone: Server) -> None:
    response = httpx.post(f"{tone.url}/tts/generate", data={"text": TEXT, "emotion": "mad"}, timeout=20)
    assert refusal(response) == (400, "not_one_of", "emotion")
    assert "angry" in response.json()["error"]["message"]


def test_tts_streams_a_wav(tone: Server) -> None:
    response = httpx.post(f"{tone.url}/tts", data={"text": TEXT}, timeout=20)
    assert response.headers["transfer-encoding"] == "chunked"
    samples, rate = decode_any(response.content)
    assert (rate, SECONDS <= len(samples) / rate <= SECONDS + 0.4) == (24_000, True)


def test_tts_says_that_the_engine_cannot_clone(tone: Server) -> None:
    sound = httpx.post(f"{tone.url}/api/tts", json={"text": "A voice."}, timeout=20).content
    files = {"ref_audio": ("me.wav", sound, "audio/wav")}
    response = httpx.post(f"{tone.url}/tts", data={"text": TEXT}, files=files, timeout=20)
    assert refusal(response) == (400, "unsupported", "ref_audio")


@pytest.mark.parametrize("how", ["json", "query", "get"])
def test_synthesize_keeps_the_sound_and_tells_where(tone: Server, how: str) -> None:
    url, query = f"{tone.url}/synthesize", {"text": TEXT, "emotion": "neutral"}
    if how == "get":
        response = httpx.get(url, params=query, timeout=20)
    else:
        response = httpx.post(
            url, params=query if how == "query" else None, json=query if how == "json" else None, timeout=20
        )
    assert response.status_code == 200, response.text
    assert set(response.json()) == {"audio_url"}
    kept = httpx.get(tone.url + response.json()["audio_url"], timeout=20)
    assert kept.headers["content-type"] == "audio/wav"
    assert SECONDS <= seconds_of(kept.content) <= SECONDS + 0.4


def test_a_kept_sound_comes_in_every_format(tone: Server) -> None:
    url = (
        tone.url + httpx.get(f"{tone.url}/synthesize", params={"text": TEXT}, timeout=20).json()["audio_url"]
    )
    for fmt in ("mp3", "opus", "aac", "flac", "wav"):
        response = httpx.get(url, params={"format": fmt, "download": 1}, timeout=20)
        assert response.headers["content-disposition"].startswith('attachment; filename="speech-')
        samples, rate = decode_any(response.content)
        assert SECONDS <= len(samples) / rate <= SECONDS + 0.6
    assert refusal(httpx.get(url, params={"format": "exe"}))[:2] == (400, "not_one_of")


def test_an_output_nobody_made_is_not_found(tone: Server) -> None:
    for name in ("0" * 24, "server.out", "x", "%2e%2e"):
        response = httpx.get(f"{tone.url}/v1/audio/outputs/{name}")
        assert response.status_code == 404
        assert response.json()["error"]["code"] in ("output_not_found", "route_not_found")


def test_the_url_of_a_kept_sound_has_the_proxys_prefix(slow: Server) -> None:
    response = httpx.get(f"{slow.url}/synthesize", params={"text": "Hi."}, timeout=20)
    assert response.json()["audio_url"].startswith(f"{PREFIX}/v1/audio/outputs/")


def test_the_text_is_required(tone: Server) -> None:
    assert refusal(httpx.get(f"{tone.url}/synthesize")) == (400, "missing_value", "text")
    assert refusal(httpx.post(f"{tone.url}/synthesize")) == (400, "missing_value", "text")


def test_a_preview_tells_the_segments(tone: Server) -> None:
    body = {"text": "第一句。Hello there.", "voice": "alloy"}
    preview = httpx.post(f"{tone.url}/v1/audio/preview", json=body, timeout=20).json()
    assert [(segment["text"], segment["tokens"]) for segment in preview["segments"]] == [
        ("第一句。", 4),
        ("Hello there.", 12),
    ]
    assert (preview["characters"], preview["tokens"]) == (16, 16)
    assert preview["estimated_seconds"] > 0
    empty = httpx.post(f"{tone.url}/v1/audio/preview", json={"text": "😀"}, timeout=20)
    assert refusal(empty)[:2] == (400, "nothing_to_speak")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (" \n", {}),
        ("x" * 5000, {}),
        ("…", {}),
        ("Hello.", {"voice": "nobody"}),
        ("Hello. [voice: nobody] You.", {}),
        ("Hello. [pause 500s] You.", {}),
        ("Hello.", {"language": "fr"}),
        ("Hello.", {"glossary": [{"word": "a", "said": "b", "kind": "pinyin"}]}),
    ],
)
def test_a_preview_refuses_what_speech_would(tone: Server, text: str, more: dict[str, object]) -> None:
    spoken = httpx.post(
        f"{tone.url}/v1/audio/speech", json={"model": "tone", "input": text, "voice": "alloy", **more}
    )
    preview = httpx.post(f"{tone.url}/v1/audio/preview", json={"text": text, "voice": "alloy", **more})
    assert spoken.status_code >= 400 and refusal(preview) == refusal(spoken)
