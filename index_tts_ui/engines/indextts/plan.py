"""How many rows fit: from the memory that is left once the weights are there, never by luck."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from .decode import Decoder
from .gpt import Gpt

TEXT_TOKENS = 320  # of a segment, at most; see parameters.PARAMETERS["segment_tokens"]
SHORTEST = 768  # positions of a slot, where memory is short: some 20 s of v2.5's codes, 10 s of v2's
WANTED = 4  # rows below which slots are made shorter rather than fewer
ALIGNED = 64  # positions: what attention kernels like
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What the stages may take. ``slots`` rows of ``positions``; ``clips`` bytes of encoded voices;
    ``frames`` of one diffusion step, ``windows`` frames of one vocoder step."""

    slots: int
    positions: int
    clips: int
    frames: int
    windows: int

    def __str__(self) -> str:
        return (
            f"{self.slots} rows of {self.positions} positions, {self.clips // _MIB} MiB for voices, "
            f"{self.frames} frames a diffusion step"
        )


def make(gpt: Gpt, device: torch.device, max_rows: int, memory_mb: int = 0, kept: int = 0) -> Plan:
    """The plan for ``device``, on which the weights are. ``memory_mb``: see ``EngineOptions``; weights count.

    ``kept``: bytes for what comes later (the emotion model, with its first description).
    """
    longest = gpt.prefix_length([]) + min(gpt.max_text, TEXT_TOKENS) + gpt.max_codes
    per_position = Decoder.slot_bytes(gpt, 1)
    return fit(room(device, memory_mb) - kept, per_position, longest, max_rows, device.type == "cuda")


def room(device: torch.device, memory_mb: int = 0) -> int:
    """Bytes that may still be taken."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        used = torch.cuda.memory_reserved(device)
        return min(free, (memory_mb * _MIB - used) if memory_mb else free)
    # Half of what the machine has free now: others live here, too.
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free // 2, memory_mb * _MIB or free)


def fit(memory: int, per_position: int, longest: int, max_rows: int, gpu: bool) -> Plan:
    """A pure function of ``memory`` bytes: a third (at least 1 GiB on a GPU, where there is so much) for the
    passing tensors of the later stages and the voices, the rest for slots."""
    memory = max(memory, 0)
    passing = max(memory // 3, min(1024 * _MIB, memory // 2)) if gpu else memory // 3
    shared = (memory - passing) // (WANTED * per_position) // ALIGNED * ALIGNED
    positions = min(-(-longest // ALIGNED) * ALIGNED, max(SHORTEST, shared))
    slots = max(1, min(max_rows, (memory - passing) // (positions * per_position)))
    small = passing < 1536 * _MIB
    return Plan(
        slots=slots,
        positions=positions,
        clips=max(64 * _MIB, min(1024 * _MIB, passing // 4)),
        frames=(4096 if small else 12288) if gpu else 4096,
        windows=1024 if small and gpu else 2048,
    )
