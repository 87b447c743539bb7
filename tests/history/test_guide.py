"""docs/history.md is executed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from index_tts_ui.config import Config

from ..api.server import serving

DOCS = Path(__file__).parent.parent.parent / "docs"
NAMES = ("history.md", "history.zh-CN.md")


def blocks(name: str) -> list[str]:
    """Everything between fences."""
    return re.findall(r"^```\w+\n(.*?)^```$", (DOCS / name).read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_guide_work(tmp_path: Path) -> None:
    with serving(tmp_path, "--engine", "tone", "--no-page") as server:
        for command in blocks("history.md"):
            command = command.replace("http://127.0.0.1:7860", server.url)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, timeout=60
            )
            assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"
        assert '"name":"Brisk"' in done.stdout.decode()


def test_both_languages_show_the_same_commands_and_name_the_settings_as_they_are() -> None:
    assert blocks("history.md") == blocks("history.zh-CN.md") and len(blocks("history.md")) == 2
    for name in NAMES:
        text = (DOCS / name).read_text("utf-8")
        for setting in ("history_days", "history_mb"):
            default = Config.__dataclass_fields__[setting].default
            assert re.search(rf"`{setting}`[（ ]+\(?{default:g}", text), setting
