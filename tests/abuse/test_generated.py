"""Drawn texts and parameters through a real server: sound, or a refusal that says why; never a 5xx."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import soundfile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from index_tts_ui.parameters import PARAMETERS

from ..api.server import Server

QUICK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
THOROUGH = settings(QUICK, max_examples=1_500)

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)
# all of Unicode, lone surrogates too; digits, marks and letters more often than chance would have them
characters = st.one_of(
    st.characters(), st.sampled_from("0123456789.,!?。！？￥$%℃ \n\t\0aé你好😀<[]{}\u202e\ufeff")
)
texts = st.text(characters, max_size=200)
fields = st.fixed_dictionaries(
    {"input": st.one_of(texts, odd)},
    optional={
        "speed": st.one_of(st.floats(0.2, 4.1), odd),
        "language": st.one_of(st.sampled_from(["zh", "en", "EN-us", "auto", "xx"]), odd),
        "response_format": st.one_of(st.sampled_from(["wav", "flac", "mp3", "opus", "aac", "pcm"]), odd),
        "seed": st.one_of(st.integers(0, 2**32), odd),
        "emotion": st.one_of(
            st.sampled_from(["happy", "悲伤", "nothing"]),
            st.fixed_dictionaries({"vector": st.lists(st.floats(-0.1, 1.5), min_size=7, max_size=9)}),
            st.fixed_dictionaries({"text": texts}),
            odd,
        ),
        "instructions": st.one_of(texts, odd),
        "stream_format": st.one_of(st.sampled_from(["audio", "sse"]), odd),
        "voice": st.one_of(st.sampled_from(["nobody", "a+b", "clip:" + "0" * 64, "../x", "alloy:nan"]), odd),
        **{name: st.one_of(st.floats(item.low, item.high), odd) for name, item in PARAMETERS.items()},
    },
)


@pytest.fixture(scope="module")
def client(clone: Server) -> Iterator[httpx.Client]:
    """With a voice to speak in."""
    from ..api.cloning import added

    added(clone, "drawn", 7)
    with httpx.Client(base_url=clone.url, timeout=60) as made:
        yield made


def check(answer: httpx.Response, body: object) -> None:
    """Sound, or OpenAI's envelope."""
    assert answer.status_code in (200, 400, 404), (body, answer.text)
    if answer.status_code == 200:
        assert answer.content, body
        return
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}, body
    assert error["message"] and "\n" not in error["message"] and "Traceback" not in error["message"]


def speech(client: httpx.Client, body: dict[str, Any]) -> None:
    """One request; where all is well with it, its sound can be played."""
    sent = {"model": "tone-clone", "voice": "drawn", "response_format": "wav", **body}
    answer = client.post(
        "/v1/audio/speech", content=json.dumps(sent), headers={"Content-Type": "application/json"}
    )
    check(answer, sent)
    if answer.headers["content-type"] == "audio/wav":
        samples, rate = soundfile.read(io.BytesIO(answer.content))
        assert rate == 24_000 and len(samples), sent


@QUICK
@given(fields)
@example({"input": "\ud800"})
@example({"input": "a" * 4097})
@example({"input": "Hi.", "speed": float("nan")})
def test_any_speech_request_is_spoken_or_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    speech(client, body)


@pytest.mark.slow
@THOROUGH
@given(fields)
def test_any_of_many_speech_requests_is_spoken_or_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    speech(client, body)


@QUICK
@given(st.binary(max_size=300))
def test_any_bytes_are_no_request(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/v1/audio/speech", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@QUICK
@given(plain, plain, st.sampled_from(["/tts/generate", "/synthesize", "/api/tts"]))
def test_any_form_or_query_is_spoken_or_refused(
    client: httpx.Client, text: str, emotion: str, path: str
) -> None:
    if path == "/tts/generate":
        answer = client.post(path, data={"text": text, "emotion": emotion})
    elif path == "/synthesize":
        answer = client.get(path, params={"text": text, "emotion": emotion})
    else:
        answer = client.post(path, json={"text": text, "voice": emotion})
    check(answer, (path, text, emotion))


def test_none_of_it_stopped_the_engine(client: httpx.Client, clone: Server) -> None:
    assert clone.status()["restarts"] == 0
