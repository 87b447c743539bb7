"""The dictionary on disk: whose entries count, for whom, and what damage, crowds and files do to it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from index_tts_ui import dictionary, dictionary_files
from index_tts_ui.dictionary import Dictionary, Entry
from index_tts_ui.engines import REGISTRY
from index_tts_ui.engines.kokoro.frontend import KokoroFrontend
from index_tts_ui.engines.tone import ToneFrontend
from index_tts_ui.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from index_tts_ui.reading_door import ReadingDoor
from index_tts_ui.readings import layered
from index_tts_ui.speech import Owner, Reading

ANN, BEN = Owner("key:ann", roles=frozenset({"speak"})), Owner("key:ben", roles=frozenset({"speak"}))
CHIEF, STRANGER = Owner("key:chief"), Owner("addr:10.0.0.7")


@pytest.fixture
def book(tmp_path: Path) -> Dictionary:
    return opened(tmp_path)


def opened(folder: Path, engine: str = "kokoro") -> Dictionary:
    frontend = KokoroFrontend() if engine == "kokoro" else ToneFrontend()
    return Dictionary(folder / "dictionary.json", ReadingDoor(engine, REGISTRY[engine], frontend.unsayable))


def word(said: str, name: str = "NVMe", **more: object) -> Entry:
    return Entry("", name, said, **more)  # type: ignore[arg-type]


def said(book: Dictionary, owner: Owner, text: str = "An nvme drive.") -> list[str]:
    return [reading.said for reading in book.readings(owner, text)]


def test_own_entries_go_before_shared_ones_and_the_private_ones_of_others_do_not_count(
    book: Dictionary,
) -> None:
    assert said(book, ANN) == []
    book.add(BEN, word("ben's"))
    assert said(book, ANN) == [] and said(book, BEN) == ["ben's"]
    shared = book.add(CHIEF, word("everybody's", shared=True))
    assert said(book, ANN) == said(book, STRANGER) == ["everybody's"] and said(book, BEN) == ["ben's"]
    mine = book.add(ANN, word("mine", language="en"))
    assert said(book, ANN) == ["mine", "everybody's"]  # that one for other languages
    book.update(ANN, mine.id, language="")
    assert said(book, ANN) == ["mine"]
    book.update(ANN, mine.id, enabled=False)
    assert said(book, ANN) == ["everybody's"]
    book.delete(CHIEF, shared.id)
    assert said(book, ANN) == [] and said(book, ANN, "Something else") == []


def test_without_keys_an_entry_is_everybodys(book: Dictionary) -> None:
    entry = book.add(STRANGER, word("theirs"))
    assert entry.common and said(book, Owner("addr:other")) == ["theirs"] == said(book, ANN)
    book.update(Owner("addr:other"), entry.id, said="ours")
    assert said(book, STRANGER) == ["ours"]


def test_what_is_not_theirs_cannot_be_seen_or_changed(book: Dictionary) -> None:
    private, shared = book.add(ANN, word("a")), book.add(ANN, word("b", "GPU", shared=True))
    assert [entry.id for entry in book.entries(BEN)] == [shared.id]
    assert {entry.id for entry in book.entries(CHIEF)} == {private.id, shared.id}
    with pytest.raises(NotFound):
        book.update(BEN, private.id, said="x")
    with pytest.raises(Forbidden):
        book.delete(BEN, shared.id)
    assert book.delete(CHIEF, shared.id).id == shared.id


def test_a_word_and_language_has_one_entry_of_an_owner(book: Dictionary) -> None:
    book.add(ANN, word("a"))
    other = book.add(ANN, word("b", language="en"))
    with pytest.raises(Conflict):
        book.add(ANN, word("c", "nvme"))
    with pytest.raises(Conflict):
        book.update(ANN, other.id, language="")
    book.add(BEN, word("d"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"said": " "}, "missing_value"),
        ({"said": "…"}, "reading_wordless"),
        ({"said": "a\u0007b"}, "reading_wordless"),
        ({"said": "x" * 201}, "value_too_long"),
        ({"said": "chong"}, "reading_pinyin"),
        ({"said": "M IH7", "kind": "phonemes"}, "reading_phonemes"),
        ({"said": "a", "kind": "respelling", "language": "fr"}, "not_one_of"),
        ({"said": "a", "kind": "song"}, "not_one_of"),
        ({"said": "a1", "note": "x" * 201}, "value_too_long"),
    ],
)
def test_a_wrong_entry_is_refused(book: Dictionary, fields: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        book.add(ANN, word(**{"kind": "pinyin", **fields}))  # type: ignore[arg-type]
    assert refused.value.code == code and book.entries(ANN) == ()


def test_it_survives_and_what_is_damaged_is_put_aside(
    book: Dictionary, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = book.add(ANN, word("N V M E", note="storage"))
    again = opened(tmp_path)
    assert again.entries(ANN) == (entry,)
    path = tmp_path / "dictionary.json"
    for damage in ("{", "[]", '{"version": 9, "entries": []}', '{"version": 1, "entries": [{"id": 1}]}'):
        path.write_text(damage, "utf-8")
        assert again.entries(ANN) == (entry,), damage
    assert [one.read_text("utf-8") for one in tmp_path.glob("dictionary.damaged-*.json")][-1:] != []
    assert "is damaged" in caplog.text
    again.add(ANN, word("more", "GPU"))
    assert len(json.loads(path.read_text("utf-8"))["entries"]) == 2


def test_two_servers_lose_nothing_of_each_other(tmp_path: Path) -> None:
    books = [opened(tmp_path), opened(tmp_path)]

    def add(place: int) -> None:
        for number in range(10):
            books[place].add(ANN, word("x", f"word{place}{number}"))

    threads = [threading.Thread(target=add, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(books[0].entries(ANN)) == len(books[1].entries(ANN)) == 20


def test_there_is_an_end_to_what_one_owner_may_keep(
    book: Dictionary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dictionary, "OWN_MOST", 2)
    book.add(ANN, word("a", "one"))
    with pytest.raises(TooLarge):
        book.bring_in(ANN, [word("b", "two"), word("c", "three")])
    assert len(book.entries(ANN)) == 1
    book.add(ANN, word("b", "two"))
    with pytest.raises(TooLarge):
        book.add(ANN, word("c", "three"))
    book.add(BEN, word("c", "three"))


def test_an_entry_of_another_engine_waits_for_it(tmp_path: Path) -> None:
    opened(tmp_path).add(ANN, word("shan4 xian4", "单县", kind="pinyin"))
    tone = opened(tmp_path, "tone")
    assert len(tone.entries(ANN)) == 1 and tone.readings(ANN, "单县") == []
    done = tone.bring_in(ANN, [word("chong2", "重", kind="pinyin"), word("a", "b", kind="nonsense")])
    assert (done.added, [error.code for _, _, error in done.left_out]) == (1, ["not_one_of"])


def test_the_first_layer_that_knows_a_word_decides() -> None:
    request, own = [Reading("a", "1"), Reading("b", "2", language="en")], [Reading("A", "3", language="zh")]
    rest = [Reading("b", "4"), Reading("b", "5", language="en"), Reading("c", "6"), Reading("c", "7")]
    assert [reading.said for reading in layered(request, own, rest)] == ["1", "2", "4", "6"]


# ---- files


def test_what_is_exported_comes_back(book: Dictionary) -> None:
    kept = [
        *(word("N V M E", note='a "note", with; marks'), word("=1+1", "=cmd"), word("-x", "a\nb")),
        *(word("shan4 xian4", "单县", kind="pinyin", language="zh", enabled=False), word("'=a", "'quoted'")),
    ]
    for entry in kept:
        book.add(ANN, entry)
    entries = book.entries(ANN)
    for kind, write in (("csv", dictionary_files.to_csv), ("json", dictionary_files.to_json)):
        text = write(entries)
        assert (
            not any(cell.startswith(("=", "-")) for line in text.splitlines() for cell in line.split(","))
            or kind == "json"
        )
        done = book.bring_in(ANN, dictionary_files.from_file(kind, text.encode()))
        assert (done.unchanged, done.added, done.changed, done.left_out) == (5, 0, 0, ())
    assert len(entries) == 5


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("csv", "word,said,language\nM.2,M 二,zh\nTTS,T T S,\n"),
        ("csv", "词语；读音".replace("；", ";") + ";语言\nM.2;M 二;zh\nTTS;T T S;\n"),
        ("csv", "M.2\tM 二\trespelling\tzh\nTTS\tT T S\n"),
        ("json", '[{"word": "M.2", "said": "M 二", "language": "zh-CN"}, {"word": "TTS", "said": "T T S"}]'),
        ("json", '{"M.2": {"zh": "M 二"}, "TTS": "T T S"}'),
        ("yaml", "M.2: {zh: M 二}\nTTS: T T S  # always\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_files_are_read_however_they_were_written(kind: str, data: str, encoding: str) -> None:
    found = [
        (entry.word, entry.said, entry.language)
        for entry in dictionary_files.from_file(kind, data.encode(encoding))
    ]
    assert found == [("M.2", "M 二", "zh"), ("TTS", "T T S", "")]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        *(
            ("csv", b""),
            ("csv", b"word,said\n"),
            ("json", b"{"),
            ("json", b"[1]"),
            ("json", b"3"),
            ("json", b"[" * 5000),
        ),
        *(
            ("yaml", b"- a"),
            ("yaml", b"a: [b: {"),
            ("yaml", b"just text"),
            ("yaml", b""),
            ("csv", b"\xff\xfe\x00"),
            ("csv", b"PK\x03\x04\x14\x00\x00\x00word,said"),
        ),
    ],
)
def test_what_is_no_dictionary_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        dictionary_files.from_file(kind, data)
    assert refused.value.code == ("not_text" if b"\0" in data else "bad_file")


def test_a_file_has_an_end() -> None:
    with pytest.raises(TooLarge):
        dictionary_files.from_file("csv", b"a,b\n" * 5001)
    with pytest.raises(TooLarge):
        dictionary_files.from_file("yaml", b"#" * ((1 << 20) + 1))
