"""The page as Gradio Blocks: header, tabs, player."""

from __future__ import annotations

import gradio as gr

from ..service import SpeechService
from .early import asset
from .speak import speak_tab
from .voices import voices_tab

HOUR, DAY = 3600, 86_400


def build(service: SpeechService, t: gr.I18n) -> gr.Blocks:
    """The whole page. Its title is in both languages: Gradio cannot translate a tab's title."""
    with gr.Blocks(title="Index TTS · 语音合成", analytics_enabled=False, delete_cache=(HOUR, DAY)) as page:
        gr.HTML(
            html_template=asset("header.html"),
            js_on_load=asset("badge.js"),
            elem_id="header",
            apply_default_css=False,
        )
        if "clone" not in service.spec.features:  # one tab needs no tabs
            speak_tab(page, service, t)
            return page
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(t("tab_speak"), id="speak"):
                speak_tab(page, service, t)
            with gr.Tab(t("tab_voices"), id="voices"):
                voices_tab()
    return page
