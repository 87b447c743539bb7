"""The voice library over HTTP: uploads as people and SDKs send them, names, restarts, refusals."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import soundfile

from ..hearing import decode_any
from ..recordings import MINE, RATE, recording
from .cloning import added, received, received_text, refusal, say, upload
from .server import Server, serving


def listed(server: Server) -> dict[str, dict[str, Any]]:
    """GET /v1/audio/voices by id."""
    return {
        voice["id"]: voice
        for voice in httpx.get(f"{server.url}/v1/audio/voices", timeout=20).json()["voices"]
    }


def test_a_voice_is_uploaded_listed_spoken_with_changed_heard_and_deleted(clone: Server) -> None:
    voice = added(clone, "Aunt May", 1, language="en-GB", gender="female", tags="home, warm")
    assert (
        voice["id"] == "aunt-may"
        and voice["object"] == "audio.voice"
        and voice["notices"][0]["code"] == "clip_short"
    )
    shown = listed(clone)["aunt-may"]
    assert shown.items() <= voice.items()
    assert (shown["kind"], shown["tags"], shown["seconds"]) == ("clip", ["home", "warm"], 2.0)
    url = f"{clone.url}/v1/audio/voices/aunt-may"
    clip = httpx.get(f"{url}/clip", timeout=20)
    assert clip.headers["content-type"] == "audio/wav"
    key = hashlib.sha256(clip.content).hexdigest()
    np.testing.assert_array_equal(decode_any(clip.content)[0], decode_any(recording(1))[0])
    for name in ("aunt-may", "Aunt May", f"clip:{key}", {"id": "aunt-may"}):
        assert received(clone, say(clone, voice=name))["voices"] == [
            {"kind": "clip", "key": key, "weight": 1.0}
        ]
    changed = httpx.patch(url, json={"name": "Aunt June", "tags": [], "language": None}, timeout=20).json()
    assert (changed["id"], changed["name"], changed["tags"]) == ("aunt-may", "Aunt June", [])
    assert changed["language"] == "en-GB"
    assert httpx.get(f"{clone.url}/v1/audio/voices/Aunt%20June", timeout=20).json() == changed
    assert httpx.delete(url, timeout=20).json() == {
        "id": "aunt-may",
        "deleted": True,
        "object": "audio.voice.deleted",
    }
    assert "aunt-may" not in listed(clone)
    for answer in (httpx.get(url), httpx.get(f"{url}/clip"), httpx.delete(url), say(clone, voice="aunt-may")):
        assert refusal(answer) == (404, "voice_not_found", "voice")


def test_the_openai_sdk_creates_speaks_with_and_deletes_a_voice(clone: Server) -> None:
    with openai.OpenAI(base_url=f"{clone.url}/v1", api_key="none", timeout=30) as api:
        made = api.audio.voices.create(
            name="SDK voice", audio_sample=("me.flac", recording(2, kind="FLAC"), "audio/flac"), consent=MINE
        )
        assert made.id == "sdk-voice" and made.object == "audio.voice" and made.created_at > 0
        fields = {"emotion": "happy", "top_k": 5}
        sound = api.audio.speech.create(
            model="tts-1",
            input="From the SDK.",
            voice={"id": made.id},
            response_format="wav",
            extra_body=fields,
        )
        assert len(decode_any(sound.content)[0]) > 0
        segment = received_text(clone, "From the SDK.")
        assert segment["emotion"]["vector"][0] > 0 and segment["params"]["top_k"] == 5
        with pytest.raises(openai.ConflictError):
            api.with_options(max_retries=0).audio.voices.create(
                name="sdk VOICE", audio_sample=recording(2), consent=MINE
            )
        assert api.audio.voices.delete(made.id).deleted
        with pytest.raises(openai.NotFoundError):
            api.audio.voices.delete(made.id)


def test_curl_uploads_a_clip_and_a_voice_from_it(clone: Server, tmp_path: Path) -> None:
    (tmp_path / "my voice.ogg").write_bytes(recording(3, kind="OGG"))

    def curl(*arguments: str) -> dict[str, Any]:
        command = ["curl", "--silent", "--show-error", "--max-time", "30", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    clip = curl("-F", "file=@my voice.ogg", f"{clone.url}/v1/audio/clips")
    assert clip["id"].startswith("clip:") and clip["seconds"] == pytest.approx(2.0, abs=0.05)
    fields = ["-F", f"clip={clip['id']}", "-F", "name=卷毛", "-F", f"statement={MINE}", "-F", "gender=male"]
    voice = curl(*fields, f"{clone.url}/v1/audio/voices")
    assert voice["id"] == f"v-{clip['id'][5:13]}" and voice["name"] == voice["name_zh"] == "卷毛"
    assert received(clone, say(clone, voice="卷毛"))["voices"][0]["key"] == clip["id"][5:]
    curl("-X", "DELETE", f"{clone.url}/v1/audio/voices/{voice['id']}")


def test_what_an_owner_should_know_of_a_clip_is_said_in_both_languages(clone: Server) -> None:
    sound = np.stack([decode_any(recording(4, 20.0))[0]] * 2, axis=1)
    for language, word in (("en", "15 seconds"), ("zh-CN", "15 秒")):
        answer = httpx.post(
            f"{clone.url}/v1/audio/clips",
            files={"file": ("long.wav", _file(sound))},
            headers={"accept-language": language},
            timeout=30,
        ).json()
        notices = {notice["code"]: notice["message"] for notice in answer["notices"]}
        assert answer["seconds"] == 15.0 and {"clip_cut", "clip_stereo"} <= set(notices)
        assert word in notices["clip_cut"]


def _file(samples: np.ndarray, kind: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=kind)
    return file.getvalue()


BAD = {
    "nothing": (b"", (400, "missing_value", "file")),
    "text": (b"I am no sound.", (400, "bad_audio", None)),
    "noise": (os.urandom(5000), (400, "bad_audio", None)),
    "cut": (recording()[:40], (400, "bad_audio", None)),
    "playlist": (b"#EXTM3U\nfile:///etc/passwd\n", (400, "bad_audio", None)),
    "silence": (_file(np.zeros(3 * RATE)), (400, "clip_silent", None)),
    "short": (recording(seconds=0.4), (400, "clip_too_short", None)),
    "minutes": (_file(np.zeros(301 * RATE), "FLAC"), (413, "audio_too_long", None)),
    "large": (b"RIFF" + b"\0" * 11_000_000, (413, "body_too_large", None)),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("path", ["/v1/audio/clips", "/v1/audio/voices"])
def test_a_bad_recording_is_refused_with_a_reason(clone: Server, what: str, path: str) -> None:
    data, expected = BAD[what]
    before = len(listed(clone))
    answer = httpx.post(
        clone.url + path,
        data={"name": f"Bad {what}", "statement": MINE},
        files={"file": ("me.wav", data, "audio/wav")},
        timeout=60,
    )
    assert refusal(answer) == expected and len(listed(clone)) == before
    assert "\n" not in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": None}, (400, "missing_value", "name")),
        ({"name": ""}, (400, "missing_value", "name")),
        ({"name": "a" * 65}, (400, "value_too_long", "name")),
        ({"name": "nul\0"}, (400, "not_a_string", "name")),
        ({"statement": None}, (400, "missing_value", "statement")),
        ({"statement": " "}, (400, "missing_value", "statement")),
        ({"gender": "other"}, (400, "not_one_of", "gender")),
        ({"language": "../.."}, (400, "bad_value", "language")),
        ({"tags": "x" * 33}, (400, "value_too_long", "tags")),
        ({"default": "perhaps"}, (400, "bad_value", "default")),
        ({"clip": "clip:" + "0" * 64}, (404, "clip_not_found", "clip")),
        ({"clip": "../../etc/passwd"}, (404, "clip_not_found", "clip")),
    ],
)
def test_a_bad_field_is_named(
    clone: Server, fields: dict[str, str | None], expected: tuple[Any, ...]
) -> None:
    data = {"name": "Nobody", "statement": MINE, **fields}
    answer = httpx.post(
        f"{clone.url}/v1/audio/voices",
        data={key: value for key, value in data.items() if value is not None},
        files={"file": ("me.wav", recording(), "audio/wav")},
        timeout=30,
    )
    assert refusal(answer) == expected
    assert "Nobody" not in {voice["name"] for voice in listed(clone).values()}


def test_an_upload_that_is_no_form_or_has_no_file_is_refused(clone: Server) -> None:
    for path in ("/v1/audio/clips", "/v1/audio/voices"):
        url = clone.url + path
        assert httpx.post(url, json={"name": "x"}, timeout=20).json()["error"]["code"] == "wrong_content_type"
        assert httpx.post(url, content=recording(), headers={"content-type": "audio/wav"}).status_code == 400
        assert refusal(httpx.post(url, data={"name": "x", "statement": MINE}, timeout=20))[:2] == (
            400,
            "missing_value",
        )
        text = httpx.post(url, data={"name": "x", "statement": MINE, "file": "a path"}, timeout=20)
        assert text.status_code == 400 and text.json()["error"]["param"] == "file"
        broken = {"content-type": "multipart/form-data; boundary=b"}
        assert httpx.post(url, content=b"--b\r\nnonsense", headers=broken, timeout=20).status_code == 400


def test_a_change_that_cannot_be_leaves_the_voice_as_it_was(clone: Server) -> None:
    first, second = added(clone, "Change One", 5), added(clone, "Change Two", 6)
    url = f"{clone.url}/v1/audio/voices/{second['id']}"
    for change, expected in (
        ({"name": "CHANGE ONE"}, (409, "voice_name_in_use", "name")),
        ({"name": " "}, (400, "missing_value", "name")),
        ({"gender": "x", "name": "Fine"}, (400, "not_one_of", "gender")),
        ({"default": False}, (400, "not_one_of", "default")),
        ({"tags": "a,b"}, (400, "bad_value", "tags")),
        ([], (400, "bad_request", None)),
    ):
        assert refusal(httpx.patch(url, json=change, timeout=20)) == expected
    assert listed(clone)[second["id"]]["name"] == "Change Two"
    for voice in (first, second):
        httpx.delete(f"{clone.url}/v1/audio/voices/{voice['id']}", timeout=20)


def test_an_article_speaks_in_the_voice_of_ref_audio(clone: Server) -> None:
    files = {"ref_audio": ("me.wav", recording(7), "audio/wav")}
    answer = httpx.post(f"{clone.url}/tts", data={"text": "By ref audio."}, files=files, timeout=30)
    assert answer.status_code == 200 and len(decode_any(answer.content)[0]) > 0
    (voice,) = received_text(clone, "By ref audio.")["voices"]
    assert voice["kind"] == "clip" and not any(item["seconds"] == 0 for item in listed(clone).values())
    bad = httpx.post(f"{clone.url}/tts", data={"text": "No."}, files={"ref_audio": ("a", b"no")}, timeout=20)
    assert refusal(bad) == (400, "bad_audio", "ref_audio")


@pytest.mark.slow
def test_the_library_survives_restarts_and_names_keep_their_meaning(tmp_path: Path) -> None:
    """One server's life after another, over the same home; also what a client that knows no voice gets."""
    options = f"record={tmp_path}/received.jsonl"
    flags = ("--engine", "tone-clone", "--no-page", "--engine-options", options)
    with serving(tmp_path, *flags) as server:
        assert refusal(say(server, voice="alloy")) == (400, "no_voice", "voice")
        assert httpx.post(f"{server.url}/v1/audio/preview", json={"text": "你好。"}).status_code == 200
        women = [added(server, f"Woman {n}", n, gender="female", language="en")["id"] for n in range(2)]
        added(server, "Chinese woman", 2, gender="female", language="zh-CN")
        added(server, "Man", 3, gender="male")
        added(server, "Boss", 4, default="true")
        keys = _keys(server)
        before = _meanings(server)
        assert before["alloy", "en"] in [keys[woman] for woman in women]
        assert before["alloy", "zh"] == keys["chinese-woman"]
        assert before["onyx", "en"] == before["onyx", "zh"] == keys["man"]
        assert before["", "en"] == keys["boss"]
        assert before["speaker 0", "zh"] == before["speaker 1", "zh"] == keys["chinese-woman"]
        assert before["speaker 2", "en"] == keys["man"]
        shown = listed(server)
        assert [voice for voice, item in shown.items() if item["default"]] == ["boss"]
    with serving(tmp_path, *flags) as server:
        assert listed(server) == shown and _meanings(server) == before
        added(server, "alloy", 5, gender="male")
        assert _meanings(server)["alloy", "en"] == _keys(server)["alloy"], "a voice of that name goes first"
        for voice in listed(server):
            httpx.delete(f"{server.url}/v1/audio/voices/{voice}", timeout=20)
        assert refusal(say(server, voice="alloy")) == (400, "no_voice", "voice")
        assert not listed(server) and not _keys(server)


