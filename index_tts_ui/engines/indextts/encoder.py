"""Reference clips through the models that listen: w2v-bert, CAMPPlus, the mel, the length regulator.

Only w2v-bert is costly, so only it is batched. The rest sees one clip at a time: its norms and means run over
time, where padding would count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from indextts25.s2mel.modules.audio import mel_spectrogram
from indextts25.utils.common import kaldi_fbank, resample
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .clips import FEATURE_RATE, MEL_RATE, Recording, filter_bank
from .types import Voice

Role = Literal["speaker", "emotion"]
LAYER = 17  # of w2v-bert: the hidden state that all of IndexTTS listens to


class GptAdapter(Protocol):
    """What the encoder asks of ``gpt``."""

    def emovec(self, features: Tensor) -> Tensor:
        """[1, T, 1024] to [D]."""

    def speaker_latent(self, source: Tensor) -> Tensor:
        """v2: features [1, T, 1024], v2.5: style [192]; to [K, D]."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One clip in one role, as waveform and as w2v-bert's input."""

    role: Role
    bands: np.ndarray  # float32 [T, 160]
    mask: np.ndarray  # int32 [T]
    low: Tensor  # float32 [1, n] at FEATURE_RATE
    high: Tensor | None  # float32 [1, n] at MEL_RATE; speakers only

    @property
    def frames(self) -> int:
        """T: w2v-bert's frames, 50 a second."""
        return len(self.mask)


class ClipEncoder:
    """``modules``: the loaded checkpoint (``weights.Modules``); ``gpt``: its adapter."""

    def __init__(self, modules: Any, gpt: GptAdapter) -> None:
        self._m = modules
        self._gpt = gpt
        self._mel = _mel_arguments(modules.cfg)

    def hear(self, recording: Recording, role: Role) -> Heard:
        """The waveforms of a clip, on the CPU.

        A speaker's 16 kHz sound comes from the 22 050 Hz one, an emotion's from the file itself: the
        packages do so, and the models can tell.
        """
        if role == "emotion":
            low, high = torch.from_numpy(recording.at(FEATURE_RATE)).unsqueeze(0), None
        else:
            high = torch.from_numpy(recording.at(MEL_RATE)).unsqueeze(0)
            low = resample(high, MEL_RATE, FEATURE_RATE)
        bands, mask = filter_bank(low[0].numpy(), self._m.extractor)
        return Heard(role, bands, mask, low, high)

    @torch.no_grad()
    def encode(self, clips: Sequence[Heard]) -> list[Voice | Tensor]:
        """A ``Voice`` for each speaker, a vector [D] for each emotion clip; one pass of w2v-bert for all."""
        features = self._features(clips)
        return [
            self._gpt.emovec(own).float() if clip.role == "emotion" else self._voice(clip, own)
            for clip, own in zip(clips, features, strict=True)
        ]

    def _features(self, clips: Sequence[Heard]) -> list[Tensor]:
        """Normalised hidden states of layer ``LAYER``, each [1, T, 1024].

        A padded row equals its single run: padding is masked in attention and zeroed before the
        convolutions, which are causal.
        """
        device = self._m.mean.device
        bands = pad_sequence([torch.from_numpy(clip.bands) for clip in clips], batch_first=True)
        mask = pad_sequence([torch.from_numpy(clip.mask) for clip in clips], batch_first=True)
        cut = len(self._m.w2v.encoder.layers) == LAYER  # then its last state is the one; no need to keep all
        out = self._m.w2v(
            input_features=bands.to(device), attention_mask=mask.to(device), output_hidden_states=not cut
        )
        hidden = out.last_hidden_state if cut else out.hidden_states[LAYER]
        hidden = (hidden - self._m.mean) / self._m.std
        return [hidden[row : row + 1, : clip.frames] for row, clip in enumerate(clips)]

    def _voice(self, clip: Heard, features: Tensor) -> Voice:
        assert clip.high is not None
        mel = mel_spectrogram(clip.high.to(features.device), **self._mel)
        bank = kaldi_fbank(clip.low.to(features.device), num_mel_bins=80, sample_frequency=FEATURE_RATE)
        style = self._m.campplus((bank - bank.mean(dim=0, keepdim=True)).unsqueeze(0))[0]
        return Voice(
            style=style,
            prompt=self._prompt(features, mel.size(2)),
            mel=mel[0],
            latent=self._gpt.speaker_latent(features if self._m.version == "2" else style).float(),
            emotion=self._gpt.emovec(features).float(),
        )

    def _prompt(self, features: Tensor, frames: int) -> Tensor:
        """The clip's semantics, stretched to its mel: [frames, C]."""
        lengths = torch.tensor([frames], device=features.device)
        if self._m.version != "2":
            return self._m.regulator(features, ylens=lengths)[0]
        _, quantised = self._m.codec.quantize(features)
        return self._m.regulator(quantised, ylens=lengths, n_quantizers=3, f0=None)[0][0]


def _mel_arguments(cfg: Any) -> dict[str, Any]:
    """Arguments of the package's ``mel_spectrogram``, from the checkpoint's config."""
    sizes = cfg.s2mel["preprocess_params"]["spect_params"]
    return {
        "n_fft": sizes["n_fft"],
        "win_size": sizes["win_length"],
        "hop_size": sizes["hop_length"],
        "num_mels": sizes["n_mels"],
        "sampling_rate": cfg.s2mel["preprocess_params"]["sr"],
        "fmin": sizes.get("fmin", 0),
        "fmax": None if sizes.get("fmax", "None") == "None" else 8000,  # as the packages read it
        "center": False,
    }
