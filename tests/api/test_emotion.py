"""Emotions and parameters from a request to the engine: what is asked arrives, what cannot be is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from index_tts_ui import emotions
from index_tts_ui.parameters import PARAMETERS
from index_tts_ui.speech import EMOTIONS

from ..recordings import recording
from .cloning import added, received, received_text, refusal, say
from .server import Server


@pytest.fixture(scope="module")
def voice(clone: Server) -> str:
    """An uploaded voice's id."""
    return str(added(clone, "Emotional", 20)["id"])


def asked(clone: Server, voice: str, **fields: Any) -> dict[str, Any]:
    """The segment that came of a request with these fields."""
    return received(clone, say(clone, voice=voice, **fields))


def plain(**given: Any) -> dict[str, Any]:
    """An emotion as the engine gets it."""
    return {"vector": None, "clip": None, "text": None, "weight": 1.0, "random": False, **given}


def test_without_any_nothing_but_the_speed_is_sent(clone: Server, voice: str) -> None:
    segment = asked(clone, voice)
    assert segment["emotion"] is None and segment["params"] == {"speed": 1.0} and segment["seed"] == 0


@pytest.mark.parametrize("mode", ["vector", None])
def test_a_vector_arrives_as_it_was_sent(clone: Server, voice: str, mode: str | None) -> None:
    vector = [0.1, 0, 0.25, 1.4, 0, 0, 0, 1]
    emotion = {"mode": mode, "vector": vector, "weight": 0.65, "random": True}
    assert asked(clone, voice, emotion=emotion)["emotion"] == plain(vector=vector, weight=0.65, random=True)


def test_a_clip_is_named_by_its_hash_or_by_a_voice(clone: Server, voice: str) -> None:
    clip = httpx.post(f"{clone.url}/v1/audio/clips", files={"file": recording(21)}, timeout=30).json()["id"]
    for name in (clip, clip[5:]):
        segment = asked(clone, voice, emotion={"mode": "clip", "clip": name, "weight": 0})
        assert segment["emotion"] == plain(clip=clip[5:], weight=0)
    own = asked(clone, voice, emotion={"clip": "Emotional"})
    assert own["emotion"] == plain(clip=own["voices"][0]["key"])


def test_a_description_arrives_in_its_own_words(clone: Server, voice: str) -> None:
    segment = asked(clone, voice, emotion={"text": " 又惊又喜，压低声音 ", "weight": 0.5})
    assert segment["emotion"] == plain(text="又惊又喜，压低声音", weight=0.5)


@pytest.mark.parametrize("name", ["happy", "Happy", "喜悦", "高兴", " cheerful "])
def test_a_name_is_a_preset_in_both_languages(clone: Server, voice: str, name: str) -> None:
    vector = list(emotions.bearable(emotions.PRESETS["happy"].vector))
    assert asked(clone, voice, emotion=name)["emotion"] == plain(vector=vector)
    emotion = {"name": name, "weight": 0.3, "random": True}
    assert asked(clone, voice, emotion=emotion)["emotion"] == plain(vector=vector, weight=0.3, random=True)


def test_neutral_is_the_plain_voice(clone: Server, voice: str, tone: Server) -> None:
    for name in ("neutral", "中性", ""):
        assert asked(clone, voice, emotion=name)["emotion"] is None
        assert say(tone, emotion=name).status_code == 200


@pytest.mark.parametrize(
    ("emotion", "expected"),
    [
        ({}, (400, "bad_value", "emotion")),
        ({"weight": 0.5}, (400, "bad_value", "emotion")),
        ({"vector": [0.1] * 8, "text": "sad"}, (400, "bad_value", "emotion")),
        ({"name": "sad", "text": "sad"}, (400, "bad_value", "emotion")),
        ({"mode": "clip", "vector": [0.1] * 8}, (400, "missing_value", "emotion.clip")),
        ({"mode": "mood", "text": "sad"}, (400, "not_one_of", "emotion.mode")),
        ({"vector": [0.1] * 7}, (400, "bad_value", "emotion.vector")),
        ({"vector": [0.1] * 7 + [1.5]}, (400, "bad_value", "emotion.vector")),
        ({"vector": [0.1] * 7 + [-0.1]}, (400, "bad_value", "emotion.vector")),
        ({"vector": [0.1] * 7 + ["1"]}, (400, "not_a_number", "emotion.vector.7")),
        ({"vector": [0.1] * 8, "weight": 1.1}, (400, "bad_value", "emotion.weight")),
        ({"vector": [0.1] * 8, "weight": True}, (400, "not_a_number", "emotion.weight")),
        ({"vector": [0.1] * 8, "alpha": 1}, (400, "bad_value", "emotion.alpha")),
        ({"text": "sad", "random": True}, (400, "bad_value", "emotion.random")),
        ({"text": "  "}, (400, "missing_value", "emotion.text")),
        ({"text": "x" * 501}, (400, "value_too_long", "emotion.text")),
        ({"text": "nul\0"}, (400, "not_a_string", "emotion.text")),
        ({"clip": "0" * 64}, (404, "clip_not_found", "emotion.clip")),
        ({"clip": "../x"}, (404, "clip_not_found", "emotion.clip")),
        ("mad", (400, "not_one_of", "emotion")),
        (["happy"], (400, "bad_value", "emotion")),
        (7, (400, "bad_value", "emotion")),
    ],
)
def test_an_emotion_that_cannot_be_is_named(
    clone: Server, voice: str, emotion: Any, expected: tuple[int, str, str | None]
) -> None:
    assert refusal(say(clone, voice=voice, emotion=emotion)) == expected


