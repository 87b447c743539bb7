"""The text half of IndexTTS: ids as the packages make them, marks, glossary, budgets; no weights, no torch."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.engines.indextts import japanese
from index_tts_ui.engines.indextts.frontend import IndexTTS2Frontend, IndexTTS25Frontend, IndexTTSFrontend
from index_tts_ui.engines.indextts.tokens import Tokens2, Tokens25
from index_tts_ui.engines.marks import bracketed, pinyin
from index_tts_ui.errors import BadConfig
from index_tts_ui.speech import Piece


@pytest.fixture(scope="module")
def v25(tiny25: Path) -> IndexTTS25Frontend:
    return IndexTTS25Frontend(tiny25)


@pytest.fixture(scope="module")
def v2(tiny2: Path) -> IndexTTS2Frontend:
    return IndexTTS2Frontend(tiny2)


@pytest.fixture(scope="module")
def encoding(tiny25: Path) -> Any:
    """The package's own tokenizer of version 2.5, loaded by its file: the package itself would load torch."""
    path = distribution("indextts25-inference").locate_file("indextts25/utils/tokenizer.py")
    spec = importlib.util.spec_from_file_location("package_tokenizer", str(path))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it does not close its file
        return module.get_encoding("multilingual_zh_ja_yue_char_del", model_dir=str(tiny25))


@pytest.fixture(scope="module")
def pieces2(tiny2: Path) -> Any:
    return sentencepiece.SentencePieceProcessor(model_file=str(tiny2 / "bpe.model"))


def ids(piece: Piece) -> list[int]:
    return [int(part) for part in piece.spoken.split(" ")]


def read25(frontend: IndexTTS25Frontend, encoding: Any, text: str, language: str = "", **more: Any) -> str:
    """What the model reads of ``text``, its control tokens too, as the package's tokenizer decodes it."""
    pieces = frontend.split(text, language, **more)
    assert all(len(ids(piece)) == piece.tokens for piece in pieces)
    return "".join(encoding.decode(ids(piece)) for piece in pieces)


def read2(frontend: IndexTTS2Frontend, pieces2: Any, text: str, **more: Any) -> str:
    return " ".join(str(pieces2.decode(ids(piece))) for piece in frontend.split(text, **more))


# ---- the words that the models read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("你好，今天是2026年！", "<|zh|> 你好,今天是二零二六年!"),
        ("他说：“好（的）”。", "<|zh|> 他说,'好'的''."),
        ("我有3个iPhone；GPT-5也用。", "<|zh|> 我有三个iphone,gpt 五也用."),
        ("克里斯托弗·诺兰", "<|zh|> 克里斯托弗-诺兰"),
        ("It's 3 p.m., Dr. Lee!", "<|en|> it is three p.m., doctor lee!"),
        ("It's been $5…", "<|en|> it has been five dollars…"),
        ("¿El 25%? ¡No!", "<|es|> ¿EL VEINTICINCO POR CIENTO?<|es|> ¡NO!"),
        ("مرحبا بالعالم؟", "<|ar|> مرحبا بالعالم؟"),
        ("银<行|hang2>", "<|zh|> 银<|SPECIAL_TOKEN_2|>HANG2<|SPECIAL_TOKEN_2|>"),
        ("去＜女｜nü3＞厕", "<|zh|> 去<|SPECIAL_TOKEN_2|>NV3<|SPECIAL_TOKEN_2|>厕"),
        ("a <minute|m ih1 . n ah0 t>.", "<|en|> a <|SPECIAL_TOKEN_1|>M IH1 . N AH0 T<|SPECIAL_TOKEN_1|>."),
        ("晕xuan4，绿lü4", "<|zh|> 晕xvan4,绿lv4"),
    ],
)
def test_version_25_reads(v25: IndexTTS25Frontend, encoding: Any, text: str, read: str) -> None:
    assert read25(v25, encoding, text) == read


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("你好，hello！", "▁你 ▁ 好 ▁, HE LLO !"),
        ("去xuan4。", "▁ 去 ▁X V AN 4 ."),
        ("打DI1去", "▁ 打 ▁D I 1 ▁ 去"),
        ("3ge4yi1，<银|YIN2><行|HANG2>", "▁三 ▁G E 4 Y I 1 , Y IN 2 ▁HA N G 2"),
        ("银<行|HANG2>", "▁ 银 ▁HA N G 2"),
        ("<minute|M IH1 . N AH0 T> by minute.", "▁M IN UT E ▁BY ▁M IN UT E ."),
        ("café ñ", "▁C A F E ▁N"),
    ],
)
def test_version_2_reads(v2: IndexTTS2Frontend, pieces2: Any, text: str, pieces: str) -> None:
    [piece] = v2.split(text)
    assert [pieces2.id_to_piece(one) for one in ids(piece)] == pieces2.encode_as_pieces(
        pieces2.decode(ids(piece))
    )
    assert " ".join(pieces2.id_to_piece(one) for one in ids(piece)) == pieces


