"""How Gradio is imported: without the stubs that it writes for editors."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from index_tts_ui.webui.gradio_import import gradio, no_stubs


def test_gradio_parses_no_sources_to_write_stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradio import component_meta

    made: list[str] = []
    monkeypatch.setattr(component_meta, "create_pyi", lambda code, _: made.append(code) or code)
    with no_stubs():
        component_meta.create_or_modify_pyi(gradio.Number, "Number", [])
        assert inspect.getfile(Path).endswith("pathlib.py"), "others are found as ever"
    assert made == []
    assert inspect.getfile(gradio.Number).endswith("number.py"), "and afterwards all are"
