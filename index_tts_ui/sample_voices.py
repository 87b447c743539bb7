"""Sample voices: Kokoro speaks a few sentences once, so that a cloning engine can be tried before any upload.

``python -m index_tts_ui.sample_voices MODEL FOLDER`` does it, in a process of its own, at low priority.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
import threading
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np

from .errors import TTSError
from .librarian import Librarian
from .library import StoredVoice, VoiceLibrary

log = logging.getLogger("tts.voices")
DEADLINE = 600.0  # seconds, on a machine that is busy with loading the big model
LEVEL = 0.7  # of full scale
STATEMENT = "A synthetic voice: Kokoro-82M (Apache-2.0) spoke it on this server."
_MANDARIN = "清晨的阳光洒在窗台上，我泡了一杯热茶，慢慢翻开昨天没有读完的那本书。"
_ENGLISH = "The morning sun came through the window, and I opened the book that I had not finished yesterday."
SENTENCES = {  # voice of Kokoro -> (language, gender, text)
    "zf_xiaobei": ("zh-CN", "female", _MANDARIN),
    "zm_yunxi": ("zh-CN", "male", _MANDARIN),
    "af_heart": ("en-US", "female", _ENGLISH),
    "am_michael": ("en-US", "male", _ENGLISH),
}
NAMES_ZH = {"zf_xiaobei": "晓北", "zm_yunxi": "云希", "af_heart": "哈特", "am_michael": "迈克尔"}


def source_of(voice: StoredVoice) -> str:
    """The voice of Kokoro that a sample voice is; "" of any other."""
    if voice.statement != STATEMENT:
        return ""
    return next((key for key in SENTENCES if key.partition("_")[2].capitalize() == voice.name), "")


async def make_samples(library: VoiceLibrary, librarian: Librarian, model: Path) -> int:
    """Fill an empty library, once in its life, where Kokoro stands; returns how many voices came.

    What fails is logged: the service does not depend on it.
    """
    shelf = library.shelf
    if shelf.sampled or shelf.voices or not (model / "model.onnx").is_file():
        return 0
    try:
        with tempfile.TemporaryDirectory(prefix="tts-samples-") as folder:
            if not await _spoken(model, Path(folder)):
                return 0
            return await asyncio.to_thread(_take_in, library, librarian, Path(folder))
    except (OSError, TTSError) as error:
        log.warning("no sample voices were made: %s", error)
        return 0


async def _spoken(model: Path, folder: Path) -> bool:
    command = [sys.executable, "-m", "index_tts_ui.sample_voices", str(model), str(folder)]
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        code = await asyncio.wait_for(child.wait(), DEADLINE)
    except TimeoutError:
        code = -1
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if code:
        log.warning("no sample voices were made: their process ended with %s", code)
    return code == 0


def _take_in(library: VoiceLibrary, librarian: Librarian, folder: Path) -> int:
    """Two servers that share a library make them once: whoever comes second finds them there."""
    with library.change() as shelf:
        if shelf.sampled or shelf.voices:
            return 0
        for key, (language, gender, text) in SENTENCES.items():
            clip = library.add_clip((folder / f"{key}.wav").read_bytes())
            librarian.add(
                clip.key,
                key.partition("_")[2].capitalize(),
                name_zh=NAMES_ZH[key],
                statement=STATEMENT,
                language=language,
                gender=gender,
                tags=("sample",),
                transcript=text,
            )
        with library.change() as full:
            library.put(replace(full, sampled=True))
    log.info("made %d sample voices", len(SENTENCES))
    return len(SENTENCES)


def _write(path: Path, rate: int, samples: np.ndarray) -> None:
    loudest = max(float(np.abs(samples).max()), 1e-6)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((samples * (LEVEL * 32767 / loudest)).astype("<i2").tobytes())


def _end_with_the_server() -> None:
    """Nobody writes to the pipe: it ends when the server does."""
    os.read(0, 1)  # not sys.stdin: its lock would be held at the end
    os._exit(1)


def main(model: Path, folder: Path) -> None:
    """Speak all of them."""
    from .engines import REGISTRY, resolve
    from .engines.base import EngineOptions
    from .speech import Segment, VoiceRef

    os.nice(10)
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    spec = REGISTRY["kokoro"]
    frontend, engine = resolve(spec.frontend)(), resolve(spec.engine)(EngineOptions(threads=1))
    info = engine.load(model, lambda fraction, text: None)
    for key, (language, _, text) in SENTENCES.items():
        parts = []
        for piece in frontend.split(text, language[:2], language):
            voices = (VoiceRef("builtin", key),)
            engine.admit(Segment("sample/0", piece.text, piece.spoken, piece.tokens, piece.language, voices))
            while engine.busy():  # a step may end before the sound is there
                parts += [item.audio.samples for item in engine.step() if item.audio is not None]
        _write(folder / f"{key}.wav", info.sample_rate, np.concatenate(parts))
    engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
