"""docs/operations.md says what there is, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from index_tts_ui.account import Account
from index_tts_ui.handle import Status
from index_tts_ui.metrics import Metrics

DOCS = Path(__file__).parents[2] / "docs"
STATUS = Status("ready", "tone", 1.0, "", "", 0, 0, 100, 0)


@pytest.mark.parametrize("name", ["operations.md", "operations.zh-CN.md"])
def test_the_guide_names_every_metric_and_no_other(name: str) -> None:
    metrics = Metrics()
    metrics.watch(lambda: STATUS)
    metrics.ended(Account("me", "", 1))
    there = set(re.findall(r"^# TYPE (tts_\w+)", metrics.text().decode(), re.MULTILINE))
    named = set(re.findall(r"tts_[a-z_]+", (DOCS / name).read_text("utf-8")))
    files = {"tts_access", "tts_error", "tts_debug"}
    assert {item.removesuffix("_bucket") for item in named} - files == there


@pytest.mark.parametrize("name", ["operations.md", "operations.zh-CN.md"])
def test_the_guide_names_every_field_of_an_access_line(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert all(f"`{field}`" in text for field in Account("me", "", 1).line())
