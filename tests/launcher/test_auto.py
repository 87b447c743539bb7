"""What ``auto`` and ``--gpu`` mean to the launcher."""

from __future__ import annotations

import importlib.util
import os
from types import SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from launcher import cli_options, fitting, options, way
from launcher.errors import BadArguments, NotConfigured

from . import driver as stub
from . import weights
from .conftest import Launch

MODEL = "indextts2.5"
driver, built_driver = stub.driver, stub.built_driver  # fixtures


@pytest.fixture
def gpu_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU answers, and the extra's modules can be found."""
    monkeypatch.setattr(fitting, "sees_gpu", lambda: True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: SimpleNamespace())


def test_auto_passes_over_an_engine_that_cannot_load(
    launch: Launch, monkeypatch: pytest.MonkeyPatch, gpu_machine: None
) -> None:
    settings = options.resolve({"home": str(launch.home), "engine": "auto"}, (), {})
    hub, said = settings.instance.cache_hub, []  # type: ignore[var-annotated]
    with pytest.raises(NotConfigured, match="fetch kokoro"):
        way.check_model(settings, said.append)
    weights.make_model(hub, "kokoro")
    said.clear()
    assert way.check_model(settings, said.append) == "kokoro"
    assert len(said) == 1 and "models fetch indextts2.5" in said[0] and "\n" not in said[0]
    assert "kokoro" in way.with_engine(settings, said.append).flags(), "the server must be told which one"
    weights.make_model(hub, MODEL)
    os.truncate(hub / MODEL / "gpt.pth", 10)
    said.clear()
    assert way.check_model(settings, said.append) == "kokoro" == fitting.best(settings)
    assert len(said) == 1 and "gpt.pth" in said[0] and "WARNING" in said[0]
    weights.make_model(hub, "indextts2")
    assert way.check_model(settings, said.append) == "indextts2" == fitting.best(settings)
    settings = options.resolve({"home": str(launch.home), "engine": "tone"}, (), {})
    assert way.check_model(settings) == "tone"


def test_auto_is_kokoro_without_a_gpu_or_its_packages(
    launch: Launch, monkeypatch: pytest.MonkeyPatch, gpu_machine: None
) -> None:
    settings = options.resolve({"home": str(launch.home), "engine": "auto"}, (), {})
    for model in ("kokoro", MODEL):
        weights.make_model(settings.instance.cache_hub, model)
    assert fitting.best(settings) == MODEL
    on_cpu = options.resolve({"home": str(launch.home), "device": "cpu"}, (), {})
    assert fitting.best(on_cpu) == "kokoro"
    said: list[str] = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    assert fitting.candidates(settings, said.append) == ["kokoro"]
    assert len(said) == 1 and "TTS_SETUP_EXTRAS=indextts" in said[0]
    monkeypatch.setattr(fitting, "sees_gpu", lambda: False)
    said.clear()
    assert fitting.candidates(settings, said.append) == ["kokoro"] and not said, "nothing to be done about it"


@pytest.mark.parametrize(("given", "device"), [("0", "cuda:0"), ("1,3", "cuda:1,3")])
def test_gpu_is_short_for_device(given: str, device: str) -> None:
    settings = options.resolve({"gpu": given}, (), {"TTS_DEVICE": "cpu"})
    assert settings.device == device and settings.given == {"device": device}
    assert options.again(settings, {"gpu": "2"}, ()).device == "cuda:2"


@pytest.mark.parametrize("given", [{"gpu": "one"}, {"gpu": "0", "device": "cpu"}])
def test_a_gpu_that_makes_no_sense_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(BadArguments, match="gpu"):
        options.resolve(given, (), {})


def test_gpu_alone_is_the_first(launch: Launch) -> None:
    @click.command()
    @cli_options.server
    def show(**given: object) -> None:
        click.echo(given["gpu"])

    assert CliRunner().invoke(show, ["--gpu", "--port", "1"]).output == "0\n"
    assert CliRunner().invoke(show, ["--gpu", "1,2"]).output == "1,2\n"


def test_a_gpu_is_seen_by_its_driver(driver: stub.StubDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launcher.gpu.is_installed", lambda: True)
    for name, value in driver.environ.items():
        monkeypatch.setenv(name, value)
    driver.says()
    assert fitting.sees_gpu()
    monkeypatch.setattr("launcher.gpu.is_installed", lambda: False)
    assert not fitting.sees_gpu()