def _keys(server: Server) -> dict[str, str]:
    saved = json.loads((server.home / "voices" / "library.json").read_text("utf-8"))
    return {voice["id"]: voice["clip"] for voice in saved["voices"]}


def _meanings(server: Server) -> dict[tuple[str, str], str]:
    """Which clip speaks for (stock name or speaker, language of the text)."""
    found = {}
    for number, (language, words) in enumerate((("en", "Hello"), ("zh", "你好"))):
        for voice in ("alloy", "onyx"):
            text = f"{words} {time.monotonic_ns()} {number}."
            found[voice, language] = received(server, say(server, voice=voice, input=text))["voices"][0][
                "key"
            ]
        for field in ({}, *({"speaker_id": speaker} for speaker in range(3))):
            text = f"{words} {time.monotonic_ns()} {number}."
            answer = httpx.post(f"{server.url}/api/tts", json={"text": text, **field}, timeout=20)
            assert answer.status_code == 200, answer.text
            name = f"speaker {field['speaker_id']}" if field else ""
            found[name, language] = received_text(server, text)["voices"][0]["key"]
    return found


def test_an_engine_that_cannot_clone_says_so_and_its_voices_cannot_be_changed(tone: Server) -> None:
    assert refusal(upload(tone, "Anna")) == (400, "unsupported", "file")
    url = f"{tone.url}/v1/audio/voices/tone-a"
    for answer in (httpx.delete(url), httpx.patch(url, json={"name": "x"}), httpx.get(f"{url}/clip")):
        assert refusal(answer) == (400, "builtin_voice", "voice")
    assert refusal(say(tone, voice="clip:" + "0" * 64)) == (400, "unsupported", "voice")


