"""Continuous batching: every row says what the package's own serial run says, whoever decodes beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("indextts25")
import torch

from index_tts_ui.engines.indextts.decode import Decoder
from index_tts_ui.engines.indextts.gpt import Gpt
from index_tts_ui.engines.indextts.transformer import Attend
from index_tts_ui.engines.indextts.types import Decoded, Sampling

from . import gpts

GREEDY = Sampling(greedy=True, max_codes=gpts.MOST)
DRAWN = Sampling(max_codes=gpts.MOST)  # the page's defaults
LENGTH = 160  # positions of a slot: the longest prefix and its codes

torch.set_num_threads(1)


@dataclass(frozen=True)
class World:
    """One version's GPT and its segments."""

    gpt: Gpt
    cases: list[gpts.Case]

    def prefix(self, case: int) -> torch.Tensor:
        found = self.cases[case]
        return self.gpt.prefix(found.ids, "en", found.voice, found.emotion)

    def decoder(self, slots: int = 4, **other: int | bool | None) -> Decoder:
        return Decoder(self.gpt, slots, LENGTH, **other)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["2.5", "2"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A small GPT with loud weights and seven segments with the package's codes."""
    with torch.no_grad():
        gpt = gpts.made(request.param)
        yield World(gpt, gpts.cases(gpt))


def run(
    decoder: Decoder,
    rows: dict[str, tuple[torch.Tensor, Sampling]],
    joins: Callable[[int], bool] = lambda step: True,
) -> dict[str, Decoded]:
    """Decode ``rows``; one more joins, in order, at each step for which ``joins`` says so."""
    waiting, done = list(rows.items()), {}
    for step in range(100 * len(rows) + 100):
        if waiting and decoder.free and (joins(step) or not decoder.busy):
            name, (prefix, rules) = waiting.pop(0)
            decoder.add(name, prefix, rules)
        for found in decoder.step():
            assert found.row_id not in done
            done[found.row_id] = found
        if not waiting and not decoder.busy:
            return done
    raise AssertionError(f"the decoder did not finish: {sorted(rows.keys() - done.keys())} are missing")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(7)),
    slots=st.integers(1, 7),
    every=st.integers(1, 9),
    lag=st.integers(0, 2),
    padded=st.booleans(),
    prefill=st.sampled_from([1, 60, 4096]),
)
def test_greedy_codes_are_the_packages(
    world: World, order: list[int], slots: int, every: int, lag: int, padded: bool, prefill: int
) -> None:
    """Whoever joins when, however many slots, with the host late and steps padded as on a GPU."""
    decoder = world.decoder(slots, lag=lag, padded=padded, prefill_positions=prefill)
    done = run(
        decoder, {str(case): (world.prefix(case), GREEDY) for case in order}, lambda step: step % every == 0
    )
    for case in order:
        wanted = world.cases[case].codes
        assert torch.equal(done[str(case)].codes, wanted)
        assert done[str(case)].complete == (len(wanted) < gpts.MOST)
    assert decoder.free == slots


def test_segments_of_the_test_tell_rows_apart(world: World) -> None:
    """No two segments say the same, some stop by themselves and some are cut: else the tests above prove little."""
    said = [case.codes.tolist() for case in world.cases]
    assert len({tuple(codes[:5]) for codes in said}) == len(said)
    assert len({code for codes in said for code in codes}) > 100
    assert any(len(codes) == gpts.MOST for codes in said)
    assert sum(len(codes) < gpts.MOST for codes in said) >= 2


def test_a_seeded_row_is_the_same_alone_and_among_others(world: World) -> None:
    """Sampled codes depend on the row's seed and rules only, and a run repeats bit for bit."""
    rows = {
        str(case): (
            world.prefix(case),
            replace(DRAWN, seed=1000 + case, top_k=(30, 0, 5)[case % 3], temperature=0.5 + 0.2 * case),
        )
        for case in range(7)
    }
    together = run(world.decoder(5), rows, lambda step: step % 3 == 0)
    again = run(world.decoder(5), rows, lambda step: step % 3 == 0)
    for name, row in rows.items():
        alone = run(world.decoder(1), {name: row})[name]
        assert torch.equal(together[name].codes, alone.codes)
        assert torch.equal(together[name].codes, again[name].codes)


