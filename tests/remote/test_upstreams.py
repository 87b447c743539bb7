"""The setting: addresses or a file; where keys come from; what is refused, in one line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from index_tts_ui.config import Config
from index_tts_ui.errors import BadConfig
from index_tts_ui.remote import crew
from index_tts_ui.remote.upstreams import Upstream, read


def given(home: Path, value: str, environ: dict[str, str] | None = None) -> tuple[Upstream, ...]:
    return read(Config(home=str(home), upstreams=value), environ or {})


def in_file(home: Path, text: str, environ: dict[str, str] | None = None) -> tuple[Upstream, ...]:
    (home / "up.toml").write_text(text, "utf-8")
    return given(home, "up.toml", environ)


def test_addresses_are_called_by_host_and_port(tmp_path: Path) -> None:
    found = given(tmp_path, "http://gpu1:7860/v1/, https://api.example.com", {"TTS_UPSTREAM_KEY": "k1"})
    assert [(one.name, one.url, one.key) for one in found] == [
        ("gpu1:7860", "http://gpu1:7860", "k1"),
        ("api.example.com", "https://api.example.com", "k1"),
    ]
    assert "k1" not in repr(found)
    assert given(tmp_path, "") == ()


def test_a_file_says_more(tmp_path: Path) -> None:
    (tmp_path / "cloud.key").write_text("k2\n")
    text = """
        [[upstream]]
        name = "gpu"
        url = "http://10.0.0.5:8091"
        kind = "vllm-omni"
        key_env = "GPU_KEY"
        concurrency = 32
        timeout = 40
        voices = ["vivian"]
        features = ["speed", "clone"]
        [[upstream]]
        name = "cloud"
        url = "https://api.example.com/v1"
        key_file = "cloud.key"
        format = "pcm"
    """
    gpu, cloud = in_file(tmp_path, text, {"GPU_KEY": "k1", "TTS_UPSTREAM_KEY": "k0"})
    assert (gpu.key, gpu.concurrency, gpu.timeout, gpu.voices) == ("k1", 32, 40, ("vivian",))
    assert gpu.features == ("speed", "clone") and cloud.features is None
    assert (cloud.key, cloud.url, cloud.format) == ("k2", "https://api.example.com", "pcm")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("gpu1:7860", "is no address"),
        ("file:///etc/passwd", "is no address"),
        ("http://:80", "is no address"),
        ("http://h:99999", "is no address"),
        ("http://user:secret@h", "has a user or key in it"),
        ("http://h/?key=secret", "must end before"),
        ("http://h:1,http://h:1", "two of the name 'h:1'"),
        ("nowhere.toml", "cannot be read"),
    ],
)
def test_a_wrong_address_is_refused_without_telling_its_secret(
    tmp_path: Path, value: str, reason: str
) -> None:
    with pytest.raises(BadConfig) as refused:
        given(tmp_path, value)
    assert reason in refused.value.message() and "secret" not in refused.value.message()
    assert "\n" not in refused.value.message()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('key = "abc"', "use key_env or key_file"),
        ('speed = "fast"', "'speed' is not one of"),
        ('concurrency = "8"', "must be a whole number"),
        ("concurrency = true", "must be a whole number"),
        ("concurrency = 0", "from 1 to 1024"),
        ("timeout = 1e9", "from 0 to 3600"),
        ('kind = "grpc"', "kind 'grpc'"),
        ('format = "mp3"', "format 'mp3'"),
        ('features = ["fly"]', "feature 'fly'"),
        ("voices = [1]", "a list of strings"),
        ('key_env = "NOT_SET"', "NOT_SET is not set"),
        ('key_file = "none.key"', "cannot be read"),
        ('ca = "none.pem"', "there is no file"),
        ('name = "a b"', "is no name"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(BadConfig) as refused:
        in_file(tmp_path, f'[[upstream]]\nurl = "http://h:1"\n{line}\n')
    assert reason in refused.value.message()


def test_the_file_has_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"\[\[upstream\]\] tables"):
        in_file(tmp_path, 'upstreams = ["http://h:1"]\n')


def test_engine_remote_needs_upstreams(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="upstreams"):
        crew.gather(Config(home=str(tmp_path), engine="remote"), "remote")
    assert crew.gather(Config(home=str(tmp_path)), "tone") is None
