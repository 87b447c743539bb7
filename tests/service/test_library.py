"""The voice library on disk: what is kept, for how long, and what damage, crowds and full disks do to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.errors import Conflict, EngineFailed, NotFound, TTSError
from index_tts_ui.library import KEEP_BINNED, KEEP_CLIP, KEEP_DELETED
from index_tts_ui.speech import VoiceInfo
from tests.recordings import MINE, recording

from .place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty library."""
    return Place(tmp_path / "voices")


def test_a_voice_is_kept_with_who_added_it_when_and_why_and_survives(place: Place, tmp_path: Path) -> None:
    before = time.time()
    info = place.add("Grandma", language="zh-CN", gender="female", tags=["home", " ", "home", "old"])
    assert info == VoiceInfo("grandma", "Grandma", "Grandma", "zh-CN", "female", "clip", ("home", "old"), 2.0)
    again = Place(tmp_path / "voices")
    assert again.store.all() == [info]
    (stored,) = again.library.shelf.voices
    assert (stored.statement, stored.owner) == (MINE, "me") and before <= stored.created <= time.time()


def test_a_clip_is_stored_by_its_content_whatever_file_it_came_in(place: Place) -> None:
    wav, flac = (place.library.add_clip(recording(kind=kind)) for kind in ("WAV", "FLAC"))
    assert wav.key == flac.key and [path.stem for path in place.library.clips.iterdir()] == [wav.key]
    assert place.library.clip_seconds(wav.key) == wav.seconds == 2.0
    assert place.library.add_clip(place.library.clip_path(wav.key).read_bytes()).key == wav.key


@pytest.mark.parametrize("key", ["../../etc/passwd", "clip:../x", "", "0" * 64, "g" * 64, "\0", "a/b"])
def test_a_key_never_becomes_a_path(place: Place, key: str) -> None:
    place.add("Anna")
    for ask in (place.library.clip_path, place.librarian.clip, place.store.clip_key):
        with pytest.raises(NotFound):
            ask(key)
    with pytest.raises(TTSError):
        place.store.resolve(f"clip:{key}")


def test_clips_of_no_voice_go_a_day_after_their_last_use(place: Place) -> None:
    used, loose, fresh = (place.library.add_clip(recording(seed)).key for seed in range(3))
    place.librarian.add(used, "Anna", statement=MINE)
    long_ago = time.time() - KEEP_CLIP - 1
    for key in (used, loose):
        os.utime(place.library.clip_path(key), (long_ago, long_ago))
    place.store.resolve(f"clip:{loose}")  # a request uses it
    assert place.library.clean() == 0
    os.utime(place.library.clip_path(loose), (long_ago, long_ago))
    assert place.library.clean() == 1
    assert {path.stem for path in place.library.clips.iterdir()} == {used, fresh}
    with pytest.raises(NotFound):
        place.store.resolve(f"clip:{loose}")


