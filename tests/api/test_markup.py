"""Marks in a text over HTTP: who speaks what, how long the silence is, what is refused."""

from __future__ import annotations

import io
import json
import time
import uuid
import wave
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from .cloning import added, refusal
from .server import Server, serving, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cloning engine with Anna and Bert, and a backup that speaks what makes the first one fail."""
    home = tmp_path_factory.mktemp("markup")
    options = f"char_ms=20,record={home}/received.jsonl,backup.deaf=1,backup.char_ms=20"
    flags = ["--engine", "tone-clone", "--backup", "tone", "--rate", "off", "--engine-options", options]
    with serving(home, "--no-page", *flags) as running:
        added(running, "Anna", 1)
        added(running, "Bert", 2)
        yield running


def ask(server: Server, text: str, **fields: Any) -> httpx.Response:
    """POST /v1/audio/speech in Anna's voice."""
    body = {"model": "tts-1", "voice": "Anna", "input": text, "response_format": "wav", **fields}
    return httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=30)


def preview(server: Server, text: str, **fields: Any) -> dict[str, Any]:
    """POST /v1/audio/preview, which works."""
    answer = httpx.post(f"{server.url}/v1/audio/preview", json={"text": text, **fields}, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def received(server: Server, word: str) -> list[tuple[str, str]]:
    """(text, sha256 of its voice's clip) of the segments with ``word`` in them, as the engine received them."""
    lines = (server.home / "received.jsonl").read_text("utf-8").splitlines()
    found = [one for one in map(json.loads, lines) if word in one["text"]]
    return [(one["text"], one["voices"][0]["key"]) for one in found]


def clip(server: Server, voice: str) -> str:
    """The sha256 of a voice's clip."""
    shelf = json.loads((server.home / "voices" / "library.json").read_text("utf-8"))
    return next(str(one["clip"]) for one in shelf["voices"] if one["name"] == voice)


def silences(answer: httpx.Response, least: float = 0.05) -> list[tuple[float, float]]:
    """(begin, seconds) of each stretch of exact silence in a WAV, in seconds."""
    assert answer.status_code == 200, answer.text
    with wave.open(io.BytesIO(answer.content)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(1 << 30), "<i2")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (samples == 0).astype(np.int8), [0]])))
    pairs = [(begin / rate, (end - begin) / rate) for begin, end in edges.reshape(-1, 2)]
    return [pair for pair in pairs if pair[1] >= least]


def test_each_segment_has_the_voice_of_its_mark(server: Server) -> None:
    word = uuid.uuid4().hex[:8]
    answer = ask(server, f"He {word} says. [voice: Bert]I {word} know.[voice] And {word} goes.")
    assert answer.status_code == 200
    anna, bert = clip(server, "Anna"), clip(server, "Bert")
    assert anna != bert
    assert received(server, word) == [
        (f"He {word} says.", anna),
        (f"I {word} know.", bert),
        (f"And {word} goes.", anna),
    ]


def test_a_pause_is_there_in_the_samples_and_only_where_it_was_asked_for(server: Server) -> None:
    found = silences(ask(server, "[pause 250ms]aaa aaa.[pause 1.5s]bbb bbb. [停顿 0.5秒] ccc.[pause 9s]"))
    assert [round(seconds, 2) for _, seconds in found] == pytest.approx([0.25, 1.5, 0.5], abs=0.03)
    assert found[0][0] == 0.0


def test_a_mark_is_heeded_where_the_pause_between_segments_is_set_too(server: Server) -> None:
    found = silences(ask(server, "aaa. bbb.[pause 0.8s] ccc.", pause_ms=200))
    assert [round(seconds, 2) for _, seconds in found] == pytest.approx([0.2, 0.8], abs=0.03)


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("A [voice: Nobody] b.", "voice_not_found", "Nobody"),
        ("A [voice: Anna+Bert] b.", "unsupported", ""),
        ("A [pause 11s] b.", "pause_too_long", "[pause 11s]"),
        ("a[pause 1s]" * 201, "too_many_marks", "200"),
        ("[pause 1s] [voice: Bert] [pause 2s]", "nothing_to_speak", ""),
    ],
)
def test_a_mark_that_cannot_be_followed_is_a_400(server: Server, text: str, code: str, word: str) -> None:
    for answer in (
        ask(server, text),
        httpx.post(f"{server.url}/v1/audio/preview", json={"text": text, "voice": "Anna"}, timeout=30),
    ):
        assert refusal(answer) == (400, code, "input")
        assert word in answer.json()["error"]["message"]


