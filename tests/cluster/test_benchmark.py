"""The benchmark of a cluster works, at a size that says nothing about speed."""

from __future__ import annotations

import pytest

from benchmarks import limits, nodes, scale

from . import ray_venv
from .cable import NoNamespaces


def test_the_limits_grow_with_the_cluster_and_say_what_they_ask_for() -> None:
    found = limits.limits(0.001, 60.0, 5.0, sizes=(2, 40), segments=200)
    loads = {(one.gpus, one.part): one for one in found}
    assert loads[2, "network"].load == pytest.approx(2 * 60 * 144_000 / 1.25e9, rel=0.02)
    for part in limits.CHANGES:
        assert loads[2, part].load < loads[40, part].load
    assert limits.report(found).count("\n") == 7


@pytest.mark.slow
def test_it_measures_a_front_with_replicas() -> None:
    found = scale.main(["--seconds", "1", "--rounds", "1", "--clients", "4", "--no-write"])
    assert set(found["overhead"]) == {"one process", "front and replica"}
    assert found["deaths"]["failed"] == 0 and found["deaths"]["requests_per_s"] > 0
    assert found["scaling"]["ratio"] > 0


@pytest.mark.slow
def test_it_measures_a_machine_that_joins() -> None:
    ray_venv.python()
    try:
        found = nodes.main(["--seconds", "2", "--rounds", "1", "--clients", "4", "--no-write"])
    except NoNamespaces as why:
        pytest.skip(str(why))
    assert set(found["rows"]) == {1, 2} and not any(row["failed"] for row in found["rows"].values())
    assert found["ratio"] > 0
