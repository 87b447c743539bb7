"""What each kind of server is sent, recorded by a server that has only the documented fields."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

from index_tts_ui.remote.about import OMNI, OPENAI, OURS, About
from index_tts_ui.remote.client import Client
from index_tts_ui.remote.meeting import meet
from index_tts_ui.remote.upstreams import Upstream
from index_tts_ui.remote.voicing import Voicing
from index_tts_ui.speech import Emotion, Reading, Segment, VoiceRef

from .fake import Asked, Fake, Reply, as_json, omni, ours, sound, told, wav
from .place import segment, upstream

SHA = "ab" * 32
MOOD = "cd" * 32
CLIP = (VoiceRef("clip", SHA, text="What was said."),)
# docs/serving/speech_api.md of vLLM-Omni, and what its protocol and IndexTTS adapter take
OMNI_FIELDS: dict[str, type | tuple[type, ...]] = {
    "input": str,
    "model": str,
    "voice": str,
    "response_format": str,
    "speed": float,
    "task_type": str,
    "language": str,
    "instructions": str,
    "ref_audio": str,
    "ref_text": str,
    "seed": int,
    "extra_params": dict,
}
OMNI_LANGUAGES = ("Auto", "Chinese", "English", "Japanese", "Korean", "German", "French", "Russian")
OMNI_LANGUAGES += ("Portuguese", "Spanish", "Italian")
EXTRA: dict[str, type | tuple[type, ...]] = {
    "emo_audio": str,
    "emo_vector": list,
    "emo_alpha": (int, float),
    "emo_text": str,
    "use_emo_text": bool,
    "use_random": bool,
    "lang": str,
}


async def conforming(asked: Asked) -> Reply:
    """Refuses what vLLM-Omni's documentation does not have."""
    body = asked.json
    for given, known in ((body, OMNI_FIELDS), (body.get("extra_params", {}), EXTRA)):
        for name, value in given.items():
            if name not in known or not isinstance(value, known[name]):
                return told(422, f"{name} is {value!r:.40}")
    right = (
        body["input"].strip()
        and body["response_format"] == "wav"
        and body.get("task_type") in (None, "CustomVoice", "VoiceDesign", "Base")
        and body.get("language", "Auto") in OMNI_LANGUAGES
        and 0.25 <= body.get("speed", 1.0) <= 4.0
        and ("ref_audio" in body) == (body.get("task_type") == "Base")
        and ("voice" in body) != ("ref_audio" in body)
        and body.get("ref_audio", "data:audio/wav;base64,").startswith("data:audio/wav;base64,")
    )
    return sound() if right else told(400, "a combination that is not documented")


def sent(folder: Path, fake: Fake, one: Segment, **fields: Any) -> dict[str, Any]:
    """What ``fake`` got for a segment."""

    async def go() -> None:
        await fake.start()
        given = upstream(fake, "a", **fields)
        client = Client(given, 24_000)
        try:
            about = (await meet(client, given)).about
            voicing = Voicing(client, given, about, folder)
            await voicing.speak(one)
            await voicing.close()
        finally:
            await client.close()
            await fake.stop()

    (folder / f"{SHA}.wav").write_bytes(wav(0.5))
    (folder / f"{MOOD}.wav").write_bytes(wav(0.4))
    asyncio.run(go())
    return fake.spoken[-1]


def test_vllm_omni_gets_a_named_voice(tmp_path: Path) -> None:
    fake = omni(Fake(conforming), "Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice")
    body = sent(tmp_path, fake, segment(params={"speed": 1.5}, emotion=Emotion(text="softly")))
    assert body == {
        "model": "Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice",
        "input": "Hello.",
        "voice": "vivian",
        "response_format": "wav",
        "language": "English",
        "speed": 1.5,
        "seed": 0,
        "instructions": "softly",
    }


def test_vllm_omni_gets_a_clip_with_its_words(tmp_path: Path) -> None:
    body = sent(tmp_path, omni(Fake(conforming), "fishaudio/s2-pro"), segment(voices=CLIP, seed=7))
    assert body["task_type"] == "Base" and body["ref_text"] == "What was said." and body["seed"] == 7
    assert base64.b64decode(body["ref_audio"].partition(",")[2]) == wav(0.5)