def test_seeds_matter(world: World) -> None:
    """Other seeds say other things; the same seed, the same."""
    rows = {str(seed): (world.prefix(1), replace(DRAWN, seed=seed % 3)) for seed in range(6)}
    done = run(world.decoder(6), rows)
    assert len({tuple(found.codes.tolist()) for found in done.values()}) == 3
    assert torch.equal(done["0"].codes, done["3"].codes)


def test_the_start_code_is_never_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However likely the weights make it: the codec has no sound for it. A row that draws from everything, too."""
    weight, bias = world.gpt._head
    likely = bias.clone()
    likely[world.gpt.start] += 50
    monkeypatch.setattr(world.gpt, "_head", (weight, likely))
    wild = Sampling(max_codes=gpts.MOST, top_k=0, top_p=1.0, temperature=2.0)
    rules = {"greedy": GREEDY, "drawn": DRAWN, "wild": wild}
    done = run(world.decoder(3), {name: (world.prefix(1), one) for name, one in rules.items()})
    for name in rules:
        assert len(done[name].codes) and done[name].codes.max() < gpts.CODES
    assert torch.equal(done["greedy"].codes, world.cases[1].codes), "and nothing else has changed"


def test_a_row_is_cut_at_its_own_limit(world: World) -> None:
    """Each row by its own max_codes, as the package cuts; by the slot's end where that comes first."""
    limits = (1, 2, 10)
    rows = {str(limit): (world.prefix(1), replace(GREEDY, max_codes=limit)) for limit in limits}
    done = run(world.decoder(3), rows)
    for limit in limits:
        assert torch.equal(done[str(limit)].codes, world.cases[1].codes[:limit])
        assert not done[str(limit)].complete
    prefix = world.prefix(1)
    tight = Decoder(world.gpt, 2, len(prefix) + 7)
    assert len(run(tight, {"tight": (prefix, GREEDY)})["tight"].codes) == 7


def test_a_row_that_stops_at_once_has_no_codes(world: World) -> None:
    """An empty row beside one that speaks."""
    bias = world.gpt.gpt.mel_head.bias
    kept = bias[world.gpt.stop].item()
    rows = {"empty": (world.prefix(0), GREEDY)}
    try:
        bias[world.gpt.stop] = 1000.0
        done = run(Decoder(type(world.gpt)(world.gpt.gpt), 2, LENGTH), rows)
    finally:
        bias[world.gpt.stop] = kept
    assert done["empty"].codes.shape == (0,)
    assert done["empty"].complete


def test_cancelled_rows_leave_the_others_alone(world: World) -> None:
    """Cancelled while waiting, just joined, in the middle; with and without lag."""
    for lag in (0, 1):
        decoder = world.decoder(4, lag=lag, padded=bool(lag))
        for case in (1, 2, 3, 6):
            decoder.add(str(case), world.prefix(case), GREEDY)
        decoder.cancel("1")
        done = {found.row_id: found for found in decoder.step()}
        decoder.cancel("2")
        assert decoder.free == 2
        decoder.add("4", world.prefix(4), GREEDY)
        for _ in range(5):
            done |= {found.row_id: found for found in decoder.step()}
        decoder.cancel("3")
        decoder.cancel("nobody")
        while decoder.busy:
            done |= {found.row_id: found for found in decoder.step()}
        assert done.keys() == {"4", "6"}
        for case in (4, 6):
            assert torch.equal(done[str(case)].codes, world.cases[case].codes)