def test_version_2_says_what_its_vocabulary_lacks(v2: IndexTTS2Frontend, pieces2: Any) -> None:
    assert all(
        pieces2.unk_id() not in ids(piece) for piece in v2.split("Привет, 臺灣 émigré ½ ★ こんにちは مرحبا.")
    )


def test_japanese_has_spaces_between_words(
    v25: IndexTTS25Frontend, encoding: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(japanese, "_tagger", lambda: None)
    assert read25(v25, encoding, "今日は<明日|あした>の25度。") == "<|ja|> 今日 は あした の 25 度 ."


def test_a_named_language_is_kept_whatever_the_text(v25: IndexTTS25Frontend) -> None:
    assert {piece.language for piece in v25.split("Hello there, my friend. 你好。", "es-MX")} == {"es"}
    assert [piece.language for piece in v25.split("2026", voice_language="ja-JP")] == ["ja"]
    assert [piece.language for piece in v25.split("你好呀。 I like to be in America.")] == ["zh", "en"]


def test_control_tokens_of_the_user_are_only_text(v25: IndexTTS25Frontend, encoding: Any) -> None:
    special = set(range(encoding.n_vocab - len(encoding.special_tokens_set), encoding.n_vocab))
    [piece] = v25.split("<|endoftext|><|en|><|SPECIAL_TOKEN_1|> fine \ue001\ue002", "en")
    assert special.intersection(ids(piece)) == {ids(piece)[0]}


# ---- marks


@pytest.mark.parametrize(
    "bad",
    ["<行|XING9>", "<行|QQ>", "<行|>", "<|XING2>", "<word|XING2>", "<minute|M IH7>", "<行|XING2", "a<b|c>d"],
)
def test_a_bad_mark_is_plain_text(bad: str) -> None:
    assert list(bracketed(bad)) == []


def test_a_bad_mark_is_said_and_shown(v25: IndexTTS25Frontend, encoding: Any) -> None:
    [piece] = v25.split("好<行|FOO9>的")
    assert piece.text == "好<行|FOO9>的"
    assert encoding.decode(ids(piece)) == "<|zh|> 好行 foo 九的"


@pytest.mark.parametrize("name", ["A4纸", "USB Gen2口", "小米Mi4", "beta1", "CO2", "voice2", "ma2b", "ge1.5"])
def test_names_with_digits_are_not_pinyin(name: str) -> None:
    assert list(pinyin(name)) == []


def test_pinyin_in_english_is_a_word_and_a_number(v25: IndexTTS25Frontend, encoding: Any) -> None:
    assert read25(v25, encoding, "Please use the ban2 for it.") == "<|en|> please use the ban two for it."


@pytest.mark.parametrize("engine", [IndexTTS25Frontend, IndexTTS2Frontend])
def test_the_pages_examples_are_marks_of_their_kind(engine: type[IndexTTSFrontend]) -> None:
    for kind in engine.marks():
        for sample in (kind.example, kind.before + kind.word + kind.after):
            found = [mark.kind for _, _, mark in (list(bracketed(sample)) or pinyin(sample))]
            assert found and set(found) == {kind.kind}, sample
        assert kind.label and kind.label_zh and kind.help and kind.help_zh


# ---- the glossary


GLOSSARY = """
M.2: {en: M dot two, zh: M 二}
TTS: T T S
C++: {zh: C 加加}
重庆: {zh: CHONG2 qing4}
"""


def test_glossary_terms_are_said_in_the_texts_language(tiny25: Path, encoding: Any, tmp_path: Path) -> None:
    (tmp_path / "glossary.yaml").write_text(GLOSSARY, "utf-8")
    frontend = IndexTTS25Frontend(tiny25, tmp_path)
    assert read25(frontend, encoding, "m.2和TTS，重庆") == "<|zh|> m 二和t t s,chong2 qing4"
    assert (
        read25(frontend, encoding, "The M.2 of https and C++")
        == "<|en|> the m dot two of https and c plus plus"
    )
    assert frontend.split("m.2和TTS")[0].text == "m.2和TTS"


def test_a_changed_glossary_is_read_again(tiny25: Path, encoding: Any, tmp_path: Path, caplog: Any) -> None:
    file = tmp_path / "glossary.yaml"
    frontend = IndexTTS25Frontend(tiny25, tmp_path)
    assert read25(frontend, encoding, "The TTS.") == "<|en|> the tts."
    file.write_text("TTS: speech", "utf-8")
    assert read25(frontend, encoding, "The TTS.") == "<|en|> the speech."
    file.write_text("{TTS: [", "utf-8")
    assert read25(frontend, encoding, "The TTS.") == "<|en|> the tts."
    file.write_text("TTS: [a]\nnote: fine", "utf-8")
    assert read25(frontend, encoding, "The TTS note.") == "<|en|> the tts fine."
    assert len(caplog.records) == 2 and all("\n" not in record.getMessage() for record in caplog.records)


def test_the_home_is_beside_cache_hub_and_wins(tiny25: Path, encoding: Any, tmp_path: Path) -> None:
    model = tmp_path / "cache_hub" / "indextts2.5"
    model.mkdir(parents=True)
    (model / Tokens25.FILE).write_bytes((tiny25 / Tokens25.FILE).read_bytes())
    (model / "glossary.yaml").write_text("one: uno\ntwo: dos", "utf-8")
    (tmp_path / "glossary.yaml").write_text("two: zwei", "utf-8")
    assert read25(IndexTTS25Frontend(model), encoding, "The one and two.") == "<|en|> the uno and zwei."


# ---- sizes


_WORDS = ["你好，", "今天天气很好。", "hello ", "world. ", "<行|XING2>", "<minute|M IH1 . N AH0 T>", "xuan4", "日", "12345 ",
          "El niño, ", "です。", "كتاب ", "\n", "…", "TTS", "🙂", "<a|b>", "𗀀", "A4", "!", "臺", "x" * 70, "é"]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.sampled_from(_WORDS) | st.text(max_size=4), max_size=60), budget=st.integers(20, 150)
)
def test_no_segment_is_over_its_budget_and_no_mark_is_cut(
    v25: IndexTTS25Frontend, v2: IndexTTS2Frontend, words: list[str], budget: int
) -> None:
    text = "".join(words)
    for frontend in (v25, v2):
        pieces = frontend.split(text, budget=budget)
        assert all(0 < piece.tokens <= budget and piece.tokens == len(ids(piece)) for piece in pieces)
        assert all(any(char.isalnum() for char in piece.text) for piece in pieces)
        shown = "\n".join(piece.text for piece in pieces)
        for _, _, mark in bracketed(re.sub("[\U00017000-\U000187f7]", "", text)):
            assert mark.source in shown
    assert v25.count(text) == sum(piece.tokens for piece in v25.split(text))


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(st.text("abc你好.,!' 1é\ue001\ue002", min_size=1, max_size=8), min_size=1, max_size=4))
def test_ids_of_joined_sentences_are_their_ids_joined(
    v25: IndexTTS25Frontend, v2: IndexTTS2Frontend, parts: list[str]
) -> None:
    parts = [part.strip() or "a" for part in parts]
    for tokens in (v25._tokens, v2._tokens):
        assert tokens.encode(" ".join(parts)) == [one for part in parts for one in tokens.encode(part)]


