"""The packages' modules with a checkpoint's weights: read from its own folder, never from anywhere else."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import BadConfig
from ..base import Progress
from .cards import Dtypes, choose
from .layout import Places, config, places, reading
from .tensors import DtypeOf, always, building, fill, quiet, read, tensor, tensors

log = logging.getLogger("tts.indextts")
PACKAGE = {"2": "indextts", "2.5": "indextts25"}
W2V_LAYERS = 17  # the features are the output of this layer; the checkpoint has more
FEATURES, STYLE = 1024, 192

# What the packages construct, or the files hold, and inference never runs.
_UNUSED_GPT = ("text_head",)
_UNUSED_CFM = ("estimator.cond_embedder",)
_UNUSED_REGULATOR = ("embedding", "mask_token")
_UNUSED_CODEC_2 = ("decoder",)
_ONCE_A_VOICE = (  # parts of the GPT that run once for each voice: in float32 whatever the rest is in
    "conditioning_encoder.",
    "perceiver_encoder.",
    "emo_conditioning_encoder.",
    "emo_perceiver_encoder.",
    "emovec_layer.",
    "emo_layer.",
    "spk_emb_proj.",
)


@dataclass(slots=True)
class Modules:
    """One loaded checkpoint: modules in evaluation mode, without gradients, on ``device``.

    ``dtype`` is that of the GPT's transformer, embeddings and heads; its conditioning parts and the other
    modules are in float32 (``w2v`` takes float32 whatever it runs in). ``mean`` and ``std`` [1024] normalise
    w2v's layer 17. ``emo_matrix`` and ``spk_matrix``: for each of the eight emotions its samples, [n, D] and
    [n, 192]. ``gpt_layer`` is None in 2.5; in 2 the codec has its encoder, in 2.5 its decoder.
    """

    version: str  # "2" or "2.5"
    cfg: Any  # config.yaml
    model_dir: Path
    device: torch.device
    dtype: torch.dtype
    gpt: Any
    w2v: Any
    extractor: Any
    mean: Tensor
    std: Tensor
    codec: Any
    regulator: Any
    cfm: Any
    gpt_layer: Any
    campplus: Any
    vocoder: Any
    emo_matrix: tuple[Tensor, ...]
    spk_matrix: tuple[Tensor, ...]


def load(
    model_dir: Path,
    version: str,
    device: torch.device,
    dtype: str = "auto",
    progress: Progress = lambda fraction, text: None,
    memory_mb: int = 0,
) -> Modules:
    """Read the checkpoint of IndexTTS ``version`` ("2" or "2.5") in ``model_dir`` onto ``device``.

    ``dtype``: "auto", "fp32", "bf16" or "fp16"; ``memory_mb``: see ``EngineOptions``. ``progress`` gets the share
    of the files' bytes.

    Raises:
        BadConfig: a file is missing or damaged, or a tensor is missing or of a wrong shape: by name.
    """
    progress(0.0, "checking files")
    cfg = config(model_dir)
    files = places(model_dir, version, cfg)
    dtypes = choose(device, dtype, memory_mb)
    log.info("IndexTTS-%s on %s", version, dtypes.why)
    loader = _Loader(version, cfg, model_dir, files, device, dtypes, progress)
    with torch.no_grad():
        return loader.modules()


@dataclass(slots=True)
class _Loader:
    version: str
    cfg: Any
    model_dir: Path
    places: Places
    device: torch.device
    dtypes: Dtypes
    progress: Progress

    def modules(self) -> Modules:
        """All of them, one after the other, so that at most one file's pages are in memory besides."""
        makers: list[Callable[[], Any]] = [
            self._gpt,
            self._w2v,
            self._codec,
            self._s2mel,
            self._campplus,
            self._vocoder,
        ]
        stages = self.places.stages()
        sizes = [path.stat().st_size if path.is_file() else 1 for _, path in stages]
        made = []
        for number, ((what, _), make) in enumerate(zip(stages, makers, strict=True)):
            self.progress(sum(sizes[:number]) / sum(sizes), f"loading: {what}")
            made.append(make())
        gpt, (w2v, extractor), codec, (cfm, regulator, gpt_layer), campplus, vocoder = made
        mean, std = self._statistics()
        return Modules(
            version=self.version,
            cfg=self.cfg,
            model_dir=self.model_dir,
            device=self.device,
            dtype=self.dtypes.gpt,
            gpt=gpt,
            w2v=w2v,
            extractor=extractor,
            mean=mean,
            std=std,
            codec=codec,
            regulator=regulator,
            cfm=cfm,
            gpt_layer=gpt_layer,
            campplus=campplus,
            vocoder=vocoder,
            emo_matrix=self._samples("emo_matrix", self.cfg.gpt.model_dim),
            spk_matrix=self._samples("spk_matrix", STYLE),
        )

    def _part(self, name: str) -> Any:
        with quiet():
            return import_module(f"{PACKAGE[self.version]}.{name}")

    def _gpt(self) -> Any:
        kind = self._part("gpt.model_v2").UnifiedVoice
        with building():
            gpt = kind(**self.cfg.gpt)
        data = read(self.places.gpt)
        weights = tensors(data, self.places.gpt, *(("model",) if "model" in data else ()))
        fill(gpt, weights, self.places.gpt, self.device, self._gpt_dtype(), _UNUSED_GPT)
        return gpt

    def _gpt_dtype(self) -> DtypeOf:
        rows = self.dtypes.gpt
        return lambda name: torch.float32 if name.startswith(_ONCE_A_VOICE) else rows

    def _w2v(self) -> tuple[Any, Any]:
        from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

        folder = self.places.w2v
        with reading(folder / "config.json"):
            config = Wav2Vec2BertConfig.from_pretrained(folder, local_files_only=True)
        if config.num_hidden_layers < W2V_LAYERS or config.hidden_size != FEATURES:
            shape = (
                f"{config.num_hidden_layers} layers of {config.hidden_size}, not {W2V_LAYERS} of {FEATURES}"
            )
            raise BadConfig("weights_unreadable", path=folder / "config.json", reason=shape)
        config.num_hidden_layers = W2V_LAYERS
        with reading(folder / "preprocessor_config.json"):
            extractor = SeamlessM4TFeatureExtractor.from_pretrained(folder, local_files_only=True)
        with building():
            w2v = Wav2Vec2BertModel(config)
        path = folder / "model.safetensors"
        fill(w2v, tensors(read(path), path), path, self.device, always(self.dtypes.w2v))
        if self.dtypes.w2v != torch.float32:
            w2v.register_forward_pre_hook(_casting(self.dtypes.w2v), with_kwargs=True)
        return w2v, extractor

    def _codec(self) -> Any:
        path = self.places.codec
        sizes = self.cfg.semantic_codec
        new = self.version == "2.5"
        part = self._part("codec.models" if new else "utils.maskgct_utils")
        with building():
            codec = part.EnhancedCodec(**sizes) if new else part.build_semantic_codec(sizes)
        keys, unused = (("model",), ()) if new else ((), _UNUSED_CODEC_2)
        fill(codec, tensors(read(path), path, *keys), path, self.device, unused=unused)
        return codec

    def _s2mel(self) -> tuple[Any, Any, Any]:
        extra = {} if self.version == "2.5" else {"use_gpt_latent": True}
        kind = self._part("s2mel.modules.commons").MyModel
        with building():
            models = kind(self.cfg.s2mel, **extra).models
        path = self.places.s2mel
        data = read(path)
        for name, unused in (
            ("cfm", _UNUSED_CFM),
            ("length_regulator", _UNUSED_REGULATOR),
            ("gpt_layer", ()),
        ):
            if name in models:
                fill(models[name], tensors(data, path, "net", name), path, self.device, unused=unused)
        with torch.device(self.device):
            models["cfm"].estimator.setup_caches(max_batch_size=1, max_seq_length=8192)
        gpt_layer = models["gpt_layer"] if self.version == "2" else None
        return models["cfm"], models["length_regulator"], gpt_layer

    def _campplus(self) -> Any:
        kind = self._part("s2mel.modules.campplus.DTDNN").CAMPPlus
        with building():
            campplus = kind(feat_dim=80, embedding_size=STYLE)
        path = self.places.campplus
        fill(campplus, tensors(read(path), path), path, self.device)
        return campplus

    def _vocoder(self) -> Any:
        settings = self.places.vocoder / "config.json"
        with reading(settings):
            hparams = json.loads(settings.read_text("utf-8"))
        shape = self._part("s2mel.modules.bigvgan.env").AttrDict(hparams)
        kind = self._part("s2mel.modules.bigvgan.bigvgan").BigVGAN
        with building(), reading(settings):
            vocoder: nn.Module = kind(shape)
        path = self.places.vocoder / "bigvgan_generator.pt"
        fill(vocoder, tensors(read(path), path, "generator"), path, self.device)
        return vocoder

    def _statistics(self) -> tuple[Tensor, Tensor]:
        path = self.model_dir / self.cfg.w2v_stat
        data = read(path)
        mean, variance = (tensor(data, path, name, [FEATURES]) for name in ("mean", "var"))
        return mean.to(self.device, copy=True), torch.sqrt(variance).to(self.device)

    def _samples(self, name: str, width: int) -> tuple[Tensor, ...]:
        """The checkpoint's samples of each emotion, as many as ``emo_num`` says."""
        path = self.model_dir / self.cfg[name]
        counts = list(self.cfg.emo_num)
        matrix = tensor(read(path), path, path.stem, [sum(counts), width]).to(self.device, copy=True)
        return torch.split(matrix, counts)


def _casting(dtype: torch.dtype) -> Callable[..., Any]:
    """A hook: floating-point inputs in the module's own type."""

    def cast(value: Any) -> Any:
        return value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value

    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return tuple(cast(one) for one in args), {name: cast(one) for name, one in kwargs.items()}

    return hook
