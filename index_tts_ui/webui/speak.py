"""The Speak tab: text in, sound out. The sound itself goes to ``player.js`` by the API's stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import uuid4

import gradio as gr
from starlette.requests import HTTPConnection

from ..auth import owner_of
from ..errors import TTSError
from ..service import SpeechService
from ..speech import SpeechRequest, VoiceInfo
from .early import asset

Answer = dict[str, Any]
Speak = Callable[[str, str, str, float, float, gr.Request], Awaitable[Answer]]


def speak_tab(page: gr.Blocks, service: SpeechService, t: gr.I18n) -> None:
    """The tab's components and events, in the Blocks that is open."""
    voices = service.voices()
    with gr.Row(elem_id="cols", equal_height=True):
        with gr.Column(scale=7, min_width=320, elem_id="composer", elem_classes="card"):
            text, speak = _composer(t)
        with gr.Column(scale=4, min_width=280, elem_id="settings", elem_classes="card"):
            settings = _settings(voices, service.default_voice(), t)
            gr.HTML(
                html_template='<p data-t="rights"></p>',
                js_on_load=_LABELS,
                elem_id="rights",
                apply_default_css=False,
            )
    player = gr.HTML(
        {},
        html_template=asset("player.html"),
        js_on_load=asset("sound.js", "stream.js", "waveform.js", "readalong.js", "player.js"),
        apply_default_css=False,
        elem_id="player",
    )
    _remember(page, settings)
    speak.click(
        handler(service),
        [text, *settings],
        player,
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    ).failure(None, None, None, js="() => window.tts.emit('refused')", api_visibility="private")


# fixed words of a block, kept in the page's language
_LABELS = "const l = () => window.tts.label(element); window.tts.addEventListener('lang', l); l();"


def _composer(t: gr.I18n) -> tuple[gr.Textbox, gr.Button]:
    gr.HTML(
        html_template=asset("examples.html"), js_on_load=_LABELS, elem_id="examples", apply_default_css=False
    )
    text = gr.Textbox(
        label=t("text"), placeholder=t("text_hint"), lines=9, max_lines=9, elem_id="text", container=False
    )
    with gr.Row(elem_id="actions"):
        gr.HTML(
            html_template=asset("meta.html"),
            js_on_load=asset("composer.js"),
            elem_id="meta",
            apply_default_css=False,
        )
        gr.Button(t("stop"), elem_id="stop")
        speak = gr.Button(t("speak"), variant="primary", elem_id="speak")
    return text, speak


Settings = tuple[gr.Dropdown, gr.Dropdown, gr.Slider, gr.Slider]


def _settings(voices: Sequence[VoiceInfo], default: str, t: gr.I18n) -> Settings:
    """Voice, second voice, its share in percent, speed."""
    choices = [
        (t(f"voice:{voice.id}"), voice.id)
        for voice in sorted(voices, key=lambda voice: voice.language[:2] != "zh")
    ]
    voice = gr.Dropdown(choices, value=default, label=t("voice"), elem_id="voice", interactive=True)
    second = gr.Dropdown(
        [(t("second_none"), ""), *choices], value="", label=t("second"), elem_id="second", interactive=True
    )
    share = gr.Slider(5, 95, 50, step=5, label=t("share"), elem_id="share", buttons=[], interactive=True)
    speed = gr.Slider(
        0.5, 2.0, 1.0, step=0.05, label=t("speed"), elem_id="speed", buttons=[], interactive=True
    )
    return voice, second, share, speed


def _remember(page: gr.Blocks, settings: Settings) -> None:
    """The browser keeps the settings; nothing of this reaches the server."""
    page.load(None, None, list(settings), js="() => window.tts.settings.saved()", api_visibility="private")
    for control in settings:
        control.change(
            None,
            list(settings),
            None,
            js="(...values) => window.tts.settings.keep(values)",
            queue=False,
            api_visibility="private",
        )


def handler(service: SpeechService) -> Speak:
    """What the Speak button calls: it submits and answers at once; the player follows the recording."""

    async def speak(
        text: str, voice: str, second: str, share: float, speed: float, request: gr.Request
    ) -> Answer:
        wanted = SpeechRequest(
            text=text or "", voice=blend(voice, second, share), speed=speed, wait_ready=True
        )
        try:
            handle = await service.submit(wanted, owner_of(cast(HTTPConnection, request.request)))
        except TTSError as error:
            return {
                "nonce": uuid4().hex,
                "error": {"message": error.message("en"), "message_zh": error.message("zh")},
            }
        return {"id": service.keep(handle).id, "request": handle.id}

    return speak


def blend(voice: str, second: str, share: float) -> str:
    """The request's voice: ``voice`` alone, or with ``share`` percent of ``second``."""
    if not second or second == voice:
        return voice
    part = min(100.0, max(0.0, share)) / 100
    return f"{voice}:{1 - part:.2f}+{second}:{part:.2f}"