def test_the_first_segment_is_short_and_the_others_are_full(v25: IndexTTS25Frontend) -> None:
    pieces = v25.split(
        "今天的天气非常好，我们决定一起去公园里散步，然后再去吃饭，最后看一场电影再回家休息。" * 9
    )
    assert pieces[0].tokens <= 32
    assert all(piece.tokens > 60 for piece in pieces[1:-1]) and len(pieces) > 3


def test_a_budget_is_kept_within_what_the_model_takes(v25: IndexTTS25Frontend) -> None:
    text = "word " * 3000
    assert max(piece.tokens for piece in v25.split(text, budget=10**6)) <= v25.max_tokens == 600
    assert max(piece.tokens for piece in v25.split(text, budget=1)) <= 20
    assert max(piece.tokens for piece in v25.split(text)) <= 120


@pytest.mark.parametrize("silent", ["", " \n", "…！？", "🙂🙂", "𗀀"])
def test_nothing_to_say_is_no_segment(v25: IndexTTS25Frontend, v2: IndexTTS2Frontend, silent: str) -> None:
    assert v25.split(silent) == v2.split(silent) == []


def test_threads_get_what_one_thread_gets(v25: IndexTTS25Frontend) -> None:
    texts = [f"第{index}天，今日は<今日|キョウ>です。 It's {index} p.m." for index in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(v25.split, texts)) == [v25.split(text) for text in texts]


