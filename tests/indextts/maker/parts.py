"""The weight files of one checkpoint, written by the packages' own modules with random weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import configs, qwen, stops, texts

REVISION = "0" * 40  # of the hub caches
PACKAGE = {"v2": "indextts", "v25": "indextts25"}
Weights = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Wish:
    """``version``: "v2", "v25"; ``size``: "tiny", "full"; ``stop``: see ``stops``; ``half``: 16 bits on disk."""

    version: str
    size: str = "tiny"
    stop: str = "text"
    codes_per_token: float = 5.0
    half: bool = True
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Places:
    """Where the auxiliary models of a version are."""

    w2v: Path
    campplus: Path
    vocoder: Path
    codec: Path

    @classmethod
    def of(cls, root: Path, version: str) -> Places:
        """Makes the folders, and the ``refs/main`` of hub caches."""
        if version == "v25":
            base = root / "hf_cache"
            found = cls(
                base / "w2v-bert-2.0", base / "campplus_cn_common.bin", base / "bigvgan", root / "codec.pth"
            )
        else:
            found = cls(
                _snapshot(root, "facebook/w2v-bert-2.0"),
                _snapshot(root, "funasr/campplus") / "campplus_cn_common.bin",
                _snapshot(root, configs.VOCODER),
                _snapshot(root, "amphion/MaskGCT") / "semantic_codec" / "model.safetensors",
            )
        for folder in (found.w2v, found.vocoder, found.campplus.parent, found.codec.parent):
            folder.mkdir(parents=True, exist_ok=True)
        return found


def _snapshot(root: Path, repository: str) -> Path:
    base = root / "hf_hub" / f"models--{repository.replace('/', '--')}"
    (base / "refs").mkdir(parents=True, exist_ok=True)
    (base / "refs" / "main").write_text(REVISION)
    return base / "snapshots" / REVISION


@torch.no_grad()
def write(root: Path, wish: Wish) -> None:
    """Everything but w2v-bert (see ``write_w2v``), whose folder ``Places`` has made."""
    from omegaconf import OmegaConf

    places = Places.of(root, wish.version)
    vocabulary = 0
    if wish.version == "v25":
        vocabulary = texts.write_tiktoken(root / "multilingual_zh_ja_yue_char_del.tiktoken")
    else:
        texts.write_sentencepiece(root / "bpe.model")
        qwen.write(root / "qwen0.6bemo4-merge")
    config = OmegaConf.create(configs.settings(wish.version, wish.size, vocabulary))
    OmegaConf.save(config, root / "config.yaml")
    _write_gpt(root, wish, config)
    _write_s2mel(root, wish, config)
    _write_codec(places.codec, wish, config)
    _write_vocoder(places.vocoder, wish)
    campplus = _module(wish, "s2mel.modules.campplus.DTDNN").CAMPPlus(feat_dim=80, embedding_size=192)
    torch.save(campplus.state_dict(), places.campplus)
    torch.save({"mean": torch.zeros(1024), "var": torch.ones(1024)}, root / "wav2vec2bert_stats.pt")
    samples = sum(configs.EMOTION_SAMPLES)
    emotions = torch.randn(samples, config.gpt.model_dim) * 0.1
    emotions[:, -stops.CHANNELS :] = 0  # nothing of an emotion may touch where the codes end
    torch.save(torch.randn(samples, 192), root / "feat1.pt")
    torch.save(emotions, root / "feat2.pt")


def _module(wish: Wish, name: str) -> Any:
    return import_module(f"{PACKAGE[wish.version]}.{name}")


def _stored(weights: Weights, half: bool) -> Weights:
    return {
        name: value.half() if half and value.is_floating_point() else value for name, value in weights.items()
    }


def _write_gpt(root: Path, wish: Wish, config: Any) -> None:
    gpt = _module(wish, "gpt.model_v2").UnifiedVoice(**config.gpt)
    if wish.version == "v25" and wish.size == "tiny":
        stops.attentive(gpt)
    stops.program(gpt, wish.stop, wish.codes_per_token)
    weights = gpt.state_dict()
    if wish.version == "v25":  # the published file has the training's text head, too
        weights["text_head.weight"] = torch.zeros(8, config.gpt.model_dim)
        weights["text_head.bias"] = torch.zeros(8)
    torch.save(_stored(weights, wish.half), root / "gpt.pth")


def _write_s2mel(root: Path, wish: Wish, config: Any) -> None:
    kind = _module(wish, "s2mel.modules.commons").MyModel
    models = kind(config.s2mel, **({} if wish.version == "v25" else {"use_gpt_latent": True})).models
    net = {name: model.state_dict() for name, model in models.items()}
    if wish.version == "v25":  # v2's modules have weight norm themselves
        net["cfm"] = split_norms(net["cfm"], _normed(models["cfm"]))
    torch.save({"net": net}, root / "s2mel.pth")


def _normed(cfm: nn.Module) -> set[str]:
    """The layers of the diffusion that are published with weight norm."""
    return {
        name
        for name, module in cfm.named_modules()
        if name.endswith(("x_embedder", "final_layer.linear"))
        or (".wavenet." in name and isinstance(module, nn.Conv1d))
    }


def _write_codec(path: Path, wish: Wish, config: Any) -> None:
    if wish.version == "v25":
        weights = _module(wish, "codec.models").EnhancedCodec(**config.semantic_codec).state_dict()
        weights["encoder.0.embed.weight"] = torch.zeros(
            16, 1024, 7
        )  # the published file has the encoder, too
        torch.save({"model": split_norms(weights, {"quantizer.quantizers.0.out_project"})}, path)
        return
    import safetensors.torch

    codec = _module(wish, "utils.maskgct_utils").build_semantic_codec(config.semantic_codec)
    safetensors.torch.save_model(codec, str(path))


def _write_vocoder(folder: Path, wish: Wish) -> None:
    settings = configs.vocoder(wish.size)
    hparams = _module(wish, "s2mel.modules.bigvgan.env").AttrDict(settings)
    model = _module(wish, "s2mel.modules.bigvgan.bigvgan").BigVGAN(hparams)
    weights = model.state_dict()
    if wish.version == "v25":
        convolutions = (nn.Conv1d, nn.ConvTranspose1d)
        names = {name for name, module in model.named_modules() if isinstance(module, convolutions)}
        weights = split_norms(weights, names)
    (folder / "config.json").write_text(json.dumps(settings, indent=1))
    torch.save({"generator": weights}, folder / "bigvgan_generator.pt")


def split_norms(weights: Weights, names: set[str]) -> Weights:
    """Weight norm as it is published: ``x.weight`` becomes its length ``x.weight_g`` and direction ``x.weight_v``."""
    found: Weights = {}
    for name, value in weights.items():
        layer, _, last = name.rpartition(".")
        if last == "weight" and layer in names:
            lengths = value.reshape(len(value), -1).norm(dim=1)
            found[f"{name}_g"] = lengths.reshape([-1, *[1] * (value.dim() - 1)])
            found[f"{name}_v"] = value
        else:
            found[name] = value
    return found


@torch.no_grad()
def write_w2v(folder: Path, size: str, half: bool) -> None:
    """w2v-bert-2.0. Its layer 17 is read; there is one more here, as there are seven more in the published one."""
    from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

    config = Wav2Vec2BertConfig(num_hidden_layers=24, hidden_size=1024, num_attention_heads=16)
    if size == "tiny":
        config.update({"num_hidden_layers": 18, "intermediate_size": 16, "conv_depthwise_kernel_size": 3})
    config.add_adapter = False
    model = Wav2Vec2BertModel(config)
    weights = _stored(model.state_dict(), half)
    import safetensors.torch

    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    config.dtype = torch.float32  # what loaders make of it, however it is stored
    config.save_pretrained(folder)
    extractor = SeamlessM4TFeatureExtractor(
        feature_size=80, num_mel_bins=80, sampling_rate=16000, padding_value=1, stride=2
    )
    extractor.save_pretrained(folder)
