"""Gradio's own queue, which makes batches where the engine has rows (``batch=True``)."""

from __future__ import annotations

import base64

import gradio

from .speaker import Settings, Speaker


def main() -> None:
    """Serve until killed."""
    settings = Settings.given()
    speaker = Speaker(settings)

    def one(text: str) -> str:
        return base64.b64encode(speaker.speak([text])[0]).decode()

    def several(texts: list[str]) -> tuple[list[str]]:
        return ([base64.b64encode(sound).decode() for sound in speaker.speak(texts)],)

    with gradio.Blocks(analytics_enabled=False) as page:
        text, sound = gradio.Textbox(), gradio.Textbox()
        batch = speaker.rows > 1
        gradio.Button("Speak").click(
            several if batch else one,
            text,
            sound,
            api_name="speak",
            batch=batch,
            max_batch_size=speaker.rows,
            concurrency_limit=1,
        )
    page.queue(max_size=None)
    page.launch(server_name="127.0.0.1", server_port=settings.port, quiet=True)


if __name__ == "__main__":
    main()
