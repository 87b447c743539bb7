"""The number types that mel and sound may be computed in, as options: fp32, tf32 and bf16."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

Precision = Literal["fp32", "tf32", "bf16"]


def compute_dtype(precision: Precision) -> torch.dtype:
    """What weights and activations are kept in; tf32 only rounds the factors of products."""
    return torch.bfloat16 if precision == "bf16" else torch.float32


@contextmanager
def products(precision: Precision) -> Iterator[None]:
    """Matrix products and convolutions inside are in TF32 where ``precision`` says so, else in full float32."""
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, conv.allow_tf32
    matmul.allow_tf32 = conv.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        matmul.allow_tf32, conv.allow_tf32 = before
