"""Engines of other packages: the page's own example, installed and heard; what is wrong with one is a line."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tomllib
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import httpx
import numpy as np
import pytest

from index_tts_ui import engines
from index_tts_ui.config import parse
from index_tts_ui.door import Door
from index_tts_ui.engines import plugins
from index_tts_ui.errors import BadConfig, Invalid
from index_tts_ui.reading_door import ReadingDoor
from index_tts_ui.speech import SpeechRequest
from launcher import catalogue
from launcher import plugins as declared
from launcher.errors import LauncherError

from ..api.server import free_port, serving

ROOT = Path(__file__).parent.parent.parent
PAGES = (ROOT / "docs" / "engines.md", ROOT / "docs" / "engines.zh-CN.md")
_BLOCK = re.compile(r"```(toml|python)\n(.*?)```", re.DOTALL)
TEXT = "Hello operator. Meet me at 9."
SPEC = "from index_tts_ui.engines import EngineSpec\nSPEC = EngineSpec(engine='plug:E', frontend='plug:F', {more})\n"
Install = Callable[..., Path]


def _blocks(page: Path) -> list[tuple[str, str]]:
    return _BLOCK.findall(page.read_text("utf-8"))


def _example() -> tuple[str, str]:
    """The page's pyproject.toml and module."""
    project, module, *_ = (text for _, text in _blocks(PAGES[0]))
    return project, module


def test_the_example_is_the_same_in_both_languages_and_under_100_lines() -> None:
    assert _blocks(PAGES[0]) == _blocks(PAGES[1])
    assert sum(len(text.splitlines()) for text in _example()) < 100


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """``install(package, groups, **modules)``: a distribution as pip leaves it, for this process and its children."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.syspath_prepend(str(place))

    def put(package: str, groups: dict[str, dict[str, str]], **modules: str) -> Path:
        about = place / f"{package}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [
            f"[{group}]\n" + "".join(f"{a} = {b}\n" for a, b in named.items())
            for group, named in groups.items()
        ]
        (about / "entry_points.txt").write_text("\n".join(lines))
        for name, text in modules.items():
            (place / f"{name}.py").write_text(text)
        declared._entries.cache_clear()
        return place

    yield put
    declared._entries.cache_clear()
    for name in [name for name, module in sys.modules.items() if _from(module, place)]:
        del sys.modules[name]


def _from(module: ModuleType, place: Path) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(str(place))


@pytest.fixture
def morse(install: Install) -> None:
    """The page's example."""
    project, module = _example()
    groups = tomllib.loads(project)["project"]["entry-points"]
    install("morse-tts", groups, morse_tts=module)


