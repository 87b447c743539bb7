"""Voices taken along: what an archive holds, what comes of it elsewhere, and what a bad one cannot do."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui import voice_archive
from index_tts_ui.errors import Invalid, NotFound
from index_tts_ui.speech import Owner, VoiceInfo
from tests.recordings import MINE, recording

from .place import Place

BUILTIN = tuple(VoiceInfo(name, name.upper(), name, "en-US", "male") for name in "ab")
ANN, BEN = Owner("key:ann", roles=frozenset()), Owner("key:ben", roles=frozenset())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A library with a recording and a blend."""
    made = Place(tmp_path / "from", BUILTIN)
    made.add("Anna", language="en", gender="female", tags=["calm", "新闻"])
    made.librarian.add_blend("a:3+b", "混合", tags=["x"])
    return made


@pytest.fixture
def other(tmp_path: Path) -> Place:
    """Another server's library, empty."""
    return Place(tmp_path / "to", BUILTIN)


def packed(place: Place) -> bytes:
    """All its voices."""
    with voice_archive.pack(place.library, [info.id for info in place.store.all()]) as file:
        return file.read()


def archive(voices: Any, files: dict[str, bytes] | None = None, version: int = 1) -> bytes:
    """One made by somebody else."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("voices.json", json.dumps({"version": version, "voices": voices}))
        for name, data in (files or {}).items():
            made.writestr(name, data)
    return file.getvalue()


def taken(place: Place, data: bytes, owner: Owner = ANN) -> tuple[list[str], list[str]]:
    """The names that were added, and the codes of what was left out."""
    found = voice_archive.unpack(place.librarian, data, owner)
    return [info.name for info in found.added], [error.code for _, error in found.left_out]


def test_voices_are_the_same_elsewhere_and_their_importers_own(place: Place, other: Place) -> None:
    assert taken(other, packed(place)) == (["Anna", "混合"], [])
    here, there = place.library.shelf.voices, other.library.shelf.voices
    for old, new in zip(here, there, strict=True):
        same = ("id", "name", "clip", "seconds", "statement", "language", "gender", "tags", "blend")
        assert [getattr(old, name) for name in same] == [getattr(new, name) for name in same]
        assert new.owner == ANN.key and not new.shared
    assert taken(other, packed(place)) == ([], ["voice_already_there"] * 2)
    # of another's private voices nothing is told, not even that they are the same
    assert taken(other, packed(place), BEN) == (["Anna", "混合"], [])


def test_a_name_in_use_gets_a_number(place: Place, other: Place) -> None:
    other.librarian.add(other.library.add_clip(recording(5)).key, "Anna", statement=MINE, owner=ANN.key)
    assert taken(other, packed(place))[0] == ["Anna 2", "混合"]


def test_what_is_gone_is_not_packed(place: Place) -> None:
    place.library.clip_path(place.library.shelf.voices[0].clip).unlink()
    with zipfile.ZipFile(io.BytesIO(packed(place))) as made:
        assert made.namelist() == ["voices.json"], "the blend alone"
    with pytest.raises(NotFound):
        voice_archive.pack(place.library, ["anna"])


GOOD = {"name": "Good", "statement": MINE, "clip": "x.wav"}


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"clip": "../../etc/passwd"}, "bad_file"),
        ({"clip": "/etc/passwd"}, "bad_file"),
        ({"clip": "big"}, "bad_file"),
        ({"clip": "text"}, "bad_audio"),
        ({"clip": 7}, "clip_not_found"),
        ({"name": "n" * 65}, "value_too_long"),
        ({"name": ["list"]}, "missing_value"),
        ({"name": "clip:x"}, "bad_value"),
        ({"statement": ""}, "missing_value"),
        ({"language": "../.."}, "bad_value"),
        ({"tags": ["x" * 33]}, "value_too_long"),
        ({"name_zh": "x" * 65}, "value_too_long"),
        ({"clip": None, "blend": "a+nobody"}, "voice_not_found"),
    ],
)
def test_a_bad_voice_is_left_out_with_the_reason_and_the_good_ones_come(
    other: Place, entry: dict[str, Any], code: str
) -> None:
    files = {"x.wav": recording(1), "text": b"no sound", "big": bytes(voice_archive.CLIP_BYTES + 1)}
    data = archive(
        [{**GOOD, **entry}, GOOD, {**GOOD, "owner": "key:chief", "id": "a", "shared": True}], files
    )
    assert taken(other, data) == (["Good"], [code, "voice_already_there"])
    (stored,) = other.library.shelf.voices
    assert (stored.owner, stored.shared, stored.id) == (ANN.key, False, "good")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        recording(),
        archive([], version=2),
        archive({"a": 1}),
        archive([1, 2]),
        archive([GOOD] * (voice_archive.MOST + 1)),
        b"PK\x01\x02" * (voice_archive.FILES + 1),
    ],
    ids=["nothing", "header", "sound", "version", "object", "numbers", "many", "files"],
)
def test_what_is_no_archive_is_refused_and_changes_nothing(other: Place, data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        voice_archive.unpack(other.librarian, data, ANN)
    assert (refused.value.code, refused.value.param) == ("bad_file", "file")
    assert not other.library.shelf.voices


def test_a_bomb_is_not_unpacked(other: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small archive of much: each file, and all of them together, are read no further than their bound."""
    zeros = {f"{n}": bytes(voice_archive.CLIP_BYTES) for n in range(4)}
    data = archive([{**GOOD, "clip": f"{n % 4}"} for n in range(12)], zeros)
    assert len(data) < 100_000
    monkeypatch.setattr(voice_archive, "TOTAL_BYTES", 2 * voice_archive.CLIP_BYTES)
    added, left_out = taken(other, data)
    assert not added and left_out[0] == "bad_audio" and left_out[2:] == ["bad_file"] * 10


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_damage_gives_a_refusal_or_what_is_still_good(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = Place(tmp_path_factory.mktemp("damaged"), BUILTIN)
    file = bytearray(archive([GOOD, {"name": "Mix", "blend": "a+b"}], {"x.wav": recording(1)}))
    for _ in range(data.draw(st.integers(1, 12))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        voice_archive.unpack(place.librarian, bytes(file[: data.draw(st.integers(0, len(file)))]), ANN)
    except Invalid as error:
        assert error.code == "bad_file"
