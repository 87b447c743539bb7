"""The diffusion transformer's velocity, for rows of unequal length, time and prompt.

Over the package's weights, in an order that suits many steps: what does not change from step to step (the
condition, prompt and style in the first layer) is added up once per row, and everything that
depends on the time alone (the adaptive norms' scales, the WaveNet's gates) is looked up in a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import BadConfig
from .layers import Layer, plain
from .layouts import EndToEnd, Layout, Padded
from .wavenet import WaveNet

MAX_FRAMES = 16384  # of prompt and speech, as in the packages: 190 s


class _Block(NamedTuple):
    skip: Layer | None  # joins the output of the block on the U's other side
    qkv: Layer
    out: Layer
    gate: Layer
    up: Layer
    down: Layer


class Estimator:
    """dx/dt of the flow. D: width, M: numbers of the time's table."""

    def __init__(self, dit: Any, device: torch.device, dtype: torch.dtype) -> None:
        _check(dit)
        self.device, self.dtype = device, dtype
        self.channels: int = dit.in_channels
        self._dit = dit
        self._heads: int = dit.num_heads
        transformer = dit.transformer
        self.width: int = transformer.config.dim
        self._eps: float = transformer.config.norm_eps
        layers = transformer.layers
        self._blocks = [self._block(layer, index, len(layers)) for index, layer in enumerate(layers)]
        self._first(dit)
        self._long_skip = self._plain(dit.skip_linear) if dit.long_skip_connection else None
        self._conv1, self._residual = self._plain(dit.conv1), self._plain(dit.res_projection)
        self._linear, self._last = self._plain(dit.final_layer.linear), self._plain(dit.conv2)
        self.wavenet = WaveNet(dit.wavenet, device, dtype)
        self._sizes = [self.width] * (4 * len(layers) + 2) + [self.wavenet.width] * 2
        self._sizes.append(2 * self.wavenet.width * self.wavenet.layers)
        self._rotations = _rotations(self.width // self._heads, transformer.config.rope_base, device)

    def _plain(self, module: Any) -> Layer:
        return plain(module, self.device, self.dtype)

    def _block(self, layer: Any, index: int, count: int) -> _Block:
        joins = layer.uvit_skip_connection and index > count // 2
        attention, feed = layer.attention, layer.feed_forward
        return _Block(
            self._plain(layer.skip_in_linear) if joins else None,
            *(self._plain(item) for item in (attention.wqkv, attention.wo, feed.w1, feed.w3, feed.w2)),
        )

    def _first(self, dit: Any) -> None:
        """Cuts the first layer into its parts: noise, prompt, condition, style."""
        merge = plain(dit.cond_x_merge_linear, self.device, torch.float32)
        self._project = plain(dit.cond_projection, self.device, torch.float32)
        n, d = self.channels, self.width
        noise, self._prompt, self._cond, self._style = merge.weight.split(
            [n, n, d, merge.weight.shape[1] - 2 * n - d], dim=1
        )
        self._noise = noise.to(self.dtype)
        # The branch without condition is given zeros, which the projection turns into its bias.
        constant = F.linear(_bias(self._project), self._cond, merge.bias)
        self._merge_bias = merge.bias
        self._null = constant.to(self.dtype)

    def static(self, mu: Tensor, mel: Tensor, style: Tensor) -> Tensor:
        """The first layer without its noise, for a row of condition mu [T, C], prompt mel [80, P], style [192]: [T, D]."""
        made = F.linear(self._project.linear(mu), self._cond, self._merge_bias) + F.linear(style, self._style)
        made[: mel.shape[1]] += F.linear(mel.T, self._prompt)
        return made.to(self.dtype)

    def table(self, times: Tensor) -> Tensor:
        """What the times [n] in [0, 1] set: [n, M], float32. Each norm's learnt scale is multiplied in."""
        dit = self._dit
        time = dit.t_embedder(times)
        parts: list[Tensor] = []
        norms = [norm for layer in dit.transformer.layers for norm in (layer.attention_norm, layer.ffn_norm)]
        for norm in [*norms, dit.transformer.norm]:
            scale, shift = norm.project_layer(time).chunk(2, dim=-1)
            parts += [scale * norm.norm.weight, shift]
        shift, scale = dit.final_layer.adaLN_modulation(time).chunk(2, dim=1)
        parts += [1 + scale, shift, self.wavenet.gates(dit.t_embedder2(times))]
        return torch.cat(parts, dim=1)

    def velocity(
        self, x: Tensor, static: Tensor, table: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """x [R, T, 80] float32, static [R, T, D], table [R, M], lengths [R] -> with and without condition, each [R, T, 80] float32.

        Frames behind a row's length are padding: they change nothing and hold nothing of use in
        the result. None: every row has T frames.
        """
        noise = x.to(self.dtype)
        first = F.linear(noise, self._noise)
        h = torch.cat([first + static, first + self._null])
        marks = torch.cat([table, table]).to(self.dtype)
        layout = Padded(h.shape[1], lengths if lengths is None else torch.cat([lengths, lengths]))
        made = self._run(h, torch.cat([noise, noise]), marks, self._rotations[: h.shape[1]], layout)
        with_condition, without = made.chunk(2)
        return with_condition, without

    def velocity_apart(
        self, x: Tensor, static: Tensor, table: Tensor, lengths: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """The same without a frame of padding, for a device that has to compute each: a CPU.

        What a frame's layers do to it alone is done to all rows' frames in one row; attention and convolutions are
        run row by row. Behind a row's length the result is zero.
        """
        layout = EndToEnd(lengths)
        noise = layout.joined(x).to(self.dtype)
        first = F.linear(noise, self._noise)
        h = torch.stack([first + layout.joined(static), first + self._null])
        rotations = torch.cat([self._rotations[:length] for length in lengths])
        made = self._run(h, noise.expand(2, -1, -1), table.to(self.dtype), rotations, layout)
        return layout.padded(made[0], x), layout.padded(made[1], x)

    def _run(self, h: Tensor, x: Tensor, table: Tensor, rotations: Tensor, layout: Layout) -> Tensor:
        """h [B, T, D] behind the first layer, x [B, T, 80], table [rows, M], rotations [T, size / 2] -> [B, T, 80] float32."""
        marks = table.split(self._sizes, dim=1)
        return self._finish(self._transform(h, marks, rotations, layout), x, marks, layout).float()

    def _transform(self, h: Tensor, marks: tuple[Tensor, ...], rotations: Tensor, layout: Layout) -> Tensor:
        half = len(self._blocks) // 2
        left: list[Tensor] = []  # outputs of the U's first half
        for index, block in enumerate(self._blocks):
            scale, shift, scale2, shift2 = marks[4 * index : 4 * index + 4]
            if block.skip is not None:
                h = block.skip.linear(torch.cat([h, left.pop()], dim=-1))
            h = h + self._attend(block, layout.moved(self._norm(h), scale, shift), rotations, layout)
            normed = layout.moved(self._norm(h), scale2, shift2)
            h = h + block.down.linear(F.silu(block.gate.linear(normed)) * block.up.linear(normed))
            if index < half:
                left.append(h)
        scale, shift = marks[4 * len(self._blocks) :][:2]
        return layout.moved(self._norm(h), scale, shift)

    def _norm(self, h: Tensor) -> Tensor:
        return F.rms_norm(h, (self.width,), eps=self._eps)

    def _attend(self, block: _Block, h: Tensor, rotations: Tensor, layout: Layout) -> Tensor:
        rows, frames, _ = h.shape
        qkv = block.qkv.linear(h).view(rows, frames, 3, self._heads, -1)
        pairs = torch.view_as_complex(qkv[:, :, :2].float().unflatten(-1, (-1, 2)))
        qk = torch.view_as_real(pairs * rotations[:, None, None]).flatten(-2).to(self.dtype)
        made = layout.attention(qk[:, :, 0], qk[:, :, 1], qkv[:, :, 2])
        return block.out.linear(made.reshape(rows, frames, -1))

    def _finish(self, h: Tensor, x: Tensor, marks: tuple[Tensor, ...], layout: Layout) -> Tensor:
        if self._long_skip is not None:
            h = self._long_skip.linear(torch.cat([h, x], dim=-1))
        scale, shift, gates = marks[-3:]
        waves = layout.waves(self.wavenet, self._conv1.linear(h), gates)
        made = waves + self._residual.linear(h)
        made = F.layer_norm(made, (self.wavenet.width,), eps=1e-6)
        return self._last.linear(self._linear.linear(layout.moved(made, scale, shift)))


def _rotations(size: int, base: float, device: torch.device) -> Tensor:
    """Rotary positions (Su et al., 2021) of heads of the given size, as complex numbers: [MAX_FRAMES, size / 2]."""
    rates = 1.0 / base ** (torch.arange(0, size, 2, device=device).float() / size)
    angles = torch.outer(torch.arange(MAX_FRAMES, device=device).float(), rates)
    return torch.polar(torch.ones_like(angles), angles)


def _bias(layer: Layer) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _check(dit: Any) -> None:
    """Raises ``BadConfig`` for a model that is not built as IndexTTS-2 and 2.5 are."""
    expected = {
        "final_layer_type": "wavenet",
        "transformer_style_condition": True,
        "style_as_token": False,
        "time_as_token": False,
        "is_causal": False,
    }
    for name, value in expected.items():
        if getattr(dit, name) != value:
            raise BadConfig("bad_config", name=f"s2mel.{name}", reason=f"must be {value!r} for this engine")
