"""Reference clips and emotions are encoded as the packages encode them, whoever else is encoded with them."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import librosa
import numpy as np
import pytest
import torch
from torch import Tensor

from index_tts_ui.audio.reference import read_clip
from index_tts_ui.engines.indextts.clips import Recording, filter_bank, read
from index_tts_ui.engines.indextts.conditioning import Conditioner, Item
from index_tts_ui.engines.indextts.emotion import EmotionMixer, scaled
from index_tts_ui.engines.indextts.gpt import adapter
from tests.audio.sounds import speechlike
from tests.audio.test_reference import file_of

torch.set_num_threads(1)

CLOSE = 1e-5


def store(folder: Path, seconds: float, rate: int, seed: int) -> str:
    """A clip in the folder of clips; its key."""
    clip = read_clip(file_of(speechlike(rate, seconds, seed=seed), rate))
    (folder / f"{clip.key}.wav").write_bytes(clip.wav())
    return clip.key


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder of four clips of unlike lengths and rates, and their keys."""
    folder = tmp_path_factory.mktemp("clips")
    shapes = [(1.7, 24_000), (1.21, 48_000), (1.35, 16_000), (1.1, 22_050)]
    return folder, [store(folder, seconds, rate, seed) for seed, (seconds, rate) in enumerate(shapes)]


def modules_of(tts: Any, version: str) -> Any:
    """What ``weights.load`` gives, taken from the package's own instance."""
    return SimpleNamespace(
        version=version,
        cfg=tts.cfg,
        w2v=tts.semantic_model,
        extractor=tts.extract_features,
        mean=tts.semantic_mean,
        std=tts.semantic_std,
        codec=tts.semantic_codec,
        regulator=tts.s2mel.models["length_regulator"],
        campplus=tts.campplus_model,
    )


class Package:
    """The package's own conditioning of a clip, whichever version."""

    def __init__(self, tts: Any, version: str) -> None:
        self.tts, self.version = tts, version
        self.modules = modules_of(tts, version)
        self.gpt = adapter(version, tts.gpt)
        self.speaker, self.emotion = cache(self._speaker), cache(self._emotion)

    @torch.no_grad()
    def _speaker(self, path: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if self.version == "2":
            self.tts._init_cache()
            return self.tts._get_speaker_conditioning(path)
        return self.tts._speaker_conditioning(path, path)

    @torch.no_grad()
    def _emotion(self, path: str) -> Tensor:
        if self.version == "2":
            self.tts._init_cache()
            return self.tts._get_emotion_conditioning(path)
        return self.tts._emotion_conditioning(path, path)

    @torch.no_grad()
    def merged(self, speaker: str, emotion: str, alpha: float) -> Tensor:
        base, other = self.speaker(speaker)[0], self.emotion(emotion)
        lengths = torch.tensor([base.shape[-1]]), torch.tensor([other.shape[-1]])
        return self.tts.gpt.merge_emovec(base, other, *lengths, alpha=alpha)

    def conditioner(self, folder: Path, **options: Any) -> Conditioner:
        options = {"max_bytes": 1 << 30} | options
        return Conditioner(self.modules, self.gpt, folder, **options)


@pytest.fixture(scope="module", params=["2.5", pytest.param("2", marks=pytest.mark.slow)])
def package(request: pytest.FixtureRequest) -> Package:
    return Package(
        request.getfixturevalue("package2" if request.param == "2" else "package25"), request.param
    )


@pytest.fixture(scope="module")
def alone(package: Package, clips: tuple[Path, list[str]]) -> Conditioner:
    """Three of the clips in both roles, each encoded by itself."""
    conditioner = package.conditioner(clips[0])
    encode(conditioner, [(key, role) for role in ("speaker", "emotion") for key in clips[1][:3]])
    return conditioner


def encode(conditioner: Conditioner, items: list[Item]) -> None:
    """Step until all is there."""
    conditioner.wanted(items)
    for _ in range(len(items)):
        assert all(not done.code for done in conditioner.step())
    assert not conditioner.busy()


def furthest(ours: Tensor | None, theirs: Tensor | None) -> float:
    assert ours is not None and theirs is not None
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max())


def test_resampling_gives_librosas_bits(clips: tuple[Path, list[str]]) -> None:
    folder, keys = clips
    for key in keys:
        for rate in (16_000, 22_050):
            theirs, _ = librosa.load(folder / f"{key}.wav", sr=rate)
            assert np.array_equal(read(folder, key).at(rate), theirs)


@pytest.mark.parametrize("samples", [16_000, 16_160, 17_003, 240_000])
def test_the_filter_bank_gives_the_extractors_bits(samples: int, package25: Any) -> None:
    sound = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    theirs = package25.extract_features(sound, sampling_rate=16_000, return_tensors="np")
    bands, mask = filter_bank(sound, package25.extract_features)
    assert np.array_equal(bands, theirs["input_features"][0])
    assert np.array_equal(mask, theirs["attention_mask"][0])


def test_a_clip_is_heard_for_15_seconds() -> None:
    recording = Recording(np.zeros(20 * 24_000, np.float32), 24_000)
    assert len(recording.at(22_050)) == 15 * 22_050


