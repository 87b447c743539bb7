"""A description of a mood, in words, as eight emotion weights: the small language model of IndexTTS-2.

It is loaded when the first description comes, and speaks one token a step, so that the rows beside it do not
wait for a sentence. Its answer is a JSON object of Chinese names and scores; it is the likeliest answer, always
the same for the same words.
"""

from __future__ import annotations

import json
import logging
import re
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

log = logging.getLogger(__name__)

Vector = tuple[float, ...]  # eight, in the order of ``speech.EMOTIONS``

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
NAMES = ("高兴", "愤怒", "悲伤", "恐惧", "反感", "低落", "惊讶", "自然")
CALM: Vector = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
INSTRUCTION = "文本情感分类"  # "classify the emotion of the text": what the model was trained to be told
HIGHEST = 1.2
MAX_TOKENS = 128  # an answer with all eight scores has about 60
MAX_CHARACTERS = 1000  # of a description
THINK_END = 151668  # the token </think> of Qwen3: what stands before it is no answer
PAIR = re.compile(r"([^\s\"'“”{}:：,，.]+)[\"'“”]?\s*[:：]\s*[\"'“”]?(\d+(?:\.\d+)?)")

# The model confuses sad and melancholic. Where one of these words is said, the two scores change places
# (indextts 2.1.1, emotion.py, whose list this is).
MELANCHOLY = (
    *("低落", "melancholy", "melancholic", "depression", "depressed", "gloomy", "melancolía"),
    *("melancólico", "melancólica", "deprimido", "deprimida", "bajón", "nostalgia"),
)


def missing(folder: Path) -> tuple[str, ...]:
    """Which of the model's files are not in ``folder``; () where descriptions can be understood."""
    return tuple(name for name in FILES if not (folder / name).is_file())


def parse(answer: str, words: str) -> Vector:
    """The model's ``answer`` about ``words`` as weights 0-1.2; calm where it names no emotion.

    JSON is read as JSON; what is cut off or not quite JSON is searched for its name-score pairs.
    """
    scores = _scores(answer)
    if any(word in words.lower() for word in MELANCHOLY):
        scores["悲伤"], scores["低落"] = scores.get("低落", 0.0), scores.get("悲伤", 0.0)
    vector = tuple(max(0.0, min(HIGHEST, scores.get(name, 0.0))) for name in NAMES)
    return vector if any(vector) else CALM


def _scores(answer: str) -> dict[str, float]:
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        found = dict(PAIR.findall(answer))
    return {name: score for name, value in found.items() if (score := _number(value)) is not None}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None  # false for NaN, too


@dataclass(slots=True)
class _Answer:
    """An answer under way."""

    words: str
    input: Tensor  # [1, n] token ids that the model has not seen
    cache: Any = None
    tokens: list[int] = field(default_factory=list)


class Describer:
    """Queue, model and cache of descriptions. Called from the engine thread only.

    Args:
        folder: the model's, such as ``qwen0.6bemo4-merge``.
        device: where it runs; in float16 on a GPU, as published, in float32 on a CPU.
        kept: descriptions whose vectors are remembered.
    """

    def __init__(self, folder: Path, device: torch.device, kept: int = 1000) -> None:
        self._folder = folder
        self._device = device
        self._most = kept
        self._kept: OrderedDict[str, Vector] = OrderedDict()
        self._waiting: deque[str] = deque()
        self._answer: _Answer | None = None
        self._tokenizer: Any = None
        self._model: Any = None
        self._broken = ""

    @property
    def broken(self) -> str:
        """Why the model cannot be loaded (then nothing is queued, until :meth:`close`); "" where it can."""
        return self._broken

    @property
    def loaded(self) -> bool:
        """Whether the model takes memory."""
        return self._model is not None

    def wanted(self, texts: Iterable[str]) -> bool:
        """Queue what is not known yet. True where all is known."""
        known = True
        for words in map(_trimmed, texts):
            if words in self._kept:
                self._kept.move_to_end(words)
                continue
            known = False
            if (
                not self._broken
                and words not in self._waiting
                and not (self._answer and self._answer.words == words)
            ):
                self._waiting.append(words)
        return known

    def busy(self) -> bool:
        """Whether :meth:`step` has anything to do."""
        return bool(self._waiting or self._answer)

    def get(self, text: str) -> Vector | None:
        """The weights of a description, where it has been understood."""
        words = _trimmed(text)
        if words in self._kept:
            self._kept.move_to_end(words)
        return self._kept.get(words)

    @torch.no_grad()
    def step(self) -> list[str]:
        """One token of one answer; the (trimmed) descriptions that are understood by it."""
        if self._answer is None:
            if not self._waiting or not self._ready():
                return []
            self._answer = self._begin(self._waiting.popleft())
        answer = self._answer
        if not self._advance(answer):
            return []
        self._answer = None
        self._remember(answer.words, parse(self._text(answer.tokens), answer.words))
        return [answer.words]

    def close(self) -> None:
        """Let go of the model; the next description loads it again. An answer under way begins anew."""
        self._broken = ""
        if self._answer is not None:
            self._waiting.appendleft(self._answer.words)
        self._answer = self._model = self._tokenizer = None

    def _ready(self) -> bool:
        """Load the model, where it is not loaded; a model that does not load costs only the descriptions."""
        if self._model is None:
            try:
                self._load()
            except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
                reason = "out of memory" if isinstance(error, torch.OutOfMemoryError) else _first_line(error)
                self._broken = f"the emotion model {self._folder.name} cannot be loaded: {reason}"
                log.error(self._broken)
                self._waiting.clear()
        return self._model is not None

    def _begin(self, words: str) -> _Answer:
        messages = [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": words}]
        prompt = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
        ids = self._tokenizer([prompt], return_tensors="pt").input_ids
        return _Answer(words, ids.to(self._device))

    def _load(self) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # it would draw on the worker's log
        dtype = torch.float32 if self._device.type == "cpu" else torch.float16
        log.info(
            "loading the emotion model of %s in %s", self._folder.name, str(dtype).removeprefix("torch.")
        )
        self._tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(self._folder, dtype=dtype, local_files_only=True)
        self._model = model.to(self._device).eval()

    def _advance(self, answer: _Answer) -> bool:
        """Whether the token that was added ended the answer."""
        out = self._model(input_ids=answer.input, past_key_values=answer.cache, use_cache=True)
        answer.input = out.logits[:, -1].argmax(-1, keepdim=True)
        answer.cache = out.past_key_values
        token = int(answer.input)
        answer.tokens.append(token)
        return token in self._ends() or len(answer.tokens) >= MAX_TOKENS

    def _ends(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id
        return set(ends) if isinstance(ends, list) else {ends}

    def _text(self, tokens: list[int]) -> str:
        start = len(tokens) - tokens[::-1].index(THINK_END) if THINK_END in tokens else 0
        return self._tokenizer.decode(tokens[start:], skip_special_tokens=True)

    def _remember(self, words: str, vector: Vector) -> None:
        self._kept[words] = vector
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _trimmed(text: str) -> str:
    return text.strip()[:MAX_CHARACTERS]
