"""What the tests of the mel and waveform stages share: random rows, and what the packages make of them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from index_tts_ui.engines.indextts.types import Voice

CPU = torch.device("cpu")
TOLERANCE = 1e-4  # of full scale


def stages(package: Any, version: str) -> Any:
    """The modules of a package's instance, under the engine's names."""
    models = package.s2mel.models
    return SimpleNamespace(
        version=version,
        codec=package.semantic_codec,
        regulator=models["length_regulator"],
        cfm=models["cfm"],
        gpt_layer=models["gpt_layer"] if version == "2" else None,
        vocoder=package.bigvgan,
    )


def voice(prompt: int, width: int, seed: int) -> Voice:
    """A voice of ``prompt`` frames, made up; mels as loud as real ones."""
    made = torch.Generator().manual_seed(seed)
    return Voice(
        style=torch.randn(192, generator=made),
        prompt=torch.randn(prompt, width, generator=made),
        mel=torch.randn(80, prompt, generator=made) * 2 - 5,
        latent=torch.zeros(1, 1),
        emotion=torch.zeros(1),
    )


@dataclass(frozen=True)
class Row:
    """One row's order."""

    prompt: int
    target: int
    seed: int
    steps: int = 5
    guidance: float = 0.7
    joins: int = 0  # before which step

    def voice(self, width: int) -> Voice:
        return voice(self.prompt, width, self.seed)

    def mu(self, width: int) -> Tensor:
        made = torch.Generator().manual_seed(self.seed + 1)
        return torch.cat([self.voice(width).prompt, torch.randn(self.target, width, generator=made)])


@torch.no_grad()
def alone(cfm: Any, row: Row, width: int) -> Tensor:
    """The package's own mel [80, target]."""
    given, mu = row.voice(width), row.mu(width)[None]
    torch.manual_seed(row.seed)
    noise = torch.randn(1, 80, mu.shape[1])
    made = cfm.solve_euler(
        noise,
        torch.tensor([mu.shape[1]]),
        given.mel[None],
        mu,
        given.style[None],
        None,
        torch.linspace(0, 1, row.steps + 1),
        row.guidance,
    )
    return made[0, :, row.prompt :]


def bigvgan(**shape: Any) -> Any:
    """A vocoder of the given shape with random weights, loud but not clipping on noise."""
    from indextts25.s2mel.modules.bigvgan.bigvgan import BigVGAN
    from indextts25.s2mel.modules.bigvgan.env import AttrDict

    fixed = {"resblock": "1", "activation": "snakebeta", "snake_logscale": True, "num_mels": 80}
    fixed |= {"use_tanh_at_final": False, "use_bias_at_final": False}
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        model = BigVGAN(AttrDict(fixed | shape)).eval()
        loudest = model(torch.randn(1, 80, 200)).abs().max()
        for _ in range(20):
            model.conv_post.weight.mul_(0.5 / loudest if loudest < 1 else 0.5)
            loudest = model(torch.randn(1, 80, 200)).abs().max()
            if 0.3 < loudest < 0.8:
                break
    model.shape = shape
    return model


def cfm(width: int) -> Any:
    """A diffusion transformer of the published depth but another width, with random weights."""
    from indextts25.s2mel.modules.flow_matching import CFM

    args = SimpleNamespace(
        dit_type="DiT",
        DiT=SimpleNamespace(
            hidden_dim=width,
            num_heads=4,
            depth=13,
            class_dropout_prob=0.1,
            in_channels=80,
            style_condition=True,
            final_layer_type="wavenet",
            content_dim=width,
            content_codebook_size=32,
            content_type="discrete",
            is_causal=False,
            long_skip_connection=True,
            time_as_token=False,
            style_as_token=False,
            uvit_skip_connection=True,
        ),
        wavenet=SimpleNamespace(
            hidden_dim=width,
            num_layers=8,
            kernel_size=5,
            dilation_rate=1,
            p_dropout=0.2,
            style_condition=True,
        ),
        style_encoder=SimpleNamespace(dim=192),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cfm = CFM(args).eval()
    cfm.estimator.setup_caches(1, 1024)
    return cfm
