"""The page as Gradio Blocks: header, tabs, player."""

from __future__ import annotations

import gradio as gr

from ..service import SpeechService
from .dictionary import dictionary_tab
from .early import asset
from .history import history_tab
from .script import script_tab
from .speak import speak_tab
from .status import status_tab
from .voices import voices_tab

HOUR, DAY = 3600, 86_400


def build(service: SpeechService, t: gr.I18n) -> gr.Blocks:
    """The whole page. Its title is in both languages: Gradio cannot translate a tab's title."""
    with gr.Blocks(title="Index TTS · 语音合成", analytics_enabled=False, delete_cache=(HOUR, DAY)) as page:
        gr.HTML(
            html_template=asset("header.html"),
            js_on_load=asset("badge.js", "tabs.js"),
            elem_id="header",
            apply_default_css=False,
        )
        # a tab that was never opened is not in the document, and its scripts have not run
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(t("tab_speak"), id="speak"):
                gr.HTML(
                    html_template=asset("help.html"),
                    js_on_load=asset("help.js"),
                    elem_id="help",
                    apply_default_css=False,
                )
                speak_tab(page, service, t)
            with gr.Tab(t("tab_script"), id="script"):
                script_tab(service)
            with gr.Tab(t("tab_voices"), id="voices"):
                voices_tab()
            with gr.Tab(t("tab_dictionary"), id="dictionary"):
                dictionary_tab()
            with gr.Tab(t("tab_history"), id="history"):
                history_tab()
            with gr.Tab(t("tab_status"), id="status"):
                status_tab()
    return page