def test_a_clip_alone_equals_the_packages_bit_for_bit(
    package: Package, alone: Conditioner, clips: tuple[Path, list[str]]
) -> None:
    folder, keys = clips
    for key in keys[:2]:
        voice, emotion = alone.voice(key), alone.emotion(key)
        assert voice is not None and emotion is not None
        path = str(folder / f"{key}.wav")
        features, style, prompt, mel = package.speaker(path)
        assert torch.equal(voice.style, style[0])
        assert torch.equal(voice.prompt, prompt[0])
        assert torch.equal(voice.mel, mel[0])
        source = features if package.version == "2" else style
        assert torch.equal(voice.latent, package.gpt.speaker_latent(source))
        assert torch.equal(voice.emotion, package.gpt.emovec(features))
        assert torch.equal(emotion, package.gpt.emovec(package.emotion(path)))


def test_clips_encoded_together_are_as_alone(
    package: Package, alone: Conditioner, clips: tuple[Path, list[str]]
) -> None:
    folder, keys = clips
    items: list[Item] = [
        (keys[0], "emotion"),
        (keys[1], "speaker"),
        (keys[2], "speaker"),
        (keys[1], "emotion"),
    ]
    together = package.conditioner(folder, max_rows=8)
    together.wanted(items)
    assert [done.item for done in together.step()] == items, "one step for all"
    for key, role in items:
        if role == "emotion":
            assert furthest(together.emotion(key), alone.emotion(key)) < CLOSE
            continue
        for name in ("style", "prompt", "mel", "latent", "emotion"):
            assert furthest(getattr(together.voice(key), name), getattr(alone.voice(key), name)) < CLOSE, name


def test_a_clip_gives_the_same_bits_whenever_it_is_encoded(
    package: Package, alone: Conditioner, clips: tuple[Path, list[str]]
) -> None:
    folder, keys = clips
    again = package.conditioner(folder)
    encode(again, [(keys[2], "speaker")])
    one, other = alone.voice(keys[2]), again.voice(keys[2])
    assert one is not None and other is not None
    assert torch.equal(one.emotion, other.emotion) and torch.equal(one.prompt, other.prompt)


def mixer_of(package: Package) -> EmotionMixer:
    return EmotionMixer(package.tts.emo_matrix, package.tts.spk_matrix)


def test_another_clips_emotion_is_merged_as_the_package_merges(
    package: Package, alone: Conditioner, clips: tuple[Path, list[str]]
) -> None:
    folder, keys = clips
    voice = alone.voice(keys[0])
    assert voice is not None
    paths = [str(folder / f"{key}.wav") for key in keys]
    for key, path, weight in [(keys[1], paths[1], 0.65), (keys[1], paths[1], 0.0), (keys[0], paths[0], 1.0)]:
        own = alone.emotion(key)
        assert own is not None
        ours = mixer_of(package).from_clip(voice, own, weight)
        assert torch.equal(ours, package.merged(paths[0], path, weight)[0])


def package_vector(
    package: Package, path: str, vector: list[float], weight: float, rows: list[int] | None
) -> Tensor:
    """What the packages' ``infer_generator`` computes between its lines, for a vector of weights."""
    if weight != 1.0:
        vector = [int(value * weight * 10000) / 10000 for value in vector]
    style = package.speaker(path)[1]
    picked = rows or [
        int(torch.nn.functional.cosine_similarity(style.float(), bank.float(), dim=1).argmax())
        for bank in package.tts.spk_matrix
    ]
    weights = torch.tensor(vector)
    bank = torch.cat(
        [bank[row].unsqueeze(0) for row, bank in zip(picked, package.tts.emo_matrix, strict=True)]
    )
    mixed = torch.sum(weights.unsqueeze(1) * bank, 0).unsqueeze(0)
    return (mixed + (1 - torch.sum(weights)) * package.merged(path, path, 1.0))[0]


@pytest.mark.parametrize("weight", [1.0, 0.65])
def test_eight_weights_are_mixed_as_the_package_mixes(
    package: Package, alone: Conditioner, clips: tuple[Path, list[str]], weight: float
) -> None:
    folder, keys = clips
    voice, own = alone.voice(keys[0]), alone.emotion(keys[0])
    assert voice is not None and own is not None
    vector = [0.3, 0.0, 0.11, 0.0, 0.25, 0.0, 0.7, 0.05]
    path = str(folder / f"{keys[0]}.wav")
    mixer = mixer_of(package)
    ours = mixer.from_vector(voice, own, vector, weight)
    assert torch.equal(ours, package_vector(package, path, vector, weight, None))
    drawn = random.Random(7)
    rows = [drawn.randrange(size) for size in package.tts.emo_num]
    by_seed = mixer.from_vector(voice, own, vector, weight, seed=7)
    assert torch.equal(by_seed, package_vector(package, path, vector, weight, rows))
    assert not torch.equal(by_seed, ours)


@pytest.mark.slow
def test_the_pages_damping_is_the_official_pages() -> None:
    from indextts.infer_v2 import IndexTTS2

    from index_tts_ui.emotions import bearable

    draw = random.Random(0)
    for top in (0.2, 1.0):
        vector = [draw.uniform(0, top) for _ in range(8)]
        wanted = IndexTTS2.normalize_emo_vec(None, list(vector), apply_bias=True)
        assert bearable(vector) == pytest.approx(wanted, abs=1e-4)


def test_strength_is_held_between_nothing_and_all() -> None:
    assert scaled((0.5, 1.0), 2.0) == (0.5, 1.0)
    assert scaled((0.5, 1.0), -1.0) == (0.0, 0.0)
    assert scaled((0.33333, 1.0), 0.5) == (0.1666, 0.5)
