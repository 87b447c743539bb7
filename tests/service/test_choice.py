"""What ``auto`` stands for, and what is said of a better engine."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from index_tts_ui import choice, devices, engines
from index_tts_ui.config import Config
from index_tts_ui.errors import MESSAGES, BadConfig


class Machine:
    """A machine with parts to switch on and off."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.gpu, self.packages = home, True, {"indextts25", "indextts"}
        real = importlib.util.find_spec

        def find(name: str, package: str | None = None) -> Any:
            if name in choice.PACKAGES.values():
                return SimpleNamespace() if name in self.packages else None
            return real(name, package)

        monkeypatch.setattr(devices, "gpu_answers", lambda: self.gpu)
        monkeypatch.setattr(devices, "gpu_usable", lambda: self.gpu)
        monkeypatch.setattr(importlib.util, "find_spec", find)

    def has(self, *models: str) -> None:
        """Weights are there."""
        for model in models:
            folder = self.home / "cache_hub" / model
            folder.mkdir(parents=True)
            for name in ("config.yaml", "gpt.pth"):
                (folder / name).touch()

    def config(self, **settings: Any) -> Config:
        """Settings of its home."""
        return Config(home=str(self.home), **settings)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """One with a GPU and all packages, but no weights."""
    return Machine(tmp_path, monkeypatch)


def test_the_best_engine_with_weights_is_chosen(machine: Machine) -> None:
    assert choice.choose(machine.config()) == "kokoro"
    assert choice.hint(machine.config(), "kokoro") == "indextts_no_weights"
    machine.has("indextts2")
    assert choice.choose(machine.config()) == "indextts2"
    assert choice.hint(machine.config(), "kokoro") == "indextts_waits"
    assert choice.hint(machine.config(), "indextts2") == "indextts_no_weights"
    machine.has("indextts2.5")
    assert choice.choose(machine.config()) == "indextts2.5"
    assert choice.hint(machine.config(), "indextts2.5") == ""


def test_without_a_gpu_or_its_packages_kokoro_speaks_and_the_reason_is_told(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.has("indextts2.5", "indextts2")
    machine.packages.clear()
    assert choice.choose(machine.config()) == "kokoro"
    assert choice.hint(machine.config(), "kokoro") == "indextts_no_packages"
    machine.gpu = False
    with caplog.at_level("INFO", "tts.choice"):
        assert choice.choose(machine.config()) == "kokoro"
    assert "kokoro (auto)" in caplog.text and "needs an NVIDIA GPU" in caplog.text
    assert choice.hint(machine.config(), "kokoro") == "indextts_no_gpu"


def test_a_processor_that_is_asked_for_is_not_given_indextts_by_itself(machine: Machine) -> None:
    machine.has("indextts2.5")
    assert choice.choose(machine.config(device="cpu")) == "kokoro"
    assert choice.choose(machine.config(device="cpu", engine="indextts2.5")) == "indextts2.5"


def test_every_reason_is_a_sentence_in_both_languages() -> None:
    codes = ("indextts_no_gpu", "indextts_no_packages", "indextts_no_weights", "indextts_waits")
    assert all("IndexTTS" in text and "\n" not in text for code in codes for text in MESSAGES[code])


def test_the_test_engine_is_never_chosen_by_itself(machine: Machine) -> None:
    machine.gpu = False
    assert choice.choose(machine.config()) == "kokoro" and "tone" not in engines.AUTO
    assert choice.hint(machine.config(), "tone") == "", "whoever asks for it knows why"
    with pytest.raises(BadConfig):
        choice.choose(machine.config(engine="espeak"))
