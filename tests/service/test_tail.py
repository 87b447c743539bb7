"""The end of a log is found across the files put aside, and followed across what happens to them."""

from __future__ import annotations

from pathlib import Path

from index_tts_ui.logs.tail import BLOCK, LINE_MAX, MOST_NEWS, Tail


def _write(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_the_last_lines_come_in_order_also_from_what_was_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "tts_error.log"
    assert Tail(log).last(5) == []
    _write(tmp_path / "tts_error.log.2", "one", "two")
    _write(tmp_path / "tts_error.log.1", "three", "FOUR 四")
    _write(log, "five", "six")
    assert Tail(log).last(3) == ["FOUR 四", "five", "six"]
    assert Tail(log).last(100) == ["one", "two", "three", "FOUR 四", "five", "six"]
    assert Tail(log, "o").last(100) == ["one", "two", "FOUR 四"]
    assert Tail(log, "four 四").last(1) == ["FOUR 四"]
    log.unlink()
    assert Tail(log).last(2) == ["three", "FOUR 四"]


def test_lines_longer_than_a_block_are_cut_and_lose_no_other(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    lines = [f"{number:05}" + "é" * (number % 90) for number in range(5_000)]
    _write(log, *lines)
    assert Tail(log).last(5_000) == lines
    _write(log, "z" * (3 * BLOCK), "end")
    last = Tail(log).last(3)
    assert last[-1] == "end" and last[0] in lines and all(len(line) < LINE_MAX + 40 for line in last)


def test_news_are_whole_lines_and_survive_rotation_truncation_and_deletion(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    tail = Tail(log)
    assert tail.last(10) == [] and tail.news() == []
    with log.open("w") as file:
        file.write("first\nhal")
    assert tail.news() == ["first"]
    _write(log, "f")
    assert tail.news() == ["half"]
    _write(log, "late")
    log.rename(tmp_path / "x.log.1")
    _write(log, "new")
    assert tail.news() == ["late", "new"]
    log.write_text("2\n")
    assert tail.news() == ["2"]
    log.unlink()
    assert tail.news() == []
    _write(log, "back")
    assert tail.news() == ["back"]
    tail.close()


def test_what_was_told_as_the_tail_is_no_news_and_a_flood_is_skipped(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    _write(log, "a", "b")
    tail = Tail(log, "b")
    assert tail.last(10) == ["b"] and tail.news() == []
    _write(log, *[f"b{number:09}" for number in range(MOST_NEWS // 10)])
    found = tail.news()
    assert found[-1] == f"b{MOST_NEWS // 10 - 1:09}" and len(found) < MOST_NEWS // 10
    tail.close()