def test_what_is_no_mark_is_spoken(server: Server) -> None:
    segments = preview(server, "[pause] [voice over] hello.")["segments"]
    assert [one["text"] for one in segments] == ["[pause] [voice over] hello."]


def test_a_preview_tells_voices_and_pauses(server: Server) -> None:
    found = preview(server, "[pause 1s]One. Two.[pause 2s] [voice: Bert] Three.", voice="Anna")
    told = [(one["text"], one["voice"], one["pause"], one["pause_before"]) for one in found["segments"]]
    assert told == [("One.", "", None, 1.0), ("Two.", "", 2.0, 0.0), ("Three.", "Bert", None, 0.0)]
    plain = preview(server, "One. Two. Three.", voice="Anna")
    assert found["estimated_seconds"] == pytest.approx(plain["estimated_seconds"] + 1 + 2 - 0.1, abs=0.11)
    fast = preview(server, "One. Two. Three.", voice="Anna", speed=2)
    assert fast["estimated_seconds"] < plain["estimated_seconds"]


def test_equal_words_in_other_voices_or_with_other_pauses_are_no_equal_requests(server: Server) -> None:
    word = uuid.uuid4().hex[:8]
    texts = [
        f"One {word}. Two {word}.",
        f"One {word}.[pause 0.4s] Two {word}.",
        f"[pause 0.4s]One {word}. Two {word}.",
        f"One {word}. [voice: Bert]Two {word}.",
    ]
    sounds = [ask(server, text, cache=True).content for text in texts]
    assert len(set(sounds)) == len(texts)
    for text, sound in zip(texts, sounds, strict=True):
        again = ask(server, text, cache=True)
        assert again.headers["x-tts-source"] == "cached" and again.content == sound


def test_a_cloned_voice_in_a_mark_is_kept_as_the_requests_own_would_be(server: Server) -> None:
    text = "Some words [[fail]]. {} And more."
    assert ask(server, text.format(""), voice="alloy").headers["x-tts-engine"] == "tone"
    marked = text.format("[pause 0.1s]"), text.format("[voice: Bert]")
    assert ask(server, marked[0], voice="alloy").headers["x-tts-engine"] == "tone"
    assert refusal(ask(server, marked[1], voice="alloy")) == (500, "engine_failed", None)
    assert ask(server, marked[1], voice="alloy", fallback="any").headers["x-tts-engine"] == "tone"


def test_stock_names_go_by_the_words_and_not_by_the_marks(server: Server) -> None:
    plain, marked = (
        preview(server, text, voice="alloy")["segments"] for text in ("Hello. 2026", "Hello.[停顿 1秒] 2026")
    )
    assert [one["language"] for one in marked] == [one["language"] for one in plain]


def test_a_jobs_lines_have_marks_too(server: Server) -> None:
    word = uuid.uuid4().hex[:8]
    lines = [f"One {word}.[pause 2s] [voice: Bert]Two {word}.", f"Three {word}."]
    body: dict[str, Any] = {"voice": "Anna", "lines": [{"text": line} for line in lines]}
    url = f"{server.url}/v1/audio/jobs"
    job = httpx.post(url, json=body, timeout=30).json()["id"]
    until(lambda: httpx.get(f"{url}/{job}", timeout=30).json()["state"] == "done", "the job is done")
    bert, anna = clip(server, "Bert"), clip(server, "Anna")
    assert sorted(received(server, word)) == sorted(
        [(f"One {word}.", anna), (f"Two {word}.", bert), (f"Three {word}.", anna)]
    )
    found = silences(httpx.get(f"{url}/{job}/audio", params={"format": "wav"}, timeout=30), 0.3)
    assert [round(seconds, 1) for _, seconds in found] == pytest.approx([2.0, 0.4], abs=0.05)

    body["lines"][1]["text"] = "[voice: Nobody] Four."
    assert refusal(httpx.post(url, json=body, timeout=30)) == (400, "voice_not_found", "lines.1.text")


def test_a_long_line_of_a_job_is_cut_between_its_marks(server: Server) -> None:
    word = uuid.uuid4().hex[:6]
    filler = "So it goes on and on. " * 200  # more than a request may have
    text = f"{filler}[voice: Bert]{filler}In {word}.[pause 1s] Then {word}."
    url = f"{server.url}/v1/audio/jobs"
    job = httpx.post(url, json={"voice": "Anna", "lines": [{"text": text}]}, timeout=30).json()["id"]
    began = time.monotonic()
    until(lambda: httpx.get(f"{url}/{job}", timeout=30).json()["state"] == "done", "the job is done", 60)
    assert time.monotonic() - began < 60
    assert {voice for _, voice in received(server, word)} == {clip(server, "Bert")}
