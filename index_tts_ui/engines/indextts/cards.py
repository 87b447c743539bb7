"""Which number type the GPT and the clip encoder run in, by what the device can do and how much it holds."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import BadConfig

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_GIB = 1 << 30
SMALL = 6 * _GIB  # below it the clip encoder, too, is kept in 16 bits: 0.8 GiB less
ROOMY = 12 * _GIB  # from it, a device without 16-bit arithmetic of its own does better in 32


@dataclass(frozen=True, slots=True)
class Dtypes:
    """``gpt``: the rows' transformer; ``w2v``: the encoder of clips. The other stages have types of their own."""

    gpt: torch.dtype
    w2v: torch.dtype
    why: str  # for the log


@dataclass(frozen=True, slots=True)
class Card:
    """What decides. ``memory``: bytes that we may use; ``bf16``, ``fp16``: in the hardware."""

    name: str
    memory: int
    bf16: bool
    fp16: bool

    @classmethod
    def of(cls, device: torch.device, memory_mb: int = 0) -> Card:
        """``memory_mb``: a budget; 0 is all that the device has."""
        if device.type != "cuda":
            return cls(device.type.upper(), memory_mb << 20, False, False)
        seen = torch.cuda.get_device_properties(device)
        memory = min(memory_mb << 20 or seen.total_memory, seen.total_memory)
        version = (seen.major, seen.minor)
        return cls(seen.name, memory, version >= (8, 0), version >= (7, 0))


def choose(device: torch.device, wanted: str = "auto", memory_mb: int = 0) -> Dtypes:
    """``wanted``: "auto", or a key of TYPES for the GPT.

    Raises:
        BadConfig: there is no such type.
    """
    if wanted not in ("auto", *TYPES):
        reason = f"dtype={wanted} is not one of auto, {', '.join(TYPES)}"
        raise BadConfig("bad_config", name="engine_options", reason=reason)
    return decide(Card.of(device, memory_mb), device.type, wanted)


def decide(card: Card, kind: str, wanted: str = "auto") -> Dtypes:
    """A pure function of the card. ``kind``: of device, "cuda" or "cpu"."""
    if kind != "cuda":
        gpt = TYPES.get(wanted, torch.float32)
        return Dtypes(gpt, torch.float32, f"{card.name}: {_name(gpt)}")
    if wanted != "auto":
        gpt = TYPES[wanted]
    elif card.bf16:
        gpt = torch.bfloat16
    elif card.fp16 or card.memory < ROOMY:
        gpt = torch.float16
    else:
        gpt = torch.float32
    half = torch.bfloat16 if card.bf16 else torch.float16
    w2v = half if card.memory < SMALL and wanted != "fp32" else torch.float32
    room = f"{card.memory / _GIB:.1f} GiB for us"
    small = f", clip encoder in {_name(w2v)} to save memory" if w2v != torch.float32 else ""
    return Dtypes(gpt, w2v, f"{card.name}, {room}: GPT in {_name(gpt)}{small}")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
