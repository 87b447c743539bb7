"""The benchmarks of many users work, at a size that says nothing about speed."""

from __future__ import annotations

import py_compile
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import lab, load, peers, soak
from benchmarks.peer_crew import PEERS
from benchmarks.subjects import SUBJECTS

FLAT = soak.Tenth(100, memory_mb=100.0, handles=30, p50_ms=10.0, p99_ms=20.0, rate=50.0)


@pytest.mark.parametrize("name", SUBJECTS)
def test_no_text_is_asked_twice(name: str) -> None:
    texts = [SUBJECTS[name].text(number) for number in range(20_000)]
    assert len(set(texts)) == len(texts)
    assert all(10 <= len(text) <= 90 for text in texts)


@pytest.mark.parametrize(
    ("late", "grown"),
    [
        (FLAT, []),
        (replace(FLAT, memory_mb=104.9, p50_ms=14.9, handles=29), []),
        (replace(FLAT, memory_mb=106.0), ["memory"]),
        (replace(FLAT, handles=31), ["handles"]),
        (replace(FLAT, p50_ms=16.0), ["median"]),
    ],
)
def test_growth_is_told(late: soak.Tenth, grown: list[str]) -> None:
    said = soak.growth([replace(FLAT, memory_mb=1.0), FLAT, FLAT, late])
    assert [sentence.split()[0] for sentence in said] == grown


def test_a_peer_is_compared_round_by_round() -> None:
    ours = [peers.Seen(wall=1.0, latencies=[0.1] * 10), peers.Seen(wall=1.0, latencies=[0.1] * 30)]
    theirs = [
        peers.Seen(wall=1.0, latencies=[0.2] * 5),
        peers.Seen(wall=1.0, latencies=[0.2] * 10, refused=3),
    ]
    row = peers.Row.of("flask", 8, theirs, ours)
    assert (row.ahead, row.rate, row.p50_ms, row.refused) == (2.5, 7.5, 200.0, 3)


def test_users_have_addresses_of_their_own() -> None:
    assert len({lab.address(user) for user in range(1_000)}) == 1_000


def test_every_peer_has_a_server_that_compiles() -> None:
    folder = Path(peers.__file__).parent
    for peer in PEERS.values():
        py_compile.compile(str(folder / "peer_servers" / f"{peer.module}.py"), doraise=True)
    py_compile.compile(str(folder / "locustfile.py"), doraise=True)


@pytest.mark.slow
def test_load_soak_and_peers_run() -> None:
    found = load.main(
        ["--subject", "tone", "--minutes", "0.02", "--sweep", "1,5", "--seconds", "2", "--no-write"]
    )
    assert found["largest"] >= 50
    assert [row["failed"] for row in [found["fifty"], *found["sweep"]]] == [0, 0, 0]
    tenths = soak.soak(replace(SUBJECTS["tone"], options=""), 400, 8)
    assert not [said for said in soak.growth(tenths) if not said.startswith("median")]
    flags = "--subject tone --peer fastapi --clients 1,4 --seconds 1 --rounds 1 --no-write"
    rows = peers.main(flags.split())["tone"]
    assert [(row["service"], row["failed"], row["refused"]) for row in rows] == [
        ("ours", 0, 0),
        ("fastapi", 0, 0),
    ] * 2
    assert all(row["rate"] > 0 for row in rows)
