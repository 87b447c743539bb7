"""A checkpoint of VoxCPM through the package ``voxcpm``: loaded, and asked for one patch after another.

Of the package only its modules are used: its drivers read clips from paths, draw from one random stream and give
sound when all is done. What is here gives the same sound, patch by patch (a test compares).
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch

from ...errors import BadConfig
from ..indextts.clips import Recording
from .prompt import Layout, Row, Voice, lay_out

FILES = ("config.json", "model.safetensors", "audiovae.pth", "tokenizer.json")
ARCHITECTURES = {"voxcpm1.5": "voxcpm", "voxcpm2": "voxcpm2"}
CONTEXT = {"voxcpm1.5": 2, "voxcpm2": 3}  # patches of the clip that the sound's decoder hears before its own
RUNAWAY = 6  # patches for a token, beyond which nobody speaks any more
SPARE = 10  # patches
LEAST = 2  # patches before an end is believed


@dataclass(frozen=True)
class Take:
    """How to speak."""

    steps: int
    guidance: float
    seed: int
    max_seconds: float


class TooLong(Exception):
    """Text and clip leave no room to speak."""


class Model:
    """One segment at a time: the caches of the module hold one row."""

    def __init__(self, module: Any, name: str) -> None:
        self._module = module
        self._refers = name == "voxcpm2"
        self._context = CONTEXT[name]
        self._patch = module.patch_size
        self._dtype = next(module.base_lm.parameters()).dtype
        self._device = torch.device(module.device)
        self.rate: int = module.sample_rate  # Hz, of what is spoken
        self.patch_seconds: float = module.patch_size * module.chunk_size / module.audio_vae.sample_rate

    @property
    def needs_words(self) -> bool:
        """Whether it can follow a clip only with what is said in it."""
        return not self._refers

    @torch.inference_mode()
    def hear(self, clip: Recording) -> Voice:
        """A clip in patches."""
        rate = self._module.audio_vae.sample_rate
        samples = clip.samples
        if clip.rate != rate:
            samples = soxr.resample(samples, clip.rate, rate, quality="HQ")
        missing = -len(samples) % (self._patch * self._module.chunk_size)
        return Voice(self._encoded(samples, (0, missing)), self._encoded(samples, (missing, 0)))

    def _encoded(self, samples: np.ndarray, padding: tuple[int, int]) -> torch.Tensor:
        vae = self._module.audio_vae
        sound = torch.from_numpy(np.pad(samples, padding)[None]).to(self._device)
        latent = vae.encode(sound, vae.sample_rate).cpu().float()  # [1, width, frames]
        return latent.reshape(vae.latent_dim, -1, self._patch).permute(1, 2, 0)

    def row(self, text: str, told: str, voice: Voice) -> Row:
        """Text and clip, laid out. ``told``: what is said in the clip, or ""."""
        words = self._module.text_tokenizer(told + text)
        layout = Layout(self._patch, self._module.audio_vae.latent_dim)
        return lay_out(layout, words, voice, self._refers, bool(told)).row(self._dtype, self._device)

    def patches(self, row: Row, text: str, take: Take) -> Iterator[torch.Tensor]:
        """Patches, float [1, 1, patch, width], as they are made; the row's end is the model's decision, or a limit.

        Raises TooLong.
        """
        room = self._module.config.max_length - row.words.shape[1] - 1
        limit = min(
            room,
            len(self._module.text_tokenizer(text)) * RUNAWAY + SPARE,
            max(1, int(take.max_seconds / self.patch_seconds)),
        )
        if room < SPARE:
            raise TooLong
        torch.manual_seed(take.seed)  # nothing else draws until the row ends
        made = self._module.inference_streaming(
            row.words,
            row.is_word,
            row.sound,
            row.is_sound,
            min_len=LEAST,
            max_len=limit,
            inference_timesteps=take.steps,
            cfg_value=take.guidance,
            streaming_prefix_len=self._context + 1,
        )
        with contextlib.closing(made):
            for _, sequence in made:
                yield sequence[-1]

    @torch.inference_mode()
    def sound(self, row: Row, patches: list[torch.Tensor]) -> np.ndarray:
        """Float32 [samples] at ``rate``; the decoder hears the clip's end before it, where the speech goes on."""
        ahead = min(self._context, row.goes_on)
        whole = torch.cat([row.sound[:, row.sound.shape[1] - ahead :], *patches], dim=1)
        count = whole.shape[1]
        latent = whole.float().flatten(1, 2).transpose(1, 2)  # [1, width, count * patch]
        samples: np.ndarray = self._module.audio_vae.decode(latent).flatten().float().cpu().numpy()
        return samples[len(samples) // count * ahead :]


def load(folder: Path, name: str, device: str, dtype: str) -> Model:
    """Read a checkpoint. ``dtype``: "auto" is the checkpoint's own on a GPU, float32 on the CPU.

    Raises:
        BadConfig: a file is missing, or it is another model's.
        ImportError: the package is not installed.
    """
    for file in FILES:
        if not (folder / file).is_file():
            raise BadConfig("model_missing", model=name)
    config = _config(folder, name)
    _quieten()
    if name == "voxcpm2":
        from voxcpm.model.voxcpm2 import VoxCPM2Model as Module
    else:
        from voxcpm.model.voxcpm import VoxCPMModel as Module
    wanted = config.get("dtype", "bfloat16") if dtype == "auto" else dtype
    if dtype == "auto" and device == "cpu":
        wanted = "float32"
    with _as_wanted(folder, config | {"dtype": wanted, "device": device}) as place:
        module = Module.from_local(str(place), optimize=False, device=device)
    return Model(module, name)


def _config(folder: Path, name: str) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
        found = str(config.get("architecture", "voxcpm")).lower()
    except (OSError, ValueError, AttributeError) as error:
        raise BadConfig("model_missing", model=name) from error
    if found != ARCHITECTURES[name]:
        reason = f"cache_hub/{folder.name} holds a checkpoint of {found}, not of {ARCHITECTURES[name]}"
        raise BadConfig("bad_config", name="engine", reason=reason)
    return config


@contextlib.contextmanager
def _as_wanted(folder: Path, config: dict[str, Any]) -> Iterator[Path]:
    """The folder with another config.json: the package takes number type and device from there only."""
    with tempfile.TemporaryDirectory(prefix="voxcpm-") as place:
        for path in folder.iterdir():
            if path.name != "config.json":
                (Path(place) / path.name).symlink_to(path.resolve())
        (Path(place) / "config.json").write_text(json.dumps(config), "utf-8")
        yield Path(place)


def _quieten() -> None:
    """No bar for every segment in the log, and no look at a hub."""
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
