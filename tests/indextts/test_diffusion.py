"""Mels made many at a time are those that the packages make one at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from index_tts_ui.engines.indextts.diffusion import Diffuser
from index_tts_ui.engines.indextts.features import Features
from index_tts_ui.engines.indextts.packs import Shaper
from index_tts_ui.errors import BadConfig

from .s2mel import CPU, TOLERANCE, Row, alone, stages

torch.set_num_threads(1)
SCALE = 10.0  # of a log mel: from about -11.5 to 2

rows = st.builds(
    Row,
    prompt=st.integers(3, 70),
    target=st.integers(1, 60),
    seed=st.integers(0, 2**63 - 1),
    steps=st.integers(1, 6),
    guidance=st.sampled_from([0.0, 0.7, 2.0]),
    joins=st.integers(0, 6),
)


@pytest.fixture(params=["2.5", pytest.param("2", marks=pytest.mark.slow)])
def both(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each version's modules."""
    version = request.param
    if version == "2":
        import indextts.s2mel.modules.flow_matching as theirs

        monkeypatch.setattr(theirs, "tqdm", lambda steps: steps)  # it draws a progress bar
    return stages(request.getfixturevalue("package" + version.replace(".", "")), version)


def width(modules: Any) -> int:
    return modules.regulator.content_in_proj.out_features


def run(
    modules: Any, orders: list[Row], budget: int | None = None, exact: bool | None = None, limit: int = 500
) -> dict[str, Tensor]:
    """Every row's mel, the rows joining when they say."""
    diffuser = Diffuser(modules.cfm, CPU, budget=budget, exact=exact)
    waiting, done = dict(enumerate(orders)), {}
    for step in range(limit):
        for index in [index for index, row in waiting.items() if row.joins <= step]:
            row = waiting.pop(index)
            diffuser.add(
                str(index),
                row.mu(width(modules)),
                row.voice(width(modules)),
                row.seed,
                row.steps,
                row.guidance,
            )
        done.update(diffuser.step())
        if not waiting and not diffuser.busy():
            return done
    raise AssertionError(f"rows were left over after {limit} steps")


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    orders=st.lists(rows, min_size=1, max_size=5),
    budget=st.sampled_from([64, 300, 4096]),
    exact=st.booleans(),
)
def test_rows_that_join_at_any_step_get_the_mels_of_the_package(
    both: Any, orders: list[Row], budget: int, exact: bool
) -> None:
    """Whatever the lengths, prompts, steps, guidance, times of joining and the budget, with padding and without."""
    made = run(both, orders, budget, exact)
    assert len(made) == len(orders)
    for index, row in enumerate(orders):
        expected = alone(both.cfm, row, width(both))
        assert made[str(index)].shape == (80, row.target)
        assert (made[str(index)] - expected).abs().max() < TOLERANCE * SCALE


@pytest.mark.parametrize("exact", [True, False])
def test_a_row_is_the_same_alone_and_among_others_and_again(both: Any, exact: bool) -> None:
    """A neighbour of another length, which makes padding, changes nothing; a run repeats bit for bit."""
    row = Row(prompt=90, target=200, seed=7)
    others = [Row(prompt=40, target=30, seed=8), Row(prompt=150, target=220, seed=9, joins=2, steps=9)]
    single = run(both, [row])["0"]
    among = run(both, [row, *others], exact=exact)
    assert (among["0"] - single).abs().max() < TOLERANCE
    again = run(both, [row, *others], exact=exact)
    assert all(torch.equal(among[key], again[key]) for key in among)


@pytest.mark.parametrize("exact", [True, False])
def test_a_row_that_became_nan_leaves_its_neighbours_alone(both: Any, exact: bool) -> None:
    """One row's fault is its own."""
    good, bad = Row(prompt=20, target=50, seed=1), Row(prompt=30, target=70, seed=2)
    diffuser = Diffuser(both.cfm, CPU, exact=exact)
    for name, row in (("good", good), ("bad", bad)):
        mu = row.mu(width(both))
        if name == "bad":
            mu[-5:] = torch.nan
        diffuser.add(name, mu, row.voice(width(both)), row.seed, row.steps, row.guidance)
    made: dict[str, Tensor] = {}
    for _ in range(row.steps):
        made.update(diffuser.step())
    assert made["bad"].isnan().any()
    assert (made["good"] - alone(both.cfm, good, width(both))).abs().max() < TOLERANCE * SCALE


def test_the_packages_rows_in_one_padded_batch_would_be_wrong(both: Any) -> None:
    """Why the own forward is there: the package's estimator, given padding, changes the row."""
    row = Row(prompt=40, target=60, seed=5, steps=1, guidance=0.0)
    voice, mu = row.voice(width(both)), row.mu(width(both))
    x = torch.randn(1, 80, 100)
    prompt = torch.nn.functional.pad(voice.mel, (0, 60))[None]
    given = (torch.tensor([100]), torch.zeros(1), voice.style[None])
    with torch.no_grad():
        right = both.cfm.estimator(x, prompt, *given, mu[None])
        pad = torch.nn.functional.pad
        wrong = both.cfm.estimator(
            pad(x, (0, 40)), pad(prompt, (0, 40)), *given, pad(mu[None], (0, 0, 0, 40))
        )
    assert (wrong[..., :100] - right).abs().max() > TOLERANCE


