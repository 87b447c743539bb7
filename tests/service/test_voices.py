"""Voices by name: how ids are made, what a request's ``voice`` means, which one is the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_tts_ui.errors import Conflict, Invalid, NotFound
from index_tts_ui.librarian import Librarian
from index_tts_ui.speech import VoiceInfo, VoiceRef
from index_tts_ui.voices import VoiceStore
from tests.recordings import MINE, recording

from .place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty library."""
    return Place(tmp_path / "voices")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Grandma  Anna", "grandma-anna"),
        ("Zoë & Jürgen!", "zoe-jurgen"),
        ("奶奶", None),
        ("奶奶 A", None),
        ("x" * 64, "x" * 40),
        ("  A\tname ", "a-name"),
    ],
)
def test_an_id_is_made_of_the_name_or_else_of_the_clip(place: Place, name: str, expected: str | None) -> None:
    info = place.add(name)
    assert info.id == (expected or f"v-{place.library.shelf.voices[0].clip[:8]}")
    assert info.name == " ".join(name.split())


def test_ids_are_unique_and_stay_when_the_name_changes(place: Place) -> None:
    first, second = place.add("Anna!"), place.add("Anna?")
    assert (first.id, second.id) == ("anna", "anna-2")
    renamed = place.librarian.update("anna", name="Berta", tags=["x"], gender="female", language="en")
    assert (renamed.id, renamed.name, renamed.tags, renamed.language) == ("anna", "Berta", ("x",), "en")
    assert place.store.resolve("Berta") == place.store.resolve("anna")
    assert place.librarian.update("Berta", gender="").language == "en"


def test_a_name_in_use_is_refused_also_in_capitals(place: Place) -> None:
    place.add("Anna")
    other = place.add("Berta", 1)
    for name in ("Anna", "ANNA", " anna "):
        with pytest.raises(Conflict):
            place.add(name, 2)
        with pytest.raises(Conflict):
            place.librarian.update(other.id, name=name)
    assert place.librarian.update(other.id, name="berta").name == "berta"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "\u200b\u202e"}, "name"),
        ({"name": "clip:x"}, "name"),
        ({"statement": "  "}, "statement"),
        ({"statement": "x" * 1001}, "statement"),
        ({"language": "klingon!"}, "language"),
        ({"gender": "robot"}, "gender"),
        ({"tags": ["x" * 33]}, "tags"),
        ({"tags": [str(number) for number in range(17)]}, "tags"),
    ],
)
def test_a_value_that_cannot_be_is_named_and_nothing_is_added(
    place: Place, fields: dict[str, object], param: str
) -> None:
    key = place.library.add_clip(recording()).key
    with pytest.raises(Invalid) as refused:
        place.librarian.add(key, **{"name": "Anna", "statement": MINE, **fields})  # type: ignore[arg-type]
    assert refused.value.param == param and not place.store.all()


def test_a_voice_is_named_by_id_name_or_clip_but_not_blended(place: Place) -> None:
    place.add("A+B: the duo")
    other = place.add("Berta", 1)
    duo, berta = place.library.shelf.voices
    assert place.store.resolve("A+B: the duo") == (VoiceRef("clip", duo.clip),)
    assert place.store.resolve("Berta") == place.store.resolve(f"clip:{berta.clip}")
    assert place.store.info(f"clip:{berta.clip}").kind == "clip"
    assert place.store.clip_key("Berta") == place.store.clip_key(berta.clip) == berta.clip
    with pytest.raises(Invalid, match="blend"):
        place.store.resolve(f"{duo.id}+{other.id}")
    with pytest.raises(NotFound):
        place.store.resolve("nobody")


def test_an_id_stands_before_another_voices_name(place: Place) -> None:
    place.add("Anna")
    place.add("Berta", 1)
    place.librarian.update("berta", name="Carla")
    assert place.store.info("berta").name == "Carla"
    with pytest.raises(Conflict):
        place.add("berta", 2)


def test_the_default_is_the_chosen_the_configured_or_the_first_that_is_no_sample(tmp_path: Path) -> None:
    place = Place(tmp_path, default="Berta")
    assert place.store.default == ""
    with pytest.raises(Invalid) as refused:
        place.store.resolve("")
    assert refused.value.code == "no_voice"
    place.add("Sample", 1, tags=["sample"])
    assert place.store.default == "sample"
    place.add("Anna")
    assert place.store.default == "anna" and [voice.id for voice in place.store.all()] == ["anna", "sample"]
    place.add("Berta", 2)
    assert place.store.default == "berta"
    place.librarian.set_default("Anna")
    assert Place(tmp_path, default="Berta").store.default == "anna"
    place.librarian.delete("anna")
    assert place.store.default == "berta"
    with pytest.raises(NotFound):
        place.librarian.set_default("anna")


def test_an_engine_that_does_not_clone_has_its_own_voices_only_and_any_of_them_as_default(
    place: Place,
) -> None:
    place.add("Anna")
    key = place.library.shelf.voices[0].clip
    builtin = [VoiceInfo(name, name, name, "zh-CN", "female") for name in ("tone-a", "tone-b")]
    store = VoiceStore(builtin, "", place.library, "tone", clones=False)
    assert [voice.id for voice in store.all()] == ["tone-a", "tone-b"] and store.default == "tone-a"
    Librarian(place.library, store).set_default("tone-b")
    assert store.default == "tone-b" and place.store.default == "anna"
    with pytest.raises(Invalid):
        store.resolve(f"clip:{key}")
    with pytest.raises(NotFound):
        store.resolve("anna")
    with pytest.raises(NotFound):
        store.clip_key(key)


def test_built_in_voices_cannot_be_changed_or_shadowed(tmp_path: Path) -> None:
    place = Place(tmp_path, (VoiceInfo("tone-a", "Tone A", "甲", "zh-CN", "female"),))
    for change in (place.librarian.delete, place.librarian.update, place.librarian.clip):
        with pytest.raises(Invalid) as refused:
            change("tone-a")
        assert refused.value.code == "builtin_voice"
    with pytest.raises(Conflict):
        place.add("tone-a")
    assert place.add("Tone A!").id == "tone-a-2"
