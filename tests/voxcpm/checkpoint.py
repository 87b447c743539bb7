"""The package voxcpm, and whole checkpoints of it with small random weights that its own loader accepts."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent.parent / ".cache" / "voxcpm"
PACKAGE = "voxcpm==2.0.3"
HAN = "今天天气很好我们一起去公园散步吧你说中文世界"
# a row ends where the model says so, after some patches; never; or as soon as it may
STOPS = {"some": (1.0, 0.02), "never": (0.0, -1.0), "soon": (0.0, 1.0)}


def package() -> Path:
    """A folder for sys.path that holds the package alone: it would bring an older Gradio. Raises CalledProcessError."""
    place = CACHE / PACKAGE.replace("==", "-")
    if not place.is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        _kept(place, lambda folder: _run([*pip, "--target", str(folder), PACKAGE]))
    return place


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=300)


def made(name: str, stop: str = "some") -> Path:
    """A folder as ``cache_hub/voxcpm2`` or ``cache_hub/voxcpm1.5``, built where it is not there yet."""
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:10]
    folder = CACHE / f"{name}-{stop}-{source}"
    if not folder.is_dir():
        _kept(folder, lambda place: _write(place, name, stop))
    return folder


def _kept(folder: Path, build: Callable[[Path], None]) -> None:
    """Several processes may build at once; whoever is first counts."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        build(place)
        place.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _config(name: str) -> dict[str, Any]:
    """The published files' fields, in small."""
    lm = {
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "max_position_embeddings": 1024,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5,
        "rope_scaling": {
            "type": "longrope",
            "long_factor": [1.0] * 4,
            "short_factor": [1.0] * 4,
            "original_max_position_embeddings": 1024,
        },
        "vocab_size": 1000,
        "use_mup": False,
        "scale_emb": 1.0,
        "dim_model_base": 32,
        "scale_depth": 1.0,
        "rope_theta": 10000.0,
    }
    small = {"hidden_dim": 32, "ffn_dim": 64, "num_heads": 4, "num_layers": 1}
    vae = {"encoder_dim": 8, "latent_dim": 16, "depthwise": True, "sample_rate": 16_000}
    if name == "voxcpm2":
        vae |= {"encoder_rates": [2, 5, 8, 8], "decoder_dim": 64, "decoder_rates": [8, 6, 5, 2, 2, 2]}
        vae |= {"out_sample_rate": 48_000}
    else:
        vae |= {"encoder_rates": [2, 3, 6, 7, 7], "decoder_dim": 64, "decoder_rates": [7, 7, 6, 3, 2]}
        vae |= {"sample_rate": 44_100}
    return {
        "architecture": "voxcpm2" if name == "voxcpm2" else "voxcpm",
        "lm_config": lm,
        "patch_size": 4,
        "feat_dim": 16,
        "residual_lm_num_layers": 1,
        "scalar_quantization_latent_dim": 16,
        "scalar_quantization_scale": 9,
        "encoder_config": small,
        "dit_config": {
            **small,
            "cfm_config": {"sigma_min": 1e-6, "solver": "euler", "t_scheduler": "log-norm"},
        },
        "audio_vae_config": vae,
        "max_length": 512,
        "device": "cpu",
        "dtype": "bfloat16",
    }


def _write(folder: Path, name: str, stop: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the package uses older interfaces; whoever asks first would fail of it
        _build(folder, name, stop)


def _build(folder: Path, name: str, stop: str) -> None:
    sys.path.insert(0, str(package()))
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaTokenizerFast
    from voxcpm.model import voxcpm, voxcpm2

    (folder / "config.json").write_text(json.dumps(_config(name)))
    _tokenizer(folder)
    torch.manual_seed(7)
    lib = voxcpm2 if name == "voxcpm2" else voxcpm
    config = lib.VoxCPMConfig.model_validate_json((folder / "config.json").read_text())
    config.dtype = "float32"
    vae = (lib.AudioVAEV2 if name == "voxcpm2" else lib.AudioVAE)(config.audio_vae_config)
    kind = lib.VoxCPM2Model if name == "voxcpm2" else lib.VoxCPMModel
    model = kind(config, LlamaTokenizerFast.from_pretrained(str(folder)), vae, device="cpu")
    _end_as(model, *STOPS[stop])
    weights = {
        key: value.contiguous()
        for key, value in model.state_dict().items()
        if not key.startswith("audio_vae.")
    }
    save_file(weights, folder / "model.safetensors")
    torch.save({"state_dict": vae.state_dict()}, folder / "audiovae.pth")


def _end_as(model: Any, chance: float, lean: float) -> None:
    """Let the two outputs of the stop head differ by ``chance`` times what the model says, plus ``lean``."""
    import torch

    with torch.no_grad():
        model.stop_proj.weight *= chance
        model.stop_proj.bias.fill_(1.0)
        head = model.stop_head.weight
        head *= chance
        head[1] += lean
        head[0] -= lean


def _tokenizer(folder: Path) -> None:
    """A byte-level fallback, letters, and some Chinese characters."""
    from tokenizers import Tokenizer, decoders, models, normalizers

    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581"]
    pieces += [chr(code) for code in range(33, 127)] + sorted(set(HAN)) + ["今天"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    made = Tokenizer(
        models.BPE(vocabulary, [("今", "天")], unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    made.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    made.save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "LlamaTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
