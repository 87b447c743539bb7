"""A tiny Qwen3 that answers every prompt with one fixed JSON object, then ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

ANSWER = (
    '{"高兴": 0.6, "愤怒": 0.0, "悲伤": 0.1, "恐惧": 0.0, "反感": 0.0, "低落": 0.0, "惊讶": 0.0, "自然": 0.3}'
)
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@torch.no_grad()
def write(folder: Path) -> None:
    """Bytes, plus one token for the whole answer; the blocks are switched off, so a token decides its successor."""
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

    tokenizer, answer, end = _tokenizer()
    tokenizer.save_pretrained(folder)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=40960,
        tie_word_embeddings=False,
        eos_token_id=end,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen3ForCausalLM(config)
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    inputs, outputs = model.model.embed_tokens.weight.zero_(), model.lm_head.weight.zero_()
    inputs[:, 0] = 1.0
    inputs[answer, 0], inputs[answer, 1] = 0.0, 1.0
    outputs[answer, 0] = outputs[end, 1] = 10.0
    model.half().save_pretrained(folder)
    ends = GenerationConfig(eos_token_id=end, pad_token_id=tokenizer.pad_token_id, do_sample=False)
    ends.save_pretrained(folder)


def _tokenizer() -> tuple[Any, int, int]:
    """The tokenizer, and the ids of the answer and of the end."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={letter: id for id, letter in enumerate(letters)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_tokens([AddedToken(ANSWER, special=False, normalized=False)])
    marks = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    inner.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=_TEMPLATE
    )
    return fast, inner.token_to_id(ANSWER), inner.token_to_id("<|im_end|>")
