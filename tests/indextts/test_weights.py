"""Loading: everything from the checkpoint's own folder, each tensor checked, nothing that is never used."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from index_tts_ui.engines.indextts.cards import ROOMY, SMALL, Card, choose, decide
from index_tts_ui.engines.indextts.layout import snapshot
from index_tts_ui.engines.indextts.tensors import building
from index_tts_ui.engines.indextts.weights import Modules, load
from index_tts_ui.errors import BadConfig

torch.set_num_threads(1)
CPU = torch.device("cpu")
LIMIT = 1 << 20  # bytes of the files that a damaged copy gets of its own
W2V_2 = "hf_hub/models--facebook--w2v-bert-2.0"
VOCODER_2 = "hf_hub/models--nvidia--bigvgan_v2_22khz_80band_256x"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a socket fails."""

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


@pytest.fixture
def loaded25(tiny25: Path, no_network: None) -> Modules:
    """IndexTTS-2.5."""
    return load(tiny25, "2.5", CPU)


def copy(source: Path, target: Path) -> Path:
    """The same checkpoint by links, small files by copies."""

    def one(path: str, to: str) -> str:
        link = os.link if Path(path).stat().st_size > LIMIT else shutil.copyfile
        link(path, to)
        return to

    shutil.copytree(source, target, copy_function=one)
    return target


def changed(path: Path, change: Callable[[Any], None]) -> None:
    """Rewrite a weight file; the one it was linked to stays."""
    data = torch.load(path, map_location="cpu", weights_only=True)
    change(data)
    path.unlink()
    torch.save(data, path)


