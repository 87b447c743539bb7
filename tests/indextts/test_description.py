"""Words about a mood become eight weights, the same each time, without stalling what runs beside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from index_tts_ui.engines.indextts import description
from index_tts_ui.engines.indextts.description import CALM, NAMES, Describer, missing, parse

torch.set_num_threads(1)

HAPPY = (0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4, 0.0)


@pytest.fixture(scope="module")
def folder(tiny2: Path) -> Path:
    return tiny2 / "qwen0.6bemo4-merge"


@pytest.fixture
def describer(folder: Path) -> Iterator[Describer]:
    describer = Describer(folder, torch.device("cpu"))
    yield describer
    describer.close()


def answered(describer: Describer, text: str) -> int:
    """Steps until ``text`` is understood."""
    describer.wanted([text])
    for step in range(1, description.MAX_TOKENS + 2):
        if describer.step():
            return step
    raise AssertionError("no answer")


@pytest.mark.parametrize(
    "answer",
    [
        '{"高兴": 0.9, "惊讶": 0.4}',
        '{"高兴": "0.9", "惊讶": 0.4, "别的": 1, "悲伤": null}',
        "```json\n{'高兴': 0.9, '惊讶': 0.4}\n```",
        '{"高兴": 0.9, "惊讶": 0.4, "自然": ',
        '{"高兴"：0.9，"惊讶"：0.4}',
        "高兴: 0.9, 惊讶: 0.4",
    ],
)
def test_answers_are_read_also_where_they_are_not_quite_json(answer: str) -> None:
    assert parse(answer, "delighted") == HAPPY


@pytest.mark.parametrize(
    "answer", ["", "...", "null", "[1, 2]", '{"高兴": -1}', '{"高兴": 0}', '{"joy": 1}', '{"高兴": NaN}']
)
def test_an_answer_without_emotion_is_calm(answer: str) -> None:
    assert parse(answer, "some words") == CALM


def test_scores_are_bounded() -> None:
    assert parse('{"愤怒": 7.5, "恐惧": 1e999}', "furious") == (0.0, 1.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@settings(max_examples=100, deadline=None)
@given(
    st.text() | st.dictionaries(st.sampled_from(NAMES), st.floats() | st.text() | st.none()).map(json.dumps)
)
def test_any_answer_gives_eight_weights(answer: str) -> None:
    vector = parse(answer, "words")
    assert len(vector) == 8
    assert all(0.0 <= value <= description.HIGHEST for value in vector)
    assert any(vector)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    scores=st.dictionaries(st.sampled_from(NAMES), st.floats(-1, 3).map(lambda value: round(value, 2))),
    words=st.sampled_from(["开心", "I feel Gloomy today", "情绪低落", "furious"]),
)
def test_answers_mean_what_they_mean_to_the_package(scores: dict[str, float], words: str) -> None:
    from indextts.emotion import QwenEmotion

    theirs = QwenEmotion.__new__(QwenEmotion)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "indextts.emotion.AutoTokenizer",
            SimpleNamespace(from_pretrained=lambda _: Fake(json.dumps(scores))),
        )
        patch.setattr(
            "indextts.emotion.AutoModelForCausalLM",
            SimpleNamespace(from_pretrained=lambda *_, **__: Fake("")),
        )
        theirs.__init__("nowhere")  # type: ignore[misc]
        expected = tuple(theirs.inference(words).values())
    assert parse(json.dumps(scores), words) == pytest.approx(expected)


class Fake:
    """As much of a tokenizer and a model as the package needs to answer ``answer``."""

    eos_token_id = 0
    device = "cpu"

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def __call__(self, *_: Any, **__: Any) -> Any:
        class Inputs(dict[str, Any]):
            input_ids = torch.zeros(1, 1, dtype=torch.long)

            def to(self, _: Any) -> Any:
                return self

        return Inputs()

    def apply_chat_template(self, *_: Any, **__: Any) -> str:
        return ""

    def generate(self, **_: Any) -> Any:
        return torch.zeros(1, 2, dtype=torch.long)

    def decode(self, *_: Any, **__: Any) -> str:
        return self.answer


def test_the_answer_is_the_models_likeliest(
    describer: Describer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    heard: list[list[int]] = []

    def hear(_: Describer, tokens: list[int]) -> str:
        heard.append(tokens)
        return ""

    monkeypatch.setattr(Describer, "_text", hear)
    monkeypatch.setattr(description, "MAX_TOKENS", 24)
    for words in ("很高兴地说", "whispering, afraid of being heard"):
        answered(describer, words)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        messages = [{"role": "system", "content": "文本情感分类"}, {"role": "user", "content": words}]
        prompt = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        ids = tokenizer([prompt], return_tensors="pt")
        expected = model.generate(**ids, max_new_tokens=24, do_sample=False)[0, ids.input_ids.shape[1] :]
        assert heard[-1] == expected.tolist()


def test_a_description_is_understood_step_by_step_and_once(describer: Describer) -> None:
    assert not describer.loaded and not describer.busy()
    steps = answered(describer, " sad ")
    assert 1 < steps <= description.MAX_TOKENS, "one token a step, and not for ever"
    assert describer.loaded
    assert describer.get("sad") is not None
    assert describer.wanted(["sad", "sad  "]) and not describer.busy()


def test_descriptions_wait_for_one_another(describer: Describer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "MAX_TOKENS", 3)
    assert not describer.wanted(["one", "two", "one"])
    done = [words for _ in range(6) for words in describer.step()]
    assert done == ["one", "two"] and not describer.busy() and describer.step() == []


def test_closing_frees_the_model_and_loses_no_description(
    describer: Describer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(description, "MAX_TOKENS", 3)
    undisturbed = answered(Describer(describer._folder, torch.device("cpu")), "one")
    describer.wanted(["one"])
    assert describer.step() == []
    describer.close()
    assert not describer.loaded and describer.busy()
    assert answered(describer, "one") == undisturbed


def test_only_so_many_are_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "MAX_TOKENS", 1)
    describer = Describer(folder, torch.device("cpu"), kept=2)
    for words in ("one", "two", "one", "three"):
        if not describer.wanted([words]):
            answered(describer, words)
    assert [describer.get(words) is not None for words in ("one", "two", "three")] == [True, False, True]


def test_a_folder_without_the_model_says_what_is_missing(folder: Path, tmp_path: Path) -> None:
    assert missing(folder) == ()
    assert "model.safetensors" in missing(tmp_path)


def test_a_model_that_does_not_load_costs_only_descriptions(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"cut off")
    describer = Describer(tmp_path, torch.device("cpu"))
    assert not describer.wanted(["sad"]) and not describer.broken
    assert describer.step() == []
    assert "cannot be loaded" in describer.broken and "\n" not in describer.broken
    assert not describer.wanted(["glad"]) and not describer.busy() and describer.get("sad") is None
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    describer.close()  # mended
    answered(describer, "sad")
    assert describer.get("sad") is not None and not describer.broken