def test_vllm_omni_with_indextts_gets_emotions_by_their_official_names(tmp_path: Path) -> None:
    vector = (0.5, 0, 0, 0, 0, 0, 0.25, 0)
    for emotion, wanted in (
        (Emotion(vector=vector, weight=0.6, random=True), {"emo_vector": list(vector), "use_random": True}),
        (Emotion(text="sad", weight=0.6), {"use_emo_text": True, "emo_text": "sad"}),
        (Emotion(clip=MOOD, weight=0.6), {}),
        (None, None),
    ):
        fake = omni(Fake(conforming))
        body = sent(tmp_path, fake, segment(voices=CLIP, emotion=emotion, language="zh", text="你好"))
        extra = body["extra_params"]
        assert extra.pop("lang") == "zh" and body["language"] == "Chinese"
        if emotion is not None and emotion.clip:
            assert base64.b64decode(extra.pop("emo_audio").partition(",")[2]) == wav(0.4)
        assert extra == ({} if wanted is None else {"emo_alpha": 0.6, **wanted})


def test_readings_are_said_where_the_server_has_no_glossary(tmp_path: Path) -> None:
    one = segment(text="The NVMe in <行|XING2>.", readings=(Reading("NVMe", "N V M E"),))
    assert sent(tmp_path, omni(Fake(conforming)), one)["input"] == "The N V M E in <行|XING2>."
    cloud = Fake()
    cloud.routes["/v1/models"] = as_json({"data": [{"id": "tts-9", "owned_by": "cloud"}]})
    body = sent(tmp_path, cloud, one, model="tts-9")
    assert body == {
        "model": "tts-9",
        "input": "The N V M E in 行.",
        "voice": "vivian",
        "response_format": "wav",
    }


def test_a_server_that_lists_no_voices_has_openais(tmp_path: Path) -> None:
    async def go() -> About:
        fake = Fake()
        fake.routes["/v1/models"] = as_json({"data": []})
        await fake.start()
        client = Client(upstream(fake, "a"), 24_000)
        try:
            return (await meet(client, upstream(fake, "a"))).about
        finally:
            await client.close()
            await fake.stop()

    about = asyncio.run(go())
    assert about.kind == OPENAI and "alloy" in [info.id for info in about.voices]


def test_this_service_gets_all_that_it_understands(tmp_path: Path) -> None:
    fake = ours(Fake())
    fake.routes["/v1/audio/clips"] = as_json({"id": "clip:" + "ef" * 32})
    one = segment(
        voices=CLIP,
        emotion=Emotion(clip=MOOD, weight=0.5),
        params={"speed": 0.5, "temperature": 0.7},
        readings=(Reading("Hello", "Halo", language="en"),),
        seed=3,
    )
    body = sent(tmp_path, fake, one, model="indextts2.5")
    assert body == {
        "model": "indextts2.5",
        "input": "Hello.",
        "voice": "clip:" + "ef" * 32,
        "emotion": {"clip": "clip:" + "ef" * 32, "weight": 0.5},
        "response_format": "wav",
        "language": "en",
        "speed": 0.5,
        "temperature": 0.7,
        "seed": 3,
        "glossary": [{"word": "Hello", "said": "Halo", "kind": "respelling", "language": "en"}],
        "dictionary": False,
        "raw": True,
    }
    blend = (VoiceRef("builtin", "x", 0.6), VoiceRef("builtin", "y", 0.4))
    assert sent(tmp_path, ours(Fake()), segment(voices=blend))["voice"] == "x:0.6+y:0.4"


def test_a_clip_is_brought_once_and_again_when_it_was_forgotten(tmp_path: Path) -> None:
    replies = [sound(), sound(), told(404, "gone", "clip_not_found"), sound()]

    async def speak(asked: Asked) -> Reply:
        return replies.pop(0)

    async def go() -> list[str]:
        (tmp_path / f"{SHA}.wav").write_bytes(wav(0.5))
        fake = ours(Fake(speak))
        fake.routes["/v1/audio/clips"] = as_json({"id": "clip:" + "ef" * 32})
        await fake.start()
        client = Client(upstream(fake, "a"), 24_000)
        voicing = Voicing(client, upstream(fake, "a"), About(OURS), tmp_path)
        try:
            await asyncio.gather(*(voicing.speak(segment(voices=CLIP)) for _ in range(2)))
            await voicing.speak(segment(voices=CLIP))
            await voicing.close()
        finally:
            await client.close()
            await fake.stop()
        return [one.path.rpartition("/")[2] for one in fake.asked]

    paths = asyncio.run(go())
    assert paths[0] == "clips" and sorted(paths[1:3]) == ["speech"] * 2
    assert paths[3:] == ["speech", "clips", "speech"]


def test_kinds_are_told_apart_and_can_be_said() -> None:
    assert About(OMNI).configured(Upstream("a", "http://h", voices=("v",))).voices[0].id == "v"
    told_features = Upstream("a", "http://h", features=("clone",), languages=("zh",))
    about = About(OPENAI, features=("speed",)).configured(told_features)
    assert about.features == ("clone",) and about.languages == ("zh",)
