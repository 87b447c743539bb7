"""The sampler: what it keeps is what transformers keeps, and its noise is fair and nobody else's business."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch

from index_tts_ui.engines.indextts import sampler
from index_tts_ui.engines.indextts.rows import signed

VOCABULARY = 400  # more than sampler.CANDIDATES

torch.set_num_threads(1)


def rules(rows: int = 1, **other: float) -> sampler.Rules:
    """The same rules for every row, seeds 0, 1, 2, ..."""
    values = {"temperature": 1.0, "penalty": 1.0, "tail": 0.0, "noise": 1.0, "top_k": VOCABULARY, **other}
    top_k = int(values.pop("top_k"))
    floats = {name: torch.full((rows,), value) for name, value in values.items()}
    return sampler.Rules(**floats, top_k=torch.full((rows,), top_k), seed=torch.arange(rows))


def unseen(logits: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(logits, dtype=torch.bool)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    penalty=st.floats(1.0, 20.0),
    temperature=st.floats(0.1, 2.0),
    top_k=st.integers(0, 300),
    top_p=st.floats(0.05, 0.99),
)
def test_kept_codes_are_those_of_transformers(
    seed: int, penalty: float, temperature: float, top_k: int, top_p: float
) -> None:
    """Penalty, temperature, top-k and top-p leave the codes and the values that its processors leave."""
    from transformers import generation as hf

    logits = torch.randn(1, VOCABULARY, generator=torch.Generator().manual_seed(seed)) * 4
    spoken = torch.randint(VOCABULARY, (1, 30), generator=torch.Generator().manual_seed(seed + 1))
    seen = unseen(logits).scatter(1, spoken, True)
    theirs = hf.RepetitionPenaltyLogitsProcessor(penalty)(spoken, logits.clone())
    theirs = hf.TemperatureLogitsWarper(temperature)(spoken, theirs)
    if top_k:
        theirs = hf.TopKLogitsWarper(top_k)(spoken, theirs)
    theirs = hf.TopPLogitsWarper(top_p)(spoken, theirs)

    scores = sampler.penalised(logits, seen, torch.tensor([penalty])) / temperature
    values, codes = scores.sort(descending=True)
    keep = sampler.kept(values, torch.tensor([top_k or VOCABULARY]), torch.tensor([1 - top_p]))
    ours = torch.full_like(logits, -torch.inf).scatter(1, codes, values.masked_fill(~keep, -torch.inf))
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


def test_noise_is_splitmix64() -> None:
    """The bits are those of SplitMix64 in unsigned arithmetic, for small, large and negative seeds."""

    def mix(state: int) -> int:
        mask = (1 << 64) - 1
        state = (state + 0x9E3779B97F4A7C15) & mask
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
        return state ^ (state >> 31)

    codes = torch.tensor([[0, 1, 2, 8193]])
    for seed in (0, 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1):
        for step in (0, 1, 1499):
            key = mix((mix(seed) + step * 0x9E3779B97F4A7C15) & ((1 << 64) - 1))
            bits = [
                mix((key + (code + 1) * 0x9E3779B97F4A7C15) & ((1 << 64) - 1)) >> 41
                for code in codes[0].tolist()
            ]
            wanted = -np.log(-np.log((np.array(bits) + 0.5) / 2**23))
            found = sampler.gumbel(torch.tensor([signed(seed)]), torch.tensor([step]), codes)
            np.testing.assert_allclose(found[0].numpy(), wanted, rtol=1e-4, atol=1e-5)


def test_noise_is_always_finite() -> None:
    """The ends of the uniform range, too: neither logarithm meets 0."""
    for bits in (0.0, 2.0**23 - 1):
        uniform = (torch.tensor(bits) + 0.5) * 2.0**-23
        assert 0 < uniform < 1
        assert (-(-uniform.log()).log()).isfinite()


def test_noise_is_gumbel_and_unrelated_between_seeds_steps_and_codes() -> None:
    """Mean, variance and tail of 10^6 values; no correlation along any of the three counters."""
    rows, steps, codes = 40, 50, 500
    seeds = torch.arange(rows).repeat_interleave(steps)
    counter = torch.arange(steps).repeat(rows)
    noise = sampler.gumbel(seeds, counter, torch.arange(codes).expand(rows * steps, -1))
    assert abs(noise.mean().item() - 0.5772) < 0.005  # Euler's constant; the error of the mean is 0.0013
    assert abs(noise.var().item() - np.pi**2 / 6) < 0.02
    assert abs((noise > 3).float().mean().item() - (1 - np.exp(-np.exp(-3)))) < 0.001
    cube = noise.view(rows, steps, codes) - noise.mean()
    for axis in range(3):
        size = cube.shape[axis] - 1
        product = cube.narrow(axis, 0, size) * cube.narrow(axis, 1, size)
        assert abs(product.mean().item() / noise.var().item()) < 0.006  # 6 standard errors


def test_choices_follow_the_softmax() -> None:
    """Chi-square of 40,000 draws against the probabilities, over seeds and over steps."""
    probabilities = torch.tensor([0.5, 0.2, 0.15, 0.1, 0.04, 0.01])
    rows = 40_000
    logits = probabilities.log().expand(rows, -1)
    for seed, step in ((torch.arange(rows), 3), (torch.full((rows,), 5), None)):
        rule = rules(rows)
        rule = sampler.Rules(rule.temperature, rule.penalty, rule.tail, rule.noise, rule.top_k, seed)
        steps = torch.arange(rows) if step is None else torch.full((rows,), step)
        drawn = sampler.choose(logits, unseen(logits), steps, rule, wide=True)
        counts = torch.bincount(drawn, minlength=6)
        wanted = probabilities * rows
        assert ((counts - wanted) ** 2 / wanted).sum() < 25.7  # 5 degrees of freedom, p = 0.0001


def test_a_row_is_the_same_alone_and_among_any_neighbours() -> None:
    """Bit for bit, also where a neighbour's rules need the whole vocabulary in order."""
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(64, VOCABULARY, generator=generator)
    seen = torch.rand(64, VOCABULARY, generator=generator) < 0.1
    steps = torch.randint(100, (64,), generator=generator)
    rule = sampler.Rules(
        temperature=torch.rand(64, generator=generator) + 0.3,
        penalty=torch.rand(64, generator=generator) * 10 + 1,
        tail=torch.rand(64, generator=generator),
        noise=torch.ones(64),
        top_k=torch.randint(0, 9, (64,), generator=generator),
        seed=torch.randint(-(2**62), 2**62, (64,), generator=generator),
    )
    rule.top_k[rule.top_k == 0] = VOCABULARY
    assert (rule.top_k == VOCABULARY).any()
    together = sampler.choose(logits, seen, steps, rule, wide=True)
    for row in range(64):
        at = slice(row, row + 1)
        own = sampler.Rules(*(getattr(rule, name)[at] for name in rule.__slots__))
        wide = own.top_k.item() > sampler.CANDIDATES
        alone = sampler.choose(logits[at], seen[at], steps[at], own, wide)
        assert alone.item() == together[row].item()


def test_without_noise_the_likeliest_code_wins() -> None:
    """Greedy rows, whatever top-k says."""
    logits = torch.randn(32, VOCABULARY, generator=torch.Generator().manual_seed(4))
    rule = rules(32, noise=0.0, top_k=1)
    chosen = sampler.choose(logits, unseen(logits), torch.zeros(32, dtype=torch.long), rule, False)
    assert torch.equal(chosen, logits.argmax(-1))


def test_tight_rules_never_leave_their_codes() -> None:
    """Over 2,000 draws, top-k 5 yields all of the five likeliest codes and no other."""
    logits = torch.randn(1, VOCABULARY, generator=torch.Generator().manual_seed(5)).expand(2000, -1)
    none = torch.zeros(2000, dtype=torch.long)
    drawn = sampler.choose(logits, unseen(logits), none, rules(2000, top_k=5, temperature=3.0), False)
    assert set(drawn.tolist()) == set(logits[0].topk(5).indices.tolist())
    drawn = sampler.choose(logits, unseen(logits), none, rules(2000, tail=1 - 1e-6), True)
    assert set(drawn.tolist()) == {int(logits[0].argmax())}