def test_cancelled_rows_yield_nothing_and_the_others_go_on(both: Any) -> None:
    """At any step; an unknown id is no error."""
    orders = {"a": Row(20, 30, 1), "b": Row(20, 40, 2), "c": Row(20, 0, 3)}
    diffuser = Diffuser(both.cfm, CPU)
    for name, row in orders.items():
        diffuser.add(name, row.mu(width(both)), row.voice(width(both)), row.seed, row.steps, row.guidance)
    assert diffuser.rows == 3
    diffuser.cancel("c")
    diffuser.cancel("nobody")
    done = diffuser.step()
    diffuser.cancel("b")
    for _ in range(10):
        done += diffuser.step()
    assert [name for name, _ in done] == ["a"]
    assert not diffuser.busy()
    assert diffuser.backlog == 0
    assert (done[0][1] - alone(both.cfm, orders["a"], width(both))).abs().max() < TOLERANCE * SCALE


def test_rows_in_the_padded_shapes_of_graphs_get_the_same_mels(
    both: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames rounded up, rows filled up: only these shapes ever come, and no row notices."""
    orders = [Row(40 + 7 * index, 90, index, steps=2 + index) for index in range(5)]
    shapes: list[tuple[int, ...]] = []
    make = Diffuser

    def graphed(*given: Any, **options: Any) -> Diffuser:
        diffuser = make(*given, **options)
        diffuser._shaper = Shaper(CPU, graphed=True)
        step = diffuser._euler
        monkeypatch.setattr(
            diffuser, "_euler", lambda *tensors: (shapes.append(tensors[0].shape), step(*tensors))[1]
        )
        return diffuser

    monkeypatch.setitem(globals(), "Diffuser", graphed)
    made = run(both, orders)
    assert {tuple(shape) for shape in shapes} == {
        (6, 256, 80),
        (4, 256, 80),
        (3, 256, 80),
        (2, 256, 80),
        (1, 256, 80),
    }
    for index, row in enumerate(orders):
        assert (made[str(index)] - alone(both.cfm, row, width(both))).abs().max() < TOLERANCE * SCALE


def test_a_step_without_memory_loses_nothing(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next ones take fewer rows; where one row alone is too much, no shrinking helps."""
    diffuser, orders = Diffuser(both.cfm, CPU), [Row(30, 60, seed) for seed in range(4)]
    for row in orders:
        diffuser.add(
            str(row.seed), row.mu(width(both)), row.voice(width(both)), row.seed, row.steps, row.guidance
        )
    diffuser.step()
    velocity = diffuser._estimator.velocity

    def hungry(x: Tensor, *others: Any) -> Any:
        if len(x) > 1:
            raise torch.OutOfMemoryError
        return velocity(x, *others)

    monkeypatch.setattr(diffuser._estimator, "velocity", hungry)
    for left in (4, 2):
        with pytest.raises(torch.OutOfMemoryError):
            diffuser.step()
        assert len(diffuser.ids()) == left
        assert diffuser.shrink()
    made: dict[str, Tensor] = {}
    while diffuser.busy():
        made.update(diffuser.step())
    for row in orders:
        assert (made[str(row.seed)] - alone(both.cfm, row, width(both))).abs().max() < TOLERANCE * SCALE
    assert not diffuser.shrink()


def test_a_row_without_speech_is_an_empty_mel(both: Any) -> None:
    """As after a GPT that stopped at once."""
    assert run(both, [Row(prompt=20, target=0, seed=3)])["0"].shape == (80, 0)


def test_short_rows_do_not_wait_for_a_long_one(both: Any) -> None:
    """Lanes take turns: 5 steps of the short row come within 10 steps, though the long one needs 30."""
    long, short = Row(300, 900, 1, steps=30), Row(30, 60, 2, joins=1)
    diffuser = Diffuser(both.cfm, CPU)
    for name, row in (("long", long), ("short", short)):
        diffuser.add(name, row.mu(width(both)), row.voice(width(both)), row.seed, row.steps, row.guidance)
    done = [name for _ in range(10) for name, _ in diffuser.step()]
    assert done == ["short"]


def test_too_many_frames_are_refused(both: Any) -> None:
    """Rather than a wrong position of a frame."""
    row = Row(10, 16384, 1)
    with pytest.raises(ValueError, match="16394 frames"):
        Diffuser(both.cfm, CPU).add("a", row.mu(width(both)), row.voice(width(both)), 1, 5, 0.7)


def test_another_kind_of_transformer_is_a_bad_config(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, when the engine loads: not a wrong sound later."""
    monkeypatch.setattr(both.cfm.estimator, "time_as_token", True)
    with pytest.raises(BadConfig, match=r"s2mel\.time_as_token"):
        Diffuser(both.cfm, CPU)


@pytest.mark.parametrize("count", [1, 2, 37])
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.37])
def test_features_are_those_of_the_package(both: Any, count: int, factor: float) -> None:
    """The same condition, bit for bit, of as many frames as the package makes."""
    made = torch.Generator().manual_seed(count)
    codes = torch.randint(0, 20, (count,), generator=made)
    latent = torch.randn(count, 1280, generator=made) if both.version == "2" else None
    got = Features(both)(codes, latent, factor)
    with torch.no_grad():
        if both.version == "2":
            embedded = both.codec.quantizer.vq2emb(codes[None, None]).transpose(1, 2)
            features = embedded + both.gpt_layer(latent)[None]
        else:
            features = both.codec.decode(codes[None])
        frames = max(1, int(features.shape[1] * 1.72 * factor))
        expected = both.regulator(features, ylens=torch.tensor([frames]))
        expected = expected[0] if both.version == "2" else expected
    assert torch.equal(got, expected[0])


def test_no_codes_give_no_frames(both: Any) -> None:
    """The package would raise."""
    assert Features(both)(torch.zeros(0, dtype=torch.long)).shape == (0, width(both))