def test_a_part_of_a_recording_becomes_a_clip_and_a_voice_and_is_cut_again(clone: Server) -> None:
    def clip(**fields: Any) -> httpx.Response:
        files = {} if "clip" in fields else {"file": ("me.wav", recording(21, 20.0), "audio/wav")}
        return httpx.post(f"{clone.url}/v1/audio/clips", data=fields, files=files, timeout=30)

    whole, part = clip().json(), clip(start="4", end="9.5").json()
    assert (whole["seconds"], whole["start"], whole["total"]) == (15.0, 0.0, 20.0)
    assert (part["seconds"], part["start"], part["total"]) == (5.5, 4.0, 20.0)
    again = httpx.post(
        f"{clone.url}/v1/audio/clips", data={"clip": part["id"], "start": "1", "end": "4.5"}, timeout=30
    ).json()
    assert again["seconds"] == 3.5 and again["total"] == 5.5 and again["id"] != part["id"]
    data = {"name": "Cut", "statement": MINE, "clip": part["id"], "end": "4"}
    voice = httpx.post(f"{clone.url}/v1/audio/voices", data=data, files={}, timeout=30).json()
    assert voice["seconds"] == 4.0
    url = f"{clone.url}/v1/audio/voices/cut"
    before = received(clone, say(clone, voice="cut"))["voices"]
    assert httpx.patch(url, json={"start": 0.5}, timeout=30).json()["seconds"] == 3.5
    assert received(clone, say(clone, voice="cut"))["voices"] != before
    for fields, param in (
        ({"start": "-1"}, "start"),
        ({"start": "5", "end": "2"}, "end"),
        ({"end": "x"}, "end"),
    ):
        status, _, named = refusal(clip(**fields))
        assert (status, named) == (400, param), fields
    assert refusal(httpx.patch(url, json={"start": 3.2}, timeout=30))[1] == "clip_too_short"
    httpx.delete(url, timeout=20)