def test_every_parameter_arrives_at_both_ends_of_its_range(clone: Server, voice: str) -> None:
    for end in ("low", "high"):
        values = {name: getattr(item, end) for name, item in PARAMETERS.items()}
        segment = asked(clone, voice, input=f"The {end} end.", seed=4_294_967_295, speed=1.5, **values)
        # these two are the splitter's: see below
        sent = {key: value for key, value in values.items() if key not in ("segment_tokens", "pause_ms")}
        assert segment["params"] == {"speed": 1.5, **sent} and segment["seed"] == 4_294_967_295


def test_a_parameter_outside_its_range_is_named(clone: Server, voice: str, tone: Server) -> None:
    for number, (name, item) in enumerate(PARAMETERS.items()):
        outside = (item.low - 1, item.high + 1)[number % 2]
        assert refusal(say(clone, voice=voice, **{name: outside})) == (400, "bad_value", name)
        assert refusal(say(tone, **{name: item.default})) == (400, "unsupported", name)
    for wrong in ({"top_p": "1"}, {"top_p": True}, {"top_p": [1]}, {"top_k": 1.5}, {"seed": -1}):
        answer = refusal(say(clone, voice=voice, **wrong))
        assert (answer[0], answer[2]) == (400, next(iter(wrong)))
    assert say(tone, top_p=None).status_code == 200


def test_segments_have_the_length_and_pauses_that_were_asked_for(clone: Server, voice: str) -> None:
    text = "word " * 30
    preview = httpx.post(
        f"{clone.url}/v1/audio/preview", json={"text": text, "segment_tokens": 20}, timeout=20
    ).json()
    pieces = [segment["text"] for segment in preview["segments"]]
    assert len(pieces) == 8 and max(map(len, pieces)) <= 20

    def seconds(pause: int) -> float:
        answer = say(clone, voice=voice, input=text, segment_tokens=20, pause_ms=pause, response_format="pcm")
        return len(answer.content) / 48_000

    assert seconds(1000) - seconds(0) == pytest.approx(7.0, abs=0.5)


def test_instructions_are_a_description_where_the_engine_has_a_model_for_it(
    clone: Server, voice: str
) -> None:
    answer = say(clone, voice=voice, instructions="Speak like a proud parent.")
    assert "x-tts-ignored" not in answer.headers
    assert received(clone, answer)["emotion"] == plain(text="Speak like a proud parent.")
    both = say(clone, voice=voice, instructions="Sad.", emotion="happy")
    assert both.headers["x-tts-ignored"] == "instructions"
    assert received(clone, both)["emotion"]["vector"][EMOTIONS.index("happy")] > 0
    assert say(clone, voice=voice, instructions="x" * 600).headers["x-tts-ignored"] == "instructions"


@pytest.mark.parametrize(
    ("name", "key"), [("sad", "sad"), ("愤怒", "angry"), ("neutral", None), ("平静", "calm")]
)
def test_the_articles_emotions_are_presets(clone: Server, voice: str, name: str, key: str | None) -> None:
    for number, route in enumerate(("/synthesize", "/tts/generate")):
        fields = {"text": f"Said with {key} {number}.", "emotion": name}
        body = {"json": fields} if route == "/synthesize" else {"data": fields}
        assert httpx.post(clone.url + route, **body, timeout=20).status_code == 200  # type: ignore[arg-type]
        emotion = received_text(clone, fields["text"])["emotion"]
        assert emotion == (
            plain(vector=list(emotions.bearable(emotions.PRESETS[key].vector))) if key else None
        )


def test_an_engine_without_emotions_refuses_them(tone: Server) -> None:
    for emotion in ("happy", {"vector": [0.1] * 8}, {"text": "sad"}):
        assert refusal(say(tone, emotion=emotion)) == (400, "unsupported", "emotion")


def test_the_status_tells_what_the_engine_can_do(clone: Server, tone: Server) -> None:
    assert {"clone", "emotion", "emotion_text"} <= set(clone.status()["features"])
    assert "emotion" not in tone.status()["features"]


def test_the_documentation_shows_every_field(clone: Server) -> None:
    schema = httpx.get(f"{clone.url}/openapi.json", timeout=20).json()["components"]["schemas"]
    shown = schema["SpeechBody"]["properties"]
    assert {"emotion", "seed", *PARAMETERS} <= set(shown) and "params" not in shown
    assert shown["top_p"]["maximum"] == 1.0
    assert {"mode", "vector", "clip", "text", "weight", "random"} <= set(schema["EmotionBody"]["properties"])