def _heard(data: bytes) -> str:
    """The letters in a wav of Morse code: its sounds and silences are counted in dots."""
    with wave.open(io.BytesIO(data)) as file:
        rate, sound = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    window = rate // 200
    power = np.abs(sound[: len(sound) // window * window].reshape(-1, window)).max(axis=1)
    on = power > power.max() / 8
    ends = np.flatnonzero(np.diff(on.astype(np.int8), prepend=0, append=0))
    dots = [max(1, round(length * window / rate / 0.06)) for length in np.diff(ends)]
    marks = ["." if length < 2 else "-" for length in dots[::2]]
    gaps = ["" if length < 2 else " " for length in dots[1::2]]
    code = "".join(mark + gap for mark, gap in zip(marks, [*gaps, ""], strict=True))
    namespace: dict[str, object] = {}
    exec(_example()[1].partition("SPEC =")[0], namespace)
    letters = {code: letter for letter, code in namespace["CODES"].items()}  # type: ignore[attr-defined]
    return "".join(letters[word] for word in code.split())


@pytest.mark.usefixtures("morse")
def test_the_example_is_served_and_heard(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "home", "--engine", "morse", "--no-page") as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
    ):
        body = {"model": "morse", "voice": "key", "input": TEXT, "response_format": "wav"}
        answer = client.post("/v1/audio/speech", json=body, timeout=30)
        assert answer.status_code == 200 and _heard(answer.content) == "hellooperatormeetmeat9"
        faster = client.post("/v1/audio/speech", json={**body, "speed": 2}, timeout=30)
        assert 0.4 < len(faster.content) / len(answer.content) < 0.6
        refused = client.post("/v1/audio/speech", json={**body, "temperature": 1}, timeout=30)
        assert refused.status_code == 400 and refused.json()["error"]["code"] == "unsupported"
        assert [voice["name"] for voice in client.get("/v1/audio/voices").json()["voices"]] == [
            "Telegraph key"
        ]
        status = client.get("/v1/status").json()
        assert (status["engine"], status["features"]) == ("morse", ["speed"])


def test_an_engine_without_speed_refuses_another_than_1() -> None:
    spec = engines.EngineSpec(engine="plug:E", frontend="plug:F")
    readings = ReadingDoor("plug", spec, lambda reading: "")
    door = Door("plug", spec, lambda feature: feature in spec.features, lambda voice, param: "", readings)
    assert door.checked(SpeechRequest("Hello.")).speed == 1.0
    with pytest.raises(Invalid) as caught:
        door.checked(SpeechRequest("Hello.", speed=1.5))
    assert (caught.value.code, caught.value.param) == ("unsupported", "speed")


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("import nothing_of_this_name", "package 'plug 1.0' cannot be imported: ModuleNotFoundError"),
        ("SPEC = 1 / 0", "cannot be imported: ZeroDivisionError"),
        ("SPEC = {}", "gives a dict, not an EngineSpec"),
        ("OTHER = 1", "cannot be imported: AttributeError"),
        (SPEC.format(more="features=('sing',)"), "features='sing', which is not one of speed, "),
        (SPEC.format(more="features='speed'"), "which is no tuple"),
        (SPEC.format(more="parameters=('cheer',)"), "parameters='cheer', which is not one of temperature"),
        (SPEC.format(more="devices='tpu'"), "devices='tpu', which is not one of cpu, cuda, any"),
        (SPEC.format(more="languages=()"), "languages=()"),
        (SPEC.format(more="model='../other'"), "model='../other': it can only be 'plug', or absent"),
        (SPEC.replace("plug:E", "plug.E").format(more=""), "which is not 'module:Class'"),
    ],
)
def test_a_bad_plugin_is_one_line(install: Install, module: str, says: str) -> None:
    install("plug", {plugins.GROUP: {"plug": "plug:SPEC"}}, plug=module + "\n")
    with pytest.raises(BadConfig) as caught:
        engines.find("plug")
    assert says in caught.value.message() and "\n" not in caught.value.message()
    assert "设置 engine 有误" in caught.value.message("zh")
    assert "plug" in engines.names()  # it is there, and only who asks for it hears what is wrong
    assert engines.find("tone") is engines.REGISTRY["tone"]


def test_a_plugin_s_parts_are_looked_at_too(install: Install) -> None:
    module = SPEC.format(more="") + "class F:\n    voices = split = count = 1\nclass E: ...\n"
    install("plug", {plugins.GROUP: {"plug": "plug:SPEC", "raises": "other:SPEC"}}, plug=module)
    with pytest.raises(BadConfig, match="its frontend plug:F has no max_tokens, unsayable"):
        engines.frontend_of("plug", Path())
    with pytest.raises(BadConfig, match="plug:E has no load, free, admit"):
        engines.engine_of("plug")


def test_two_engines_of_one_name_are_refused(install: Install) -> None:
    install("one", {plugins.GROUP: {"tone": "plug:SPEC", "twice": "plug:SPEC", "auto": "plug:SPEC"}})
    install("two", {plugins.GROUP: {"twice": "plug:SPEC"}})
    with pytest.raises(BadConfig, match=r"'tone': it is built in, and the package 'one 1\.0' brings another"):
        engines.find("tone")
    with pytest.raises(
        BadConfig, match=r"the packages .*'(one|two) 1\.0' and '(one|two) 1\.0' both bring it"
    ):
        engines.find("twice")
    assert "auto" not in engines.names()