def test_a_deleted_voice_is_in_the_bin_until_it_is_restored(clone: Server) -> None:
    voice = added(clone, "Binned", 31, tags="x")
    url = f"{clone.url}/v1/audio/voices"
    httpx.delete(f"{url}/binned", timeout=20)
    (entry,) = [
        item for item in httpx.get(f"{url}/bin", timeout=20).json()["voices"] if item["id"] == "binned"
    ]
    assert entry["kept_until"] - entry["deleted_at"] == 7 * 86_400 and entry["tags"] == ["x"]
    other = added(clone, "Binned", 32)
    back = httpx.post(f"{url}/Binned/restore", timeout=20).json()
    assert (back["id"], back["name"], back["seconds"]) == ("binned-2", "Binned 2", voice["seconds"])
    assert received(clone, say(clone, voice="Binned 2"))
    assert refusal(httpx.post(f"{url}/binned/restore", timeout=20)) == (404, "voice_not_found", "voice")
    for made in (back, other):
        httpx.delete(f"{url}/{made['id']}", timeout=20)


def test_voices_are_taken_from_one_server_to_another(clone: Server, tone: Server) -> None:
    url = f"{clone.url}/v1/audio/voices"
    voice = added(clone, "Traveller", 41, language="en", tags="calm")
    archive = httpx.get(f"{url}/export", params={"voice": ["Traveller"]}, timeout=30)
    assert archive.headers["content-type"] == "application/zip"
    assert "voices.zip" in archive.headers["content-disposition"]

    def take(server: Server, data: bytes) -> httpx.Response:
        files = {"file": ("voices.zip", data, "application/zip")}
        return httpx.post(f"{server.url}/v1/audio/voices/import", files=files, timeout=30)

    assert take(clone, archive.content).json()["left_out"][0]["code"] == "voice_already_there"
    httpx.delete(f"{url}/traveller", timeout=20)
    answer = take(clone, archive.content)
    assert answer.status_code == 201
    (back,) = answer.json()["voices"]
    assert (back["id"], back["language"], back["tags"], back["seconds"]) == (
        *("traveller", "en", ["calm"]),
        voice["seconds"],
    )
    httpx.delete(f"{url}/traveller", timeout=20)
    assert take(tone, archive.content).json()["left_out"][0]["code"] == "unsupported"
    assert refusal(take(clone, b"no zip")) == (400, "bad_file", "file")
    assert refusal(httpx.post(f"{url}/import", files={"file": b""}, timeout=20))[:2] == (400, "missing_value")
    assert refusal(httpx.get(f"{url}/export", params={"voice": "nobody"}, timeout=20))[0] == 404


