"""The Speak tab: text in, sound out. The sound itself goes to ``player.js`` by the API's stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from uuid import uuid4

import gradio as gr
from starlette.requests import HTTPConnection

from ..auth import owner_of
from ..errors import TTSError
from ..service import SpeechService
from . import i18n
from .early import asset
from .settings import settings_card
from .tuning import Incomplete, emotion_shown, speech_request

PLAYER = (
    *("sound.js", "stream.js", "waveform.js", "readalong.js", "takes.js", "repair.js"),
    *("kept.js", "display.js", "player.js"),
)
Answer = dict[str, Any]
Speak = Callable[[str, str, str, float, float, Any, gr.Request], Awaitable[Answer]]


def speak_tab(page: gr.Blocks, service: SpeechService, t: gr.I18n) -> None:
    """The tab's components and events, in the Blocks that is open.

    Where an engine has many settings, text and sound stand beside them; else the sound is below.
    """
    tall = "clone" in service.spec.features
    with gr.Row(elem_id="cols", equal_height=not tall):
        with gr.Column(
            scale=7,
            min_width=320,
            elem_id="left" if tall else "composer",
            elem_classes="" if tall else "card",
        ):
            if tall:
                with gr.Column(elem_id="composer", elem_classes="card"):
                    text, speak = _composer(t)
                player = _player()
            else:
                text, speak = _composer(t)
        with gr.Column(
            scale=5 if tall else 4,
            min_width=280,
            elem_id="settings",
            elem_classes=["card", *(["cloning"] if tall else [])],
        ):
            settings = settings_card(page, service, t)
    if not tall:
        player = _player()
    speak.click(
        handler(service),
        [text, *settings.kept, settings.tuning],
        player,
        js="(...values) => window.tts.tuning.sent(values)",
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    ).failure(None, None, None, js="() => window.tts.emit('refused')", api_visibility="private")


def _player() -> gr.HTML:
    return gr.HTML(
        {},
        html_template=asset("player.html"),
        js_on_load=asset(*PLAYER),
        apply_default_css=False,
        elem_id="player",
    )


def _composer(t: gr.I18n) -> tuple[gr.Textbox, gr.Button]:
    gr.HTML(
        html_template=asset("examples.html"),
        js_on_load=asset("clip.js", "voicelist.js", "marks.js"),
        elem_id="examples",
        apply_default_css=False,
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


def handler(service: SpeechService) -> Speak:
    """What the Speak button calls: it submits and answers at once; the player follows the recording."""

    async def speak(
        text: str, voice: str, second: str, share: float, speed: float, tuning: Any, request: gr.Request
    ) -> Answer:
        try:
            pace = speed if service.can("speed") else 1.0  # the browser may keep one that another engine had
            wanted = speech_request(text, blend(voice, second, share), pace, tuning)
            owner = owner_of(cast(HTTPConnection, request.request))
            service.quota.hit(owner)
            handle = await service.submit(wanted, owner)
        except Incomplete as lack:
            return _refusal(i18n.EN[lack.args[0]], i18n.ZH[lack.args[0]])
        except TTSError as error:
            return _refusal(_words(error, "en", i18n.EN), _words(error, "zh", i18n.ZH))
        recording = service.keep(handle)
        service.remember(recording, wanted, owner, emotion_shown(wanted, tuning))
        return {"id": recording.id, "request": handle.id}

    return speak


def _words(error: TTSError, lang: str, table: dict[str, str]) -> str:
    """In the page's own words, where it has some."""
    own = table.get(f"said_{error.code}")
    return own.format(**error.facts) if own else error.message(lang)


def _refusal(message: str, message_zh: str) -> Answer:
    return {"nonce": uuid4().hex, "error": {"message": message, "message_zh": message_zh}}


def blend(voice: str, second: str, share: float) -> str:
    """The request's voice: ``voice`` alone, or with ``share`` percent of ``second``."""
    if not second or second == voice:
        return voice
    part = min(100.0, max(0.0, share)) / 100
    return f"{voice}:{1 - part:.2f}+{second}:{part:.2f}"
