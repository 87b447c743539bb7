"""What is said in a voice's recording: kept with it, told to the engine, gone when the recording is trimmed."""

from __future__ import annotations

import httpx

from .cloning import added, received, refusal, say
from .server import Server

TOLD = "What I said."


def test_the_words_of_a_clip_reach_the_engine_until_it_is_trimmed(clone: Server) -> None:
    voice = added(clone, "Teller", 71, transcript=f"  {TOLD}\n")
    where = f"{clone.url}/v1/audio/voices/{voice['id']}"
    try:
        assert voice["transcript"] == TOLD and httpx.get(where, timeout=20).json()["transcript"] == TOLD
        (ref,) = received(clone, say(clone, voice="Teller"))["voices"]
        assert ref["text"] == TOLD and ref["kind"] == "clip"
        named = httpx.patch(where, json={"gender": "female"}, timeout=20).json()
        assert named["transcript"] == TOLD
        trimmed = httpx.patch(where, json={"start": 0, "end": 1.2}, timeout=20).json()
        assert trimmed["transcript"] == ""
        (ref,) = received(clone, say(clone, voice="Teller"))["voices"]
        assert "text" not in ref
        both = httpx.patch(where, json={"start": 0, "end": 1.1, "transcript": "What"}, timeout=20).json()
        assert both["transcript"] == "What"
        assert httpx.patch(where, json={"transcript": ""}, timeout=20).json()["transcript"] == ""
        refused = httpx.patch(where, json={"transcript": "x" * 1001}, timeout=20)
        assert refusal(refused)[::2] == (400, "transcript")
    finally:
        httpx.delete(where, timeout=20)


def test_an_archive_takes_the_words_along(clone: Server) -> None:
    voice = added(clone, "Walker", 72, transcript=TOLD)
    where = f"{clone.url}/v1/audio/voices/{voice['id']}"
    data = httpx.get(f"{clone.url}/v1/audio/voices/export", params={"voice": voice["id"]}, timeout=20).content
    httpx.delete(where, timeout=20)
    back = httpx.post(
        f"{clone.url}/v1/audio/voices/import", files={"file": ("v.zip", data)}, timeout=20
    ).json()
    (again,) = back["voices"]
    assert again["transcript"] == TOLD
    httpx.delete(f"{clone.url}/v1/audio/voices/{again['id']}", timeout=20)
