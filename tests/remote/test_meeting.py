"""Who an upstream is found to be, however oddly it answers, and what is said of one that is something else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui.remote import watch
from index_tts_ui.remote.answers import Failed
from index_tts_ui.remote.meeting import meet

from .fake import Fake, Reply, as_json, omni, ours, told
from .place import asked, placed, until


@pytest.mark.parametrize("answer", [told(400), told(422), told(500)])
def test_who_does_not_like_to_be_asked_for_a_status_is_met_all_the_same(answer: Reply) -> None:
    fake = omni(Fake())
    fake.routes["/v1/status"] = answer
    assert asked(fake, meet).about.kind == "vllm-omni"


def test_who_has_voices_in_the_file_is_not_asked_for_them() -> None:
    fake = Fake()
    fake.routes["/v1/models"] = as_json({"data": []})
    fake.routes["/v1/audio/voices"] = told(500)
    about = asked(fake, meet, voices=("nova",), languages=("en",), features=("speed",)).about
    assert [voice.id for voice in about.voices] == ["nova"]
    assert about.languages == ("en",) and about.features == ("speed",)
    ours(fake)
    fake.routes["/v1/audio/voices"] = told(500)
    about = asked(fake, meet, voices=("anna",), languages=("zh",), features=("clone",)).about
    assert [voice.id for voice in about.voices] == ["anna"]
    assert about.languages == ("zh",) and about.features == ("clone",)


@pytest.mark.parametrize("status", [405, 501, 404])
def test_routes_that_it_has_not_are_no_failure(status: int) -> None:
    fake = Fake()
    fake.routes["/v1/status"] = fake.routes["/v1/audio/voices"] = told(status)
    fake.routes["/v1/models"] = as_json({"data": [{"id": "m"}]})
    assert "alloy" in [voice.id for voice in asked(fake, meet).about.voices]


def test_an_address_of_something_else_is_said() -> None:
    with pytest.raises(Failed, match="it is no index-tts-ui: correct its kind or url"):
        asked(omni(Fake()), meet, kind="index-tts-ui")


@pytest.mark.parametrize("state", ["draining", "down"])
def test_one_that_will_not_be_ready_by_itself_is_not_called_loading(tmp_path: Path, state: str) -> None:
    async def go() -> None:
        fake = ours(Fake(), ready=False, state=state)
        async with placed(tmp_path, fake, ready=False) as (_, pool):
            await until(lambda: f"it is {state}" in pool.reason, 5, "it is not said")

    asyncio.run(go())


def test_voices_that_come_later_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "REFRESH_SECONDS", 0.0)

    async def go() -> None:
        fake = ours(Fake())
        async with placed(tmp_path, fake) as (_, pool):
            link: Any = pool.hosts[0]._link
            heard: list[list[str]] = []
            catalogue = link._catalogue
            catalogue.on_change = lambda: heard.append([voice.id for voice in catalogue.voices()])
            ours(fake, ("tone-a", "new"))
            link._watch.doubt.set()
            await until(lambda: heard == [["tone-a", "new"]], 5, "it was not heard of")

    asyncio.run(go())


def test_odd_voices_of_a_stranger_are_left_out() -> None:
    fake = Fake()
    fake.routes["/v1/models"] = as_json({"data": []})
    odd = ["good", "good", "", "a\nb", "x" * 300, 7, {"id": "her", "gender": "robot", "language": 5}]
    fake.routes["/v1/audio/voices"] = as_json({"voices": odd})
    voices = asked(fake, meet).about.voices
    assert [(voice.id, voice.gender, voice.language) for voice in voices] == [
        ("good", "", ""),
        ("her", "", ""),
    ]
