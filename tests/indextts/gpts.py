"""Small GPTs of both packages with random weights loud enough that every input changes what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from index_tts_ui.engines.indextts.gpt import Gpt, adapter
from index_tts_ui.engines.indextts.types import Voice

CODES = 640  # more than the sampler's candidates, so that both of its ways run
TEXTS = 90
MOST = 60  # codes
_CONDITION = {
    "output_size": 16,
    "linear_units": 16,
    "attention_heads": 1,
    "num_blocks": 1,
    "input_layer": "conv2d2",
    "perceiver_mult": 1,
}


@dataclass(frozen=True)
class Case:
    """One segment: what it is fed, and what the package's own greedy run says."""

    ids: list[int]
    features: Tensor  # [1, T, 1024]
    voice: Voice
    emotion: Tensor  # [D]
    codes: Tensor


def made(version: str) -> Gpt:
    """A GPT of 3 layers, width 48, that stops by itself, in evaluation mode."""
    common: dict[str, Any] = {
        "layers": 3,
        "model_dim": 48,
        "heads": 3,
        "max_text_tokens": 60,
        "max_mel_tokens": 200,
        "number_text_tokens": TEXTS,
        "number_mel_codes": CODES + 2,
        "start_mel_token": CODES,
        "stop_mel_token": CODES + 1,
        "emo_condition_module": _CONDITION,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        if version == "2.5":
            from indextts25.gpt.model_v2 import UnifiedVoice

            gpt = UnifiedVoice(**common)
            gpt.post_init_gpt2_config()
        else:
            from indextts.gpt.model_v2 import UnifiedVoice as UnifiedVoice2

            gpt = UnifiedVoice2(
                **common,
                condition_type="conformer_perceiver",
                condition_module=_CONDITION,
                checkpointing=False,
            )
            gpt.post_init_gpt2_config(kv_cache=True)
        _shout(gpt, 3.0 if version == "2.5" else 5.0)
    return adapter(version, gpt.eval().requires_grad_(False))


def _shout(gpt: Any, stop: float) -> None:
    for name, item in gpt.named_parameters():
        if item.dim() == 2 and name.startswith("gpt."):
            item.data.normal_(0, 0.35)
        elif "embedding" in name or "speed_emb" in name or "lang_emb" in name:
            item.data.normal_(0, 1)
    gpt.mel_head.weight.data.normal_(0, 0.5)
    gpt.mel_head.bias.data[gpt.stop_mel_token] = stop


def cases(gpt: Gpt) -> list[Case]:
    """Segments of many lengths, each with its own voice; two hold ids that the package takes for padding."""
    found = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        for count in (5, 30, 12, 21, 1, 40, 9):
            ids = torch.randint(2, TEXTS, (count,)).tolist()
            if count in (12, 40):
                ids[3], ids[-2] = 1, 0
            found.append(_case(gpt, ids, torch.randn(1, 40 + count, 1024), torch.randn(192)))
    return found


def _case(gpt: Gpt, ids: list[int], features: Tensor, style: Tensor) -> Case:
    latent = gpt.speaker_latent(features if gpt.lead == 2 else style)
    emotion = gpt.emovec(features)
    nothing = torch.zeros(80, 0)
    voice = Voice(style, nothing, nothing, latent, emotion)
    return Case(ids, features, voice, emotion, own_codes(gpt, ids, features, voice, emotion))


def own_codes(
    gpt: Gpt, ids: list[int], features: Tensor, voice: Voice, emotion: Tensor, most: int = MOST
) -> Tensor:
    """The package's own run: its codes before the stop code."""
    text = torch.tensor([ids])
    rules: dict[str, Any] = {
        "do_sample": False,
        "num_beams": 1,
        "repetition_penalty": 10.0,
        "max_generate_length": most,
    }
    if gpt.lead == 2:
        channels = torch.tensor([1024])
        found = gpt.gpt.inference_speech(
            features, text, cond_lengths=channels, emo_vec=emotion[None], **rules
        )[0][0]
    else:
        from indextts25.utils.tokenizer import lang_to_token

        language = torch.tensor([lang_to_token("en")])
        found = gpt.gpt.inference_speech(text, language, emotion[None], voice.style[None], **rules)[0]
    stops = (found == gpt.stop).nonzero()
    return found[: int(stops[0, 0])] if len(stops) else found