def tensors_of(*modules: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """All parameters and buffers."""
    for module in modules:
        if module is not None:
            yield from module.named_parameters()
            yield from module.named_buffers()


def parts(loaded: Modules) -> list[Any]:
    """The nn.Modules of it."""
    return [
        *(loaded.gpt, loaded.w2v, loaded.codec, loaded.regulator, loaded.cfm, loaded.gpt_layer),
        *(loaded.campplus, loaded.vocoder),
    ]


def test_a_checkpoint_loads_without_a_network_and_without_what_is_never_used(loaded25: Modules) -> None:
    assert all(torch.isfinite(value).all() for _, value in tensors_of(*parts(loaded25)))
    assert not any(value.requires_grad for _, value in tensors_of(*parts(loaded25)))
    assert len(loaded25.w2v.encoder.layers) == 17, "the checkpoint has 18"
    names = {name for name, _ in tensors_of(*parts(loaded25))}
    assert not [name for name in names if "text_head" in name or "cond_embedder" in name]
    assert not [name for name in names if name.endswith(("weight_g", "weight_v"))]
    assert [len(part) for part in loaded25.emo_matrix] == list(loaded25.cfg.emo_num)
    assert loaded25.spk_matrix[0].shape == (3, 192) and loaded25.mean.shape == (1024,)


def test_the_modules_are_the_packages_own(loaded25: Modules, package25: Any) -> None:
    pairs = [
        (loaded25.gpt, package25.gpt),
        (loaded25.w2v, package25.semantic_model),
        (loaded25.codec, package25.semantic_codec),
        (loaded25.cfm, package25.s2mel.models["cfm"]),
        (loaded25.campplus, package25.campplus_model),
        (loaded25.vocoder, package25.bigvgan),
    ]
    for ours, theirs in pairs:
        known = dict(tensors_of(theirs))
        found = dict(tensors_of(ours))
        assert found and all(torch.equal(value, known[name]) for name, value in found.items())


@pytest.mark.slow
def test_folded_weight_norm_gives_version_2_its_own_weights(tiny2: Path, package2: Any) -> None:
    loaded = load(tiny2, "2", CPU)
    assert loaded.gpt_layer is not None and "decoder" not in str(list(loaded.codec.state_dict()))
    assert all(torch.isfinite(value).all() for _, value in tensors_of(*parts(loaded)))
    torch.manual_seed(0)
    mel, features = torch.randn(1, 80, 20), torch.randn(1, 9, 1024)
    with torch.no_grad():
        assert torch.equal(loaded.vocoder(mel), package2.bigvgan(mel))
        ours, theirs = (codec.quantize(features) for codec in (loaded.codec, package2.semantic_codec))
        assert torch.equal(ours[0], theirs[0]) and torch.equal(ours[1], theirs[1])
        wavenets = (loaded.cfm.estimator.wavenet, package2.s2mel.models["cfm"].estimator.wavenet)
        x, mask, g = torch.randn(1, 32, 12), torch.ones(1, 1, 12), torch.randn(1, 32, 1)
        assert torch.equal(*(wavenet(x, mask, g=g) for wavenet in wavenets))


@pytest.mark.timeout(20)  # or it draws for ever
def test_a_module_is_built_whatever_its_memory_held_before() -> None:
    """Drawing a truncated normal repeats until all is in bounds; nothing is drawn, so it must not begin."""
    held = torch.full((8,), 1e9)
    with building():
        torch.nn.init.trunc_normal_(held, std=0.02)
        torch.nn.init.kaiming_uniform_(held.view(2, 4))
    assert (held == 1e9).all()
    assert torch.nn.init.trunc_normal_(held, std=0.02).abs().max() < 1, "and afterwards all is as before"


def _drop(*keys: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        del data[keys[-1]]

    return change


def _widen(*keys: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = torch.zeros(*data[keys[-1]].shape, 2)

    return change


DIFFUSION = "estimator.transformer.layers.0.attention.wo.weight"


@pytest.mark.parametrize(("file", "change", "name"), [
    ("s2mel.pth", _widen("net", "cfm", DIFFUSION), DIFFUSION),
    ("s2mel.pth", _drop("net", "cfm", DIFFUSION), DIFFUSION),
    ("s2mel.pth", _drop("net", "length_regulator"), "length_regulator"),
    ("gpt.pth", _widen("mel_head.bias"), "mel_head.bias"),
    ("gpt.pth", _drop("gpt.h.0.ln_1.weight"), "gpt.h.0.ln_1.weight"),
])  # fmt: skip
def test_a_wrong_or_missing_tensor_is_named_with_its_file(
    tiny25: Path, tmp_path: Path, file: str, change: Callable[[Any], None], name: str, monkeypatch: Any
) -> None:
    folder = copy(tiny25, tmp_path / "copy")
    changed(folder / file, change)
    if file == "s2mel.pth":  # what comes before it takes seconds, and is another test's
        _only(monkeypatch, "_s2mel")
    with pytest.raises(BadConfig) as caught:
        load(folder, "2.5", CPU)
    said = str(caught.value)
    assert name in said and str(folder / file) in said and "\n" not in said


def test_statistics_and_samples_are_checked_too(
    tiny25: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy(tiny25, tmp_path / "copy")
    _only(monkeypatch)
    load(folder, "2.5", CPU)
    changed(folder / "feat1.pt", lambda data: data.resize_(72, 192))
    with pytest.raises(BadConfig, match=r"feat1\.pt.*\[72, 192\].*\[73, 192\]"):
        load(folder, "2.5", CPU)
    changed(folder / "wav2vec2bert_stats.pt", _drop("var"))
    with pytest.raises(BadConfig, match=r"wav2vec2bert_stats\.pt has no tensor 'var'"):
        load(folder, "2.5", CPU)


def _only(monkeypatch: pytest.MonkeyPatch, *stages: str) -> None:
    """Leave out every stage but these."""
    from index_tts_ui.engines.indextts.weights import _Loader

    empty = {"_w2v": (None, None), "_s2mel": (None, None, None)}
    for name in {"_gpt", "_w2v", "_codec", "_s2mel", "_campplus", "_vocoder"} - set(stages):
        monkeypatch.setattr(_Loader, name, lambda self, name=name: empty.get(name))


@pytest.mark.parametrize(
    "file",
    ["config.yaml", "gpt.pth", "hf_cache/bigvgan/config.json", "hf_cache/w2v-bert-2.0/config.json"],
)
def test_a_missing_file_is_named(tiny25: Path, tmp_path: Path, file: str, monkeypatch: Any) -> None:
    folder = copy(tiny25, tmp_path / "copy")
    (folder / file).unlink()
    _only(monkeypatch, "_gpt" if file == "gpt.pth" else "_vocoder" if "bigvgan" in file else "_w2v")
    with pytest.raises(BadConfig, match="missing") as caught:
        load(folder, "2.5", CPU)
    assert str(folder / file) in str(caught.value) and "models repair" in str(caught.value)


class _Trap:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut", b"<html>sign in</html>"])
def test_a_damaged_file_is_one_line(tiny25: Path, tmp_path: Path, data: bytes) -> None:
    folder = copy(tiny25, tmp_path / "copy")
    (folder / "gpt.pth").unlink()
    (folder / "gpt.pth").write_bytes(data)
    with pytest.raises(BadConfig, match=r"gpt\.pth cannot be read") as caught:
        load(folder, "2.5", CPU)
    assert "\n" not in str(caught.value)


def test_a_pickle_that_would_run_code_is_refused(
    tiny25: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = copy(tiny25, tmp_path / "copy")
    (folder / "gpt.pth").unlink()
    torch.save({"model": _Trap()}, folder / "gpt.pth")
    with pytest.raises(BadConfig, match=r"gpt\.pth cannot be read"):
        load(folder, "2.5", CPU)
    assert not (tmp_path / "ran").exists()


def test_the_snapshot_that_refs_name_is_meant_else_the_one_there_is(tmp_path: Path) -> None:
    base = tmp_path / "hf_hub" / "models--a--b"
    for name in ("old", "new"):
        (base / "snapshots" / name).mkdir(parents=True)
    os.utime(base / "snapshots" / "old", (1, 1))
    assert snapshot(tmp_path, "a/b").name == "new"
    (base / "refs").mkdir()
    (base / "refs" / "main").write_text("old\n")
    assert snapshot(tmp_path, "a/b").name == "old"


def test_progress_rises_and_says_what_is_loaded(tiny25: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _only(monkeypatch)
    seen: list[tuple[float, str]] = []
    load(tiny25, "2.5", CPU, progress=lambda share, what: seen.append((share, what)))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] < 1
    assert {what for _, what in seen} >= {"checking files", "loading: GPT", "loading: vocoder"}


@pytest.mark.parametrize(("card", "gpt", "w2v"), [
    (Card("H100", 80 << 30, True, True), torch.bfloat16, torch.float32),
    (Card("4 GB card", 4 << 30, True, True), torch.bfloat16, torch.bfloat16),
    (Card("T4", 15 << 30, False, True), torch.float16, torch.float32),
    (Card("old and small", ROOMY - 1, False, False), torch.float16, torch.float32),
    (Card("old and large", ROOMY, False, False), torch.float32, torch.float32),
    (Card("small", SMALL - 1, False, True), torch.float16, torch.float16),
])  # fmt: skip
def test_number_types_follow_the_card(card: Card, gpt: torch.dtype, w2v: torch.dtype) -> None:
    chosen = decide(card, "cuda")
    assert (chosen.gpt, chosen.w2v) == (gpt, w2v)
    assert card.name in chosen.why and str(gpt).removeprefix("torch.") in chosen.why
    assert decide(card, "cuda", "fp32").gpt == decide(card, "cuda", "fp32").w2v == torch.float32


def test_a_cpu_stays_in_float32_and_an_unknown_type_is_refused() -> None:
    assert choose(CPU).gpt == torch.float32
    with pytest.raises(BadConfig, match="fp8"):
        choose(CPU, "fp8")


@pytest.mark.slow
def test_16_bits_take_half_the_memory_and_conditioning_stays_in_float32(tiny25: Path) -> None:
    loaded = load(tiny25, "2.5", CPU, "bf16")
    types = {name: value.dtype for name, value in loaded.gpt.named_parameters()}
    assert types["gpt.h.0.attn.c_attn.weight"] == types["text_embedding.weight"] == torch.bfloat16
    assert types["emovec_layer.weight"] == types["spk_emb_proj.weight"] == torch.float32
