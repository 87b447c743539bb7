"""Voices by name: how ids are made, what a request's ``voice`` means, which one is the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_tts_ui.errors import Conflict, Invalid, NotFound, TTSError
from index_tts_ui.librarian import Librarian
from index_tts_ui.speech import Owner, VoiceInfo, VoiceRef
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


A, B, C = (VoiceInfo(name, name.upper(), name, "zh-CN" if name == "b" else "en-US", "male") for name in "abc")


def test_a_blend_is_saved_named_spoken_and_mixed_again(tmp_path: Path) -> None:
    place = Place(tmp_path, (A, B, C))
    saved = place.librarian.add_blend(" a:3 + b:1", "Mix", tags=["x"])
    assert (saved.id, saved.kind, saved.blend) == ("mix", "blend", "a:0.75+b:0.25")
    assert (saved.language, saved.gender) == ("en-US", "male"), "as the loudest says it, and as all are"
    assert place.store.resolve("Mix") == place.store.resolve("a:0.75+b:0.25")
    assert place.store.resolve("mix:0.5+c:0.5") == (
        *(VoiceRef("builtin", "a", 0.375), VoiceRef("builtin", "b", 0.125)),
        VoiceRef("builtin", "c", 0.5),
    )
    assert place.store.info("Mix") == A and place.librarian.set_default("mix").id == place.store.default
    again = place.librarian.add_blend("mix+c", "Mix of mix")
    assert again.blend == "a:0.375+b:0.125+c:0.5"
    assert place.librarian.update("mix", blend="a+c").blend == "a:0.5+c:0.5"
    with pytest.raises(Invalid, match="at most 4"):
        place.store.resolve("Mix of mix+Mix")
    with pytest.raises(NotFound):
        place.librarian.clip("mix")


@pytest.mark.parametrize(
    ("blend", "code"),
    [
        ("a", "bad_value"),
        ("a+a", "bad_value"),
        ("a:0+b:0", "bad_value"),
        ("a+nobody", "voice_not_found"),
        ("a:x+b", "voice_not_found"),
    ],
)
def test_what_is_no_blend_is_not_saved(tmp_path: Path, blend: str, code: str) -> None:
    place = Place(tmp_path, (A, B))
    with pytest.raises(TTSError) as refused:
        place.librarian.add_blend(blend, "Mix")
    assert (refused.value.code, refused.value.param) == (code, "blend")
    assert place.store.all() == [A, B]


def test_a_blend_is_there_only_for_an_engine_that_has_its_voices(tmp_path: Path) -> None:
    Place(tmp_path, (A, B)).librarian.add_blend("a+b", "Mix")
    assert Place(tmp_path).store.all() == [] and Place(tmp_path, (A,)).store.all() == [A]
    plain = VoiceStore((A, B), "", Place(tmp_path).library, "tone", clones=False)
    assert plain.all() == [A, B]
    with pytest.raises(Invalid, match="blending"):
        plain.mix("a+b")


ANN, BEN, CHIEF = Owner("key:ann", roles=frozenset()), Owner("key:ben", roles=frozenset()), Owner("key:chief")


def add(place: Place, owner: Owner, name: str, seed: int, shared: bool = False) -> VoiceInfo:
    """A voice of somebody with a key."""
    key = place.library.add_clip(recording(seed)).key
    return place.librarian.add(key, name, statement=MINE, owner=owner.key, shared=shared)


def test_two_owners_use_one_name_and_each_means_their_own(place: Place) -> None:
    anns, bens = add(place, ANN, "Heart", 0), add(place, BEN, "Heart", 1)
    assert {anns.id, bens.id} == {"heart", "heart-2"}
    assert (place.store.find("Heart", ANN), place.store.find("Heart", BEN)) == (anns, bens)
    assert place.store.meant("Heart", BEN) == "heart-2" == place.store.meant("heart-2", BEN)
    for hidden in ("heart", " heart ", "x+heart:0.5"):
        with pytest.raises(NotFound):
            place.store.meant(hidden, BEN)
    assert place.store.meant("nobody", BEN) == "nobody" and place.store.meant("", BEN) == ""
    with pytest.raises(Conflict):
        add(place, BEN, "HEART", 3)
    chiefs = add(place, CHIEF, "Chief", 4)
    assert place.store.find("Chief", CHIEF) == chiefs and place.store.find("heart", CHIEF) == anns


def test_what_is_shared_has_a_name_of_its_own(place: Place) -> None:
    add(place, ANN, "Heart", 0)
    bens = add(place, BEN, "Heart", 1)
    everybodys = place.librarian.update(bens.id, shared=True)
    assert place.store.find("Heart", Owner("addr:1")) == everybodys
    assert place.store.find("Heart", ANN) != everybodys, "her own goes first"
    with pytest.raises(Conflict):
        place.librarian.update("heart", shared=True)
    with pytest.raises(Conflict):
        add(place, Owner("key:carl"), "Heart", 2)


@pytest.mark.parametrize("name", ["export", "Import!", "bin"])
def test_an_id_is_no_address_of_the_library(place: Place, name: str) -> None:
    assert place.add(name).id.endswith("-2")


def test_a_voice_is_trimmed_and_what_cannot_be_cut_stays(place: Place) -> None:
    place.add("Anna")
    before = place.library.shelf.voices[0]
    cut = place.librarian.update("anna", start=0.25, end=1.75, name="Anna B")
    assert (cut.id, cut.name, cut.seconds) == ("anna", "Anna B", 1.5)
    assert place.library.shelf.voices[0].clip != before.clip and place.library.clip_path(before.clip)
    for start, end in ((3.0, 4.0), (1.0, 0.5), (0.1, 0.3)):
        with pytest.raises(Invalid):
            place.librarian.update("anna", start=start, end=end)
    assert place.store.info("anna").seconds == 1.5
