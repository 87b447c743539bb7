"""Where the codes of a random GPT end: in proportion to the text, or never.

"text": one attention head of the first block is made to average, over all positions, a channel that says
"this is text"; the stop code's logit compares the average with a constant, so that L text tokens give about
``per_token`` * L codes. Three channels of the residual stream are kept free of everything else for that.
"""

from __future__ import annotations

from typing import Any

import torch

CHANNELS = 3  # the last ones of the width


@torch.no_grad()
def program(gpt: Any, mode: str, per_token: float) -> None:
    """Change ``gpt`` (a package's UnifiedVoice) in place. ``mode``: "text" or "never"."""
    stop = gpt.stop_mel_token
    gpt.mel_head.weight[stop] = 0
    if mode == "never":
        gpt.mel_head.bias[stop] = -1e4
        return
    is_text, share, constant = channels = [gpt.model_dim - place for place in range(1, CHANNELS + 1)]
    _clear_inputs(gpt, channels)
    gpt.text_embedding.weight[:, is_text] = 1.0
    gpt.mel_embedding.weight[:, constant] = 1.0
    for block in gpt.gpt.h:
        for projection in (block.attn.c_proj, block.mlp.c_proj):  # weights are [in, out]
            projection.weight[:, channels] = 0
            projection.bias[channels] = 0
    _average(gpt, is_text, share)
    seen = min(64, gpt.text_pos_embedding.emb.num_embeddings)
    texts = gpt.text_embedding.weight[2 : 2 + seen] + gpt.text_pos_embedding.emb.weight[:seen]
    level = gpt.gpt.h[0].ln_1(texts)[:, is_text].mean()
    # n codes after T text positions: the share is about T / (T + n); stop once it is under 1 / (1 + per_token)
    gpt.mel_head.weight[stop, constant] = 10.0 * level / (1.0 + per_token)
    gpt.mel_head.weight[stop, share] = -10.0
    gpt.mel_head.bias[stop] = 0


@torch.no_grad()
def attentive(gpt: Any, gain: float = 10.0) -> None:
    """Let what stands before the codes change them: random weights make so little of it that a wrong emotion
    would sound like the right one. Call it before ``program``, whose head of the first block stays as it is."""
    width = gpt.model_dim
    for block in gpt.gpt.h:
        block.attn.c_attn.weight[:, 2 * width :] *= gain
        block.attn.c_proj.weight *= gain


def _clear_inputs(gpt: Any, channels: list[int]) -> None:
    """Nothing that comes before or between the codes writes to the channels."""
    tables = [gpt.text_embedding, gpt.mel_embedding, gpt.mel_pos_embedding.emb, gpt.text_pos_embedding.emb]
    if hasattr(gpt, "lang_embedding"):
        gpt.lang_embedding.weight.mul_(0.02)  # drawn from N(0, 1), fifty times the other embeddings
        tables.append(gpt.lang_embedding)
    if hasattr(gpt, "speed_emb"):
        tables.append(gpt.speed_emb)
    for table in tables:
        table.weight[:, channels] = 0
    for name in ("emo_layer", "spk_emb_proj"):
        if hasattr(gpt, name):
            getattr(gpt, name).weight[channels] = 0
            getattr(gpt, name).bias[channels] = 0
    if hasattr(gpt, "perceiver_encoder"):
        norm = gpt.perceiver_encoder.norm
        (norm.gamma if hasattr(norm, "gamma") else norm.weight)[channels] = 0


def _average(gpt: Any, source: int, target: int) -> None:
    """The first head of the first block: no queries, no keys, so equal weights; one value channel."""
    width, head = gpt.model_dim, gpt.model_dim // gpt.heads
    attention = gpt.gpt.h[0].attn
    for part in range(3):  # q, k, v
        attention.c_attn.weight[:, part * width : part * width + head] = 0
        attention.c_attn.bias[part * width : part * width + head] = 0
    attention.c_attn.weight[source, 2 * width] = 1.0
    attention.c_proj.weight[0, :] = 0
    attention.c_proj.weight[0, target] = 1.0
