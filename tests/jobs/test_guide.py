"""docs/jobs.md is executed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from index_tts_ui.config import Config

from ..api.server import Server
from ..hearing import decode_any

DOCS = Path(__file__).parent.parent.parent / "docs"


def blocks(name: str) -> list[str]:
    """Everything between fences."""
    return re.findall(r"^```\w+\n(.*?)^```$", (DOCS / name).read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_guide_work(tone: Server, tmp_path: Path) -> None:
    for command in blocks("jobs.md")[:3]:
        command = command.replace("http://127.0.0.1:7860", tone.url)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, timeout=60
        )
        assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"
    assert len(decode_any((tmp_path / "book.mp3").read_bytes())[0]) > 0


def test_both_languages_show_the_same_commands_and_name_the_settings_as_they_are() -> None:
    assert blocks("jobs.md") == blocks("jobs.zh-CN.md") and len(blocks("jobs.md")) == 4
    for name in ("jobs.md", "jobs.zh-CN.md"):
        text = (DOCS / name).read_text("utf-8").replace(",", "")
        for setting in ("jobs_hours", "jobs_mb", "jobs_per_owner"):
            default = Config.__dataclass_fields__[setting].default
            assert re.search(rf"`{setting}`[（ ]+\(?{default:g}", text), setting