def test_a_blend_is_saved_and_spoken_by_name(tone: Server) -> None:
    url = f"{tone.url}/v1/audio/voices"
    data = {"name": "Mix", "blend": "Tone A:3+tone-b:1", "tags": "x"}
    made = httpx.post(url, data=data, timeout=20).json()
    assert (made["id"], made["kind"], made["blend"]) == ("mix", "blend", "tone-a:0.75+tone-b:0.25")
    assert made["editable"] and not made["owned"] and made["language"] == "zh-CN"
    assert listed(tone)["mix"]["tags"] == ["x"]
    for voice in ("Mix", "mix:0.5+tone-a:0.5"):
        assert say(tone, voice=voice).status_code == 200
    changed = httpx.patch(f"{url}/mix", json={"blend": "tone-a+tone-b", "default": True}, timeout=20).json()
    assert changed["blend"] == "tone-a:0.5+tone-b:0.5" and changed["default"]
    job = httpx.post(f"{tone.url}/v1/audio/jobs", json={"input": "A line.", "voice": "Mix"}, timeout=20)
    assert job.status_code in (200, 201, 202), job.text
    again = {"name": "Mix", "blend": "tone-a+tone-b"}
    assert refusal(httpx.post(url, data=again, timeout=20)) == (409, "voice_name_in_use", "name")
    for blend in ("tone-a", "tone-a+nobody", "tone-a:x+tone-b"):
        answer = httpx.post(url, data={"name": "No", "blend": blend}, timeout=20)
        assert refusal(answer)[2] == "blend", answer.text
    httpx.delete(f"{url}/mix", timeout=20)


def test_an_engine_that_does_not_blend_says_so(clone: Server) -> None:
    answer = httpx.post(f"{clone.url}/v1/audio/voices", data={"name": "No", "blend": "a+b"}, timeout=20)
    assert refusal(answer) == (400, "unsupported", "blend")
