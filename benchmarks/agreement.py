"""How often a code drawn in a batch is the code drawn alone, by number type: measured, not promised.

    python -m benchmarks.agreement [--version 2.5|2] [--size tiny|full] [--device auto|cpu|cuda:0]

In float32 on a CPU every code is the same, which the tests assert. In 16 bits, or on a GPU, a batch of another
size adds numbers in another order, and a draw may fall otherwise; from there on the row goes its own way. So
two figures: the share of codes equal up to the first difference, and the share of rows without any.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

from . import lab

ROWS = (2, 8, 32)
CODES = 100
TYPES = ("fp32", "bf16", "fp16")
HEADS = ("type", "rows", "codes as alone", "rows as alone", "codes as alone in fp32")


def main() -> None:
    """Print the table, write results/agreement-*.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agreement", description=__doc__)
    parser.add_argument("--version", choices=("2.5", "2"), default="2.5")
    parser.add_argument("--size", choices=("tiny", "full"), default="tiny")
    parser.add_argument("--device", default="auto")
    asked = parser.parse_args()
    import torch

    from tests.indextts.checkpoint import made

    name = asked.device if asked.device != "auto" else ("cuda:0" if torch.cuda.is_available() else "cpu")
    folder = made({"2.5": "v25", "2": "v2"}[asked.version], asked.size, "never")
    rows: list[list[Any]] = []
    reference: list[list[int]] | None = None
    for dtype in TYPES if name != "cpu" else TYPES[:2]:
        alone, together = _decoded(folder, asked.version, torch.device(name), dtype)
        reference = reference or alone
        for count, found in together.items():
            share, whole = _agreement(alone[:count], found)
            rows.append([dtype, count, share, whole, _agreement(reference[:count], found)[0]])
    print(f"IndexTTS-{asked.version}, {asked.size}, {name}, {CODES} codes a row\n")
    print(lab.table(HEADS, [[*row[:2], *(f"{share:.1%}" for share in row[2:])] for row in rows]))
    found_all = [dict(zip(HEADS, row, strict=True)) for row in rows]
    lab.write(f"agreement-{asked.version}-{asked.size}-{name.partition(':')[0]}", {"rows": found_all})


def _decoded(
    folder: Path, version: str, device: Any, dtype: str
) -> tuple[list[list[int]], dict[int, list[list[int]]]]:
    """Each row's codes alone, and in batches of ROWS."""
    from index_tts_ui.engines.indextts import weights
    from index_tts_ui.engines.indextts.gpt import adapter
    from index_tts_ui.engines.indextts.warm import voice_of_noise

    modules = weights.load(folder, version, device, dtype)
    gpt = adapter(version, modules.gpt, modules.dtype)
    voice = voice_of_noise(modules, gpt)
    chance = random.Random(1)
    texts = [[chance.randrange(300, 3000) for _ in range(chance.randint(10, 60))] for _ in range(max(ROWS))]
    prefixes = [gpt.prefix(text, "zh", voice, voice.emotion) for text in texts]
    alone = [_run(gpt, [prefix], [number])[0] for number, prefix in enumerate(prefixes)]
    return alone, {count: _run(gpt, prefixes[:count], list(range(count))) for count in ROWS}


def _run(gpt: Any, prefixes: list[Any], seeds: list[int]) -> list[list[int]]:
    from index_tts_ui.engines.indextts.decode import Decoder
    from index_tts_ui.engines.indextts.types import Sampling

    longest = max(len(prefix) for prefix in prefixes)
    decoder = Decoder(gpt, len(prefixes), longest + CODES + 1)
    for number, (prefix, seed) in enumerate(zip(prefixes, seeds, strict=True)):
        decoder.add(str(number), prefix, Sampling(max_codes=CODES, seed=seed))
    found: dict[int, list[int]] = {}
    while decoder.busy:
        found |= {int(item.row_id): item.codes.tolist() for item in decoder.step()}
    return [found[number] for number in range(len(prefixes))]


def _agreement(wanted: list[list[int]], found: list[list[int]]) -> tuple[float, float]:
    """The share of codes before each row's first difference, and of rows without one."""
    same = [_common(one, other) / max(1, len(one)) for one, other in zip(wanted, found, strict=True)]
    return sum(same) / len(same), sum(share == 1.0 for share in same) / len(same)


def _common(one: list[int], other: list[int]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


if __name__ == "__main__":
    main()