def test_a_server_of_a_bad_plugin_ends_with_one_line(install: Install, tmp_path: Path) -> None:
    install("plug", {plugins.GROUP: {"plug": "plug:SPEC"}}, plug="import nothing_of_this_name\n")
    command = [sys.executable, "-m", "index_tts_ui", "--home", str(tmp_path), "--engine", "plug"]
    ended = subprocess.run([*command, "--port", str(free_port())], capture_output=True, text=True, timeout=60)
    lines = [line for line in ended.stderr.splitlines() if "Setting engine" in line]
    assert ended.returncode == 78 and len(lines) == 1 and "Traceback" not in ended.stderr


def test_the_launcher_knows_plugins_and_their_models_without_importing_them(install: Install) -> None:
    groups = {
        plugins.GROUP: {"plug": "plug:SPEC", "light": "plug:SPEC"},
        declared.CATALOGUES: {"plug": "plugfiles"},
    }
    place = install("plug", groups, plug="raise SystemExit('imported')\n")
    (place / "plugfiles").mkdir()
    (place / "plugfiles" / "__init__.py").write_text("raise SystemExit('imported')\n")
    where = place / "plugfiles" / "plug.json"
    assert declared.engines() == {"plug": "plug 1.0", "light": "plug 1.0"}
    assert (catalogue.model_of("plug"), catalogue.model_of("light"), catalogue.model_of("none")) == (
        "plug",
        "",
        "",
    )
    catalogue.load.cache_clear()
    for text in (None, "{", "[]", '{"model": "other"}', '{"model": "plug", "files": [{}]}'):
        if text is not None:
            where.write_text(text)
        with pytest.raises(LauncherError) as caught:
            catalogue.load("plug")
        assert caught.value.key == "bad_catalogue" and "plug 1.0" in caught.value.message
    where.write_text(
        '{"model": "plug", "description": "d", "licence": "l", "upstream": [], "shared_sources": {},'
        '"files": [{"name": "a.txt", "sources": [{"kind": "shipped", "path": "a_file.txt"}]}]}'
    )
    (file,) = catalogue.load("plug").files
    assert file.sources == ({"kind": "shipped", "path": str(place / "plugfiles" / "a_file.txt")},)
    assert "plug" in catalogue.names()
    catalogue.load.cache_clear()


@pytest.mark.slow
def test_pip_installs_the_example_and_the_launcher_serves_it(tmp_path: Path) -> None:
    source, place, home = tmp_path / "morse-tts", tmp_path / "site", tmp_path / "home"
    source.mkdir()
    for name, text in zip(("pyproject.toml", "morse_tts.py"), _example(), strict=True):
        (source / name).write_text(text, "utf-8")
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*pip, "--target", str(place), str(source)], check=True, timeout=120)
    port = str(free_port())
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
    environ = clean | {"PYTHONPATH": f"{place}:{ROOT}", "TTS_HOME": str(home), "LANG": "C.UTF-8"}
    home.mkdir()

    def launch(*args: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "launcher", *args]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    assert "engine morse comes with the package morse-tts 1.0" in launch(
        "doctor", "--engine", "morse", code=0
    )
    assert "there is no engine 'morze'" in launch("doctor", "--engine", "morze", code=1)
    launch("start", "--engine", "morse", "--port", port)
    try:
        body = {"model": "morse", "voice": "key", "input": TEXT, "response_format": "wav"}
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/audio/speech", json=body, timeout=30)
        assert _heard(answer.content) == "hellooperatormeetmeat9"
        page = httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text.replace(" ", "")
        assert (
            '"can":{"speed":true}' in page and '"parameters":{}' in page
        )  # its controls follow from the spec
    finally:
        launch("stop")
    assert "'morze' is not one of auto, " in launch("start", "--engine", "morze", "--port", port, code=6)


def test_the_settings_take_a_plugin_s_name() -> None:
    assert parse(["--engine", "morse"]).engine == "morse"