# ---- the model's files


@pytest.mark.parametrize(
    ("engine", "model"), [(IndexTTS25Frontend, "indextts2.5"), (IndexTTS2Frontend, "indextts2")]
)
def test_a_missing_or_damaged_vocabulary_names_file_and_command(
    engine: type[IndexTTSFrontend], model: str, tmp_path: Path
) -> None:
    file = tmp_path / (Tokens25.FILE if engine.VERSION == "2.5" else Tokens2.FILE)
    for content in (None, b"", b"no vocabulary", b"IQ== 0\n"):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(BadConfig) as caught:
            engine(tmp_path)
        message = str(caught.value)
        assert file.name in message and f"tts-launch models fetch {model}" in message and "\n" not in message


def test_a_frontend_loads_no_torch(tiny25: Path, tiny2: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from index_tts_ui.engines.indextts.frontend import IndexTTS2Frontend, IndexTTS25Frontend
assert IndexTTS25Frontend(Path({str(tiny25)!r})).split("你好2026。Hello 3. こんにちは。")
assert IndexTTS2Frontend(Path({str(tiny2)!r})).split("你好2026。Hello 3.")
print([name for name in ("torch", "transformers", "indextts", "indextts25", "librosa") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (found.stdout, found.returncode) == ("[]\n", 0), found.stderr


# ---- the packages themselves


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("你好，今天：天气“很好”、银<行|hang2>、（好）～", "zh"),
        ("Wait a <minute|M IH1 . N AH0 T>, please; it was (very) good...", "en"),
        ("Hola, ¿cómo estás? El señor García — bien.", "es"),
        ("مرحبا بالعالم؟ كيف حالك!", "ar"),
    ],
)
def test_ids_are_those_of_package_25(
    v25: IndexTTS25Frontend, package25: Any, text: str, language: str
) -> None:
    """Texts without figures, for which both normalisers have nothing to do."""
    prepared = package25._prepare_text(text, language, text_normalization=False)
    [piece] = (
        v25.split(text, language, budget=600)
        if len(v25.split(text, language)) == 1
        else [_whole(v25, text, language)]
    )
    assert ids(piece) == package25.tokenizer.encode(f"<|{language}|> {prepared}", allowed_special="all")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["你好，今天天气很好，DE5很好！", "HELLO, the world is good.", "我去银XING2，好。"]
)
def test_ids_are_those_of_package_2(v2: IndexTTS2Frontend, package2: Any, text: str) -> None:
    said = text.translate(str.maketrans("，！。", ",!."))
    tokenizer = package2.tokenizer
    package = type(tokenizer)(tokenizer.vocab_file, None)
    assert ids(_whole(v2, text, "")) == package.encode(said)


def _whole(frontend: IndexTTSFrontend, text: str, language: str) -> Piece:
    """``text`` as one segment: its sentences' ids joined behind one prefix."""
    pieces = frontend.split(text, language)
    skip = 1 if frontend.VERSION == "2.5" else 0
    spoken = [one for index, piece in enumerate(pieces) for one in ids(piece)[skip if index else 0 :]]
    return Piece(text, " ".join(map(str, spoken)), len(spoken), pieces[0].language)


@pytest.mark.parametrize("page", ["pronunciation.md", "pronunciation.zh-CN.md"])
def test_the_guides_glossary_works(page: str, tiny25: Path, encoding: Any, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    sample = re.search(r"```yaml\n(.*?)```", guide, re.S)
    assert sample and all(
        kind.example.replace("|", "\\|") in guide for kind in IndexTTS25Frontend.marks()[:1]
    )
    (tmp_path / "glossary.yaml").write_text(sample[1], "utf-8")
    frontend = IndexTTS25Frontend(tiny25, tmp_path)
    assert read25(frontend, encoding, "用M.2和nvme，重庆") == "<|zh|> 用m 二和n v m e,chong2 qing4"