def test_a_deleted_voice_is_kept_for_a_week_and_its_clip_an_hour_more(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.add("Anna")
    place.add("Same as Anna")
    (clip,) = place.library.clips.iterdir()
    place.librarian.delete("anna")
    with pytest.raises(NotFound):
        place.librarian.delete("anna")
    week = time.time() + KEEP_BINNED
    os.utime(clip, (0, 0))  # nobody used it for years, but a voice in the bin has it
    place.librarian.delete("Same as Anna")
    assert place.library.clean() == 0 and clip.exists()
    assert [voice.name for voice in place.library.shelf.bin] == ["Same as Anna", "Anna"]
    monkeypatch.setattr("index_tts_ui.library.time.time", lambda: week + 1)
    assert place.library.clean() == 0 and not place.library.shelf.bin
    left = clip.stat().st_mtime + KEEP_CLIP - week
    assert KEEP_DELETED - 60 < left <= KEEP_DELETED + 1
    monkeypatch.setattr("index_tts_ui.library.time.time", lambda: week + KEEP_DELETED + 2)
    assert place.library.clean() == 1 and not clip.exists()


def test_a_restored_voice_is_what_it_was_but_for_what_is_taken(place: Place, tmp_path: Path) -> None:
    first = place.add("Anna", language="en", tags=["x"])
    place.librarian.set_default("anna")
    place.librarian.delete("anna")
    assert Place(tmp_path / "voices").library.shelf.bin[0].name == "Anna", "it survives a restart"
    assert place.librarian.restore(place.library.shelf.bin[0]) == first and not place.library.shelf.bin
    assert place.store.resolve("anna")
    place.librarian.delete("anna")
    other = place.add("Anna", 1)
    assert other.id == "anna", "name and id are free meanwhile"
    back = place.librarian.restore(place.library.shelf.bin[0])
    assert (back.name, back.id, back.tags) == ("Anna 2", "anna-2", ("x",))
    with pytest.raises(NotFound):
        place.librarian.restore(replace(place.library.shelf.voices[0], deleted=1.0))


def test_the_bin_is_emptied_where_space_is_short_and_never_grows_without_end(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index_tts_ui.library.BIN_MOST", 2)
    for name in ("Anna", "Berta", "Carla"):
        place.add(name)
        place.librarian.delete(name)
    assert [voice.name for voice in place.library.shelf.bin] == ["Carla", "Berta"]
    monkeypatch.setattr("index_tts_ui.library.SPACE", 1 << 60)
    place.library.clean()
    assert not place.library.shelf.bin


def test_a_server_that_knows_no_blends_and_no_bin_reads_the_list(tmp_path: Path) -> None:
    """What it knows is where it was: version 1, clips under "voices", with no field that it does not know."""
    builtin = (VoiceInfo("a", "A", "甲", "en-US", "male"), VoiceInfo("b", "B", "乙", "en-US", "male"))
    place = Place(tmp_path, builtin)
    place.add("Anna")
    place.librarian.add_blend("a:3+b", "Mix")
    place.add("Berta", 1)
    place.librarian.delete("berta")
    data = json.loads((tmp_path / "library.json").read_text("utf-8"))
    assert data["version"] == 1 and [voice["name"] for voice in data["voices"]] == ["Anna"]
    assert not {"blend", "deleted"} & data["voices"][0].keys()
    again = Place(tmp_path, builtin)
    assert again.library.shelf.voices == place.library.shelf.voices
    assert again.library.shelf.bin == place.library.shelf.bin


def test_a_clip_that_is_gone_costs_its_own_requests(place: Place) -> None:
    place.add("Anna")
    place.add("Berta", 1)
    place.library.clip_path(place.library.shelf.voices[0].clip).unlink()
    with pytest.raises(NotFound) as missing:
        place.store.resolve("anna")
    assert missing.value.code == "clip_not_found"
    assert place.store.resolve("berta") and len(place.store.all()) == 2


def test_a_damaged_list_is_put_aside_and_no_clip_is_lost(place: Place, tmp_path: Path) -> None:
    place.add("Anna")
    path = tmp_path / "voices" / "library.json"
    for broken in ("{", "[]", '{"version": 99}', '{"version": 1, "voices": [{}]}'):
        path.write_text(broken)
        again = Place(tmp_path / "voices")
        assert not again.store.all()
        assert [voice.id for voice in place.store.all()] == ["anna"], "who had read it goes on"
    (clip,) = place.library.clips.iterdir()
    os.utime(clip, (0, 0))
    again.add("Berta", 1)
    assert again.library.clean() == 0 and clip.exists()
    assert any(item.read_text() == broken for item in path.parent.glob("library.damaged-*.json"))
    assert [voice.id for voice in place.store.all()] == ["berta"], "and hears of what comes after"


def test_several_servers_add_to_one_library_and_none_loses_a_voice(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.service.place import Place\n"
        "place = Place(Path(sys.argv[1]))\n"
        "for number in range(6): place.add(f'Voice {number} of {sys.argv[2]}')"
    )
    here = Place(tmp_path)
    servers = [subprocess.Popen([sys.executable, "-c", code, tmp_path, str(who)]) for who in range(2)]
    assert [server.wait(60) for server in servers] == [0, 0]
    assert len({voice.id for voice in here.store.all()}) == len(here.store.all()) == 12
    assert not list(tmp_path.rglob("*.part"))


def test_a_change_that_fails_half_way_changes_nothing(place: Place) -> None:
    with pytest.raises(Conflict), place.library.change():
        place.add("Anna")
        place.add("Berta", 1)
        assert not place.library.shelf.voices, "nobody sees half of it"
        place.add("anna", 2)
    assert not place.store.all()
    with place.library.change():
        place.add("Anna")
        place.add("Berta", 1)
    assert [voice.id for voice in place.store.all()] == ["anna", "berta"]


def test_what_cannot_be_written_is_said_and_nothing_is_half_there(place: Place, tmp_path: Path) -> None:
    (tmp_path / "voices").write_text("a file, where a folder should be")
    with pytest.raises(EngineFailed) as refused:
        place.library.add_clip(recording())
    assert refused.value.code == "disk_full"


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["add", "delete", "default"])), max_size=12)
)
@settings(max_examples=15, deadline=None)
def test_whatever_is_done_the_list_on_disk_is_the_list(deeds: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        key = place.library.add_clip(recording(seconds=1.5)).key
        names: list[str] = []
        for name, deed in deeds:
            if deed == "add" and name not in names:
                place.librarian.add(key, f"Voice {name}", statement=MINE)
                names.append(name)
            elif deed == "delete" and name in names:
                place.librarian.delete(f"Voice {name}")
                names.remove(name)
            elif deed == "default" and name in names:
                place.librarian.set_default(f"Voice {name}")
        again = Place(Path(folder))
        assert [voice.name for voice in again.store.all()] == [f"Voice {name}" for name in names]
        assert again.store.default == place.store.default
        assert bool(again.store.default) == bool(names)


def test_the_list_is_readable_json(place: Place, tmp_path: Path) -> None:
    place.add("奶奶", language="zh-CN")
    data = json.loads((tmp_path / "voices" / "library.json").read_text("utf-8"))
    assert data["voices"][0]["name"] == "奶奶" and data["version"] == 1
    assert np.isclose(data["voices"][0]["seconds"], 2.0)
