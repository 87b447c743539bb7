"""The settings of the models: those of the published checkpoints, or narrowed to be tiny.

Some widths are fixed by the code that reads them: 1280 of v2's GPT, 1024 of w2v-bert's features, 192 of the style.
"""

from __future__ import annotations

from typing import Any

EMOTION_SAMPLES = [3, 17, 2, 8, 4, 5, 10, 24]  # how many of each emotion the matrices hold
VOCODER = "nvidia/bigvgan_v2_22khz_80band_256x"
MEL = {"n_fft": 1024, "hop_length": 256, "win_length": 1024}
TINY_TOKENS = 4600  # of v2's text


def settings(version: str, size: str, vocabulary: int) -> dict[str, Any]:
    """What ``config.yaml`` says. ``version``: "v2" or "v25"; ``vocabulary``: text tokens of v2.5's tokenizer."""
    full = size == "full"
    codes = 8192 if full else 256
    both = {
        "gpt": _gpt(version, full, codes, vocabulary),
        "semantic_codec": _codec(full, codes),
        "s2mel": _s2mel(full),
        "gpt_checkpoint": "gpt.pth",
        "w2v_stat": "wav2vec2bert_stats.pt",
        "s2mel_checkpoint": "s2mel.pth",
        "emo_matrix": "feat2.pt",
        "spk_matrix": "feat1.pt",
        "emo_num": EMOTION_SAMPLES,
        "vocoder": {"type": "bigvgan", "name": VOCODER},
    }
    if version == "v25":
        return {**both, "version": 2.5}
    mel = {"sample_rate": 24000, **MEL, "n_mels": 100, "mel_fmin": 0, "normalize": False}
    dataset = {"bpe_model": "bpe.model", "sample_rate": 24000, "squeeze": False, "mel": mel}
    return {**both, "dataset": dataset, "qwen_emo_path": "qwen0.6bemo4-merge/", "version": 2.0}


def _gpt(version: str, full: bool, codes: int, vocabulary: int) -> dict[str, Any]:
    both = {
        "model_dim": 1280,
        "heads": 20,
        "layers": 24 if full else 1,
        "max_mel_tokens": 1815,
        "max_text_tokens": 600,
        "number_mel_codes": codes + 2,
        "start_mel_token": codes,
        "stop_mel_token": codes + 1,
        "start_text_token": 0,
        "stop_text_token": 1,
        "emo_condition_module": _conformer(full, 1024, 4, 4),
    }
    if version == "v25":
        narrow = {} if full else {"model_dim": 64, "heads": 2, "layers": 2}
        return {**both, **narrow, "number_text_tokens": max(60509, vocabulary) if full else vocabulary}
    return {
        **both,
        "number_text_tokens": 12000 if full else TINY_TOKENS,
        "mel_length_compression": 1024,
        "use_mel_codes_as_input": True,
        "train_solo_embeddings": False,
        "condition_type": "conformer_perceiver",
        "condition_module": _conformer(full, 2048, 8, 6),
    }


def _conformer(full: bool, units: int, heads: int, blocks: int) -> dict[str, Any]:
    return {
        "output_size": 512 if full else 16,
        "linear_units": units if full else 16,
        "attention_heads": heads if full else 1,
        "num_blocks": blocks if full else 1,
        "input_layer": "conv2d2",
        "perceiver_mult": 2 if full else 1,
    }


def _codec(full: bool, codes: int) -> dict[str, Any]:
    return {
        "codebook_size": codes,
        "hidden_size": 1024,
        "codebook_dim": 8,
        "vocos_dim": 384 if full else 16,
        "vocos_intermediate_dim": 2048 if full else 16,
        "vocos_num_layers": 12 if full else 1,
    }


def _s2mel(full: bool) -> dict[str, Any]:
    width = 512 if full else 32
    spectrum = {**MEL, "n_mels": 80, "fmin": 0, "fmax": "None"}
    return {
        "preprocess_params": {"sr": 22050, "spect_params": spectrum},
        "dit_type": "DiT",
        "reg_loss_type": "l1",
        "style_encoder": {"dim": 192},
        "length_regulator": {
            "channels": width,
            "is_discrete": False,
            "in_channels": 1024,
            "content_codebook_size": 2048 if full else 32,
            "sampling_ratios": [1, 1, 1, 1],
            "vector_quantize": False,
            "n_codebooks": 1,
            "quantizer_dropout": 0.0,
            "f0_condition": False,
            "n_f0_bins": 512,
        },
        "DiT": {
            "hidden_dim": width,
            "num_heads": 8 if full else 2,
            "depth": 13 if full else 3,
            "class_dropout_prob": 0.1,
            "block_size": 8192,
            "in_channels": 80,
            "style_condition": True,
            "final_layer_type": "wavenet",
            "target": "mel",
            "content_dim": width,
            "content_codebook_size": 1024 if full else 32,
            "content_type": "discrete",
            "f0_condition": False,
            "n_f0_bins": 512,
            "content_codebooks": 1,
            "is_causal": False,
            "long_skip_connection": True,
            "zero_prompt_speech_token": False,
            "time_as_token": False,
            "style_as_token": False,
            "uvit_skip_connection": True,
            "add_resblock_in_transformer": False,
        },
        "wavenet": {
            "hidden_dim": width,
            "num_layers": 8 if full else 2,
            "kernel_size": 5,
            "dilation_rate": 1,
            "p_dropout": 0.2,
            "style_condition": True,
        },
    }


def vocoder(size: str) -> dict[str, Any]:
    """BigVGAN's own ``config.json``: 256 samples to a mel frame in both sizes."""
    shape: dict[str, Any] = {
        "upsample_rates": [8, 8, 4],
        "upsample_kernel_sizes": [16, 16, 8],
        "upsample_initial_channel": 32,
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1]],
    }
    if size == "full":
        shape = {
            "upsample_rates": [4, 4, 2, 2, 2, 2],
            "upsample_kernel_sizes": [8, 8, 4, 4, 4, 4],
            "upsample_initial_channel": 1536,
            "resblock_kernel_sizes": [3, 7, 11],
            "resblock_dilation_sizes": [[1, 3, 5]] * 3,
        }
    return {
        **shape,
        "resblock": "1",
        "activation": "snakebeta",
        "snake_logscale": True,
        "use_tanh_at_final": False,
        "use_bias_at_final": False,
        "num_mels": 80,
        "n_fft": 1024,
        "hop_size": 256,
        "win_size": 1024,
        "sampling_rate": 22050,
        "fmin": 0,
        "fmax": None,
    }
