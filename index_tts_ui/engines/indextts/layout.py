"""Where the parts of a checkpoint are: all inside its own folder, auxiliary models in hub caches there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import BadConfig
from .tensors import unreadable


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one checkpoint."""

    gpt: Path
    s2mel: Path
    codec: Path
    w2v: Path  # a folder
    campplus: Path
    vocoder: Path  # a folder

    def stages(self) -> list[tuple[str, Path]]:
        """What is loaded, in order, with the file that takes the time."""
        return [
            ("GPT", self.gpt),
            ("clip encoder", self.w2v / "model.safetensors"),
            ("codec", self.codec),
            ("diffusion", self.s2mel),
            ("speaker encoder", self.campplus),
            ("vocoder", self.vocoder / "bigvgan_generator.pt"),
        ]


def config(model_dir: Path) -> Any:
    """``config.yaml``. Raises BadConfig where it is missing or not such a file."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    path = model_dir / "config.yaml"
    try:
        cfg: Any = OmegaConf.load(path)
        for name in ("gpt", "semantic_codec", "s2mel", "gpt_checkpoint", "w2v_stat", "s2mel_checkpoint"):
            cfg[name]
        return cfg
    except FileNotFoundError as error:
        raise BadConfig("weights_missing", path=path) from error
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException, KeyError, TypeError) as error:
        raise unreadable(path, error) from error


def places(model_dir: Path, version: str, cfg: Any) -> Places:
    """The files of ``version``, whether they are there or not."""
    own = (model_dir / cfg.gpt_checkpoint, model_dir / cfg.s2mel_checkpoint)
    if version == "2.5":
        aux = model_dir / "hf_cache"
        codec, campplus = model_dir / "codec.pth", aux / "campplus_cn_common.bin"
        return Places(*own, codec, aux / "w2v-bert-2.0", campplus, aux / "bigvgan")
    return Places(
        *own,
        snapshot(model_dir, "amphion/MaskGCT") / "semantic_codec" / "model.safetensors",
        snapshot(model_dir, "facebook/w2v-bert-2.0"),
        snapshot(model_dir, "funasr/campplus") / "campplus_cn_common.bin",
        snapshot(model_dir, cfg.vocoder.name),
    )


def snapshot(model_dir: Path, repository: str) -> Path:
    """The folder of a hub cache that its ``refs/main`` names; else its newest snapshot, or where one should be."""
    base = model_dir / "hf_hub" / f"models--{repository.replace('/', '--')}"
    try:
        named = base / "snapshots" / (base / "refs" / "main").read_text("utf-8").strip()
        if named.is_dir():
            return named
    except (OSError, UnicodeDecodeError):
        pass  # an older client writes none
    found = [path for path in base.glob("snapshots/*") if path.is_dir()]
    return max(found, key=lambda path: path.stat().st_mtime, default=base / "snapshots" / "main")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What goes wrong with a settings file becomes one line that names it."""
    if not path.is_file():
        raise BadConfig("weights_missing", path=path)
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, error) from error