def test_numbers_out_of_range_cost_their_own_row_only(world: World) -> None:
    """A row of NaN comes back empty and incomplete; its neighbours, and the next row in its slot, are sound."""
    for lag in (0, 1):
        decoder = world.decoder(3, lag=lag, padded=bool(lag))
        rows = {str(case): (world.prefix(case), GREEDY) for case in (0, 1, 2, 3, 4, 5)}
        rows = {"sick": (torch.full_like(world.prefix(5), torch.nan), GREEDY), **rows}
        done = run(decoder, rows, lambda step: step % 2 == 0)
        assert len(done["sick"].codes) == 0
        assert not done["sick"].complete
        for case in range(6):
            assert torch.equal(done[str(case)].codes, world.cases[case].codes)


def test_short_of_memory_prefixes_come_in_smaller_parts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rows at once are too many: they join one by one; where one is too many, nobody is lost."""
    decoder = world.decoder(4)
    forward, most = decoder.gpt.transformer.forward, 1

    def short(x: torch.Tensor, attend: Attend) -> torch.Tensor:
        if x.shape[1] > 1 and len(x) > most:
            raise torch.OutOfMemoryError("no memory")
        return forward(x, attend)

    monkeypatch.setattr(decoder.gpt.transformer, "forward", short)
    done = run(decoder, {})
    for case in (1, 2, 4):
        decoder.add(str(case), world.prefix(case), GREEDY)
    for _ in range(3):
        done |= {found.row_id: found for found in decoder.step()}
    most = 0
    decoder.add("5", world.prefix(5), GREEDY)
    with pytest.raises(torch.OutOfMemoryError):
        decoder.step()
    assert decoder.free == 0
    most = 1
    done |= run(decoder, {})
    for case in (1, 2, 4, 5):
        assert torch.equal(done[str(case)].codes, world.cases[case].codes)


def test_what_does_not_fit_is_refused(world: World) -> None:
    """One line each, and the decoder goes on."""
    decoder = world.decoder(1)
    with pytest.raises(ValueError, match="positions"):
        decoder.add("long", torch.zeros(LENGTH, world.gpt.width), GREEDY)
    decoder.add("1", world.prefix(1), GREEDY)
    with pytest.raises(ValueError, match="slots"):
        decoder.add("2", world.prefix(2), GREEDY)
    assert torch.equal(run(decoder, {}).get("1", Decoded("", torch.zeros(0))).codes, world.cases[1].codes)


def test_steps_come_in_few_shapes(world: World) -> None:
    """A graph's shapes: never smaller than asked, few, and little padding."""
    decoder = Decoder(world.gpt, 64, 1700, padded=True)
    rows = [decoder._row_bucket(count) for count in range(1, 65)]
    lengths = [decoder._length_bucket(length) for length in range(1, 1701)]
    assert len(set(rows)) <= 12
    assert len(set(lengths)) <= 20
    assert all(count <= bucket <= max(4, 1.6 * count) for count, bucket in enumerate(rows, 1))
    assert all(
        length <= bucket <= max(length + 64, 1.25 * length) for length, bucket in enumerate(lengths, 1)
    )


def test_memory_of_a_slot_can_be_known_beforehand(world: World) -> None:
    """What ``slot_bytes`` says is what the decoder takes."""
    decoder = world.decoder(3)
    assert decoder._cache.data.nbytes == 3 * Decoder.slot_bytes(world.gpt, LENGTH)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_graphs_say_what_the_package_says(world: World) -> None:
    """On a GPU in fp32, through captured graphs."""
    gpt = type(world.gpt)(world.gpt.gpt.to("cuda"))
    try:
        on_gpu = [
            replace(
                case,
                voice=replace(case.voice, latent=case.voice.latent.cuda()),
                emotion=case.emotion.cuda(),
            )
            for case in world.cases
        ]
        rows = {
            str(at): (gpt.prefix(case.ids, "en", case.voice, case.emotion), GREEDY)
            for at, case in enumerate(on_gpu)
        }
        decoder = Decoder(gpt, 4, LENGTH)
        decoder.prepare([1, 4], [LENGTH])
        done = run(decoder, rows, lambda step: step % 3 == 0)
        assert decoder.graphs > 2
        for at, case in enumerate(world.cases):
            assert torch.equal(done[str(at)].codes.cpu(), case.codes)
    finally:
        world.gpt.gpt.to("cpu")
