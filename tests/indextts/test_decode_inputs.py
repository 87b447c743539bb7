"""What each GPT is fed and gives: the same numbers as inside the packages."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("indextts25")
import torch

from index_tts_ui.engines.indextts.gpt import Gpt

from . import gpts

torch.set_num_threads(1)


@pytest.fixture(scope="module", params=["2.5", "2"])
def gpt(request: pytest.FixtureRequest) -> Gpt:
    """One version's small GPT."""
    return gpts.made(request.param)


@pytest.fixture(scope="module")
def cases(gpt: Gpt) -> list[gpts.Case]:
    """Its segments."""
    with torch.no_grad():
        return gpts.cases(gpt)


def test_prefix_is_what_the_package_feeds(gpt: Gpt, cases: list[gpts.Case]) -> None:
    """Condition, text without padding ids, start code: as the package stores them for its own run."""
    for case in cases:
        gpts.own_codes(gpt, case.ids, case.features, case.voice, case.emotion, most=1)
        stored = gpt.gpt.inference_model.cached_mel_emb[0]
        ours = gpt.prefix(case.ids, "en", case.voice, case.emotion)
        assert len(ours) == gpt.prefix_length(case.ids)
        pads = len(stored) + 1 - len(ours)  # the package's padding, on the left
        torch.testing.assert_close(ours[:-1], stored[pads:], rtol=1e-5, atol=1e-5)
        start = gpt.gpt.mel_embedding.weight[gpt.start] + gpt.gpt.mel_pos_embedding.emb.weight[0]
        assert torch.equal(ours[-1], start)


def test_language_changes_the_prefix_of_25_only(gpt: Gpt, cases: list[gpts.Case]) -> None:
    """2.5 knows zh, zh-CN is zh; 2 has one language for both."""
    one, other, same = (
        gpt.prefix(cases[0].ids, language, cases[0].voice, cases[0].emotion)
        for language in ("en", "zh", "zh-CN")
    )
    assert torch.equal(other, same)
    assert torch.equal(one, other) == (gpt.lead == 2)


def test_bad_text_is_an_error_before_it_reaches_the_device(gpt: Gpt, cases: list[gpts.Case]) -> None:
    """A wrong index would end the whole process on a GPU."""
    voice, emotion = cases[0].voice, cases[0].emotion
    with pytest.raises(ValueError, match="61 text tokens, the model takes 60"):
        gpt.prefix([5] * 61, "en", voice, emotion)
    gpt.prefix([5] * 60, "en", voice, emotion)
    for wrong in (gpts.TEXTS + 1, -1):
        with pytest.raises(ValueError, match="no text token"):
            gpt.prefix([5, wrong], "en", voice, emotion)


def test_voice_latent_and_emotion_have_no_batch_axis(gpt: Gpt, cases: list[gpts.Case]) -> None:
    """Shapes and numbers of what one clip gives."""
    case = cases[0]
    assert case.voice.latent.shape == ((32 if gpt.lead == 2 else 1), gpt.width)
    own = gpt.gpt.get_emovec(case.features, torch.tensor([1024]))[0]
    assert torch.equal(case.emotion, own)


@pytest.fixture(scope="module")
def gpt2() -> Gpt:
    """IndexTTS-2's."""
    return gpts.made("2")


def test_latents_are_those_of_the_package(gpt2: Gpt) -> None:
    """Rows of different length in one pass, with a row that has no codes, and with padding ids in the text."""
    with torch.no_grad():
        cases = gpts.cases(gpt2)
        rows = [(case.voice, case.emotion, case.ids, case.codes) for case in cases]
        rows.insert(2, (cases[0].voice, cases[0].emotion, cases[0].ids, cases[0].codes[:0]))
        rows.append((cases[1].voice, cases[1].emotion, cases[1].ids, cases[1].codes[:1]))
        found = gpt2.latents(rows)
        assert found[2].shape == (0, gpt2.width)
        for row, ours in zip(rows, found, strict=True):
            if len(row[3]):
                torch.testing.assert_close(ours, _own_latents(gpt2, *row), rtol=1e-4, atol=2e-5)


def _own_latents(gpt: Gpt, voice: object, emotion: object, ids: list[int], codes: object) -> object:
    """The package's own pass of one row."""
    assert isinstance(codes, torch.Tensor) and isinstance(emotion, torch.Tensor)
    text = torch.tensor([ids])
    return gpt.gpt(
        voice.latent[None],  # type: ignore[attr-defined]
        text,
        torch.tensor([text.shape[1]]),
        codes[None].clone(),
        torch.tensor([len(codes)]),
        None,
        emo_vec=emotion[None],
        use_speed=torch.zeros(1, dtype=torch.long),
    )[0]


def test_a_latent_pass_is_split_where_memory_would_run_short(
    gpt2: Gpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small passes give what one pass gives."""
    with torch.no_grad():
        rows = [(case.voice, case.emotion, case.ids, case.codes) for case in gpts.cases(gpt2)]
        whole = gpt2.latents(rows)
        monkeypatch.setattr("index_tts_ui.engines.indextts.gpt.LATENT_POSITIONS", 150)
        for one, other in zip(whole, gpt2.latents(rows), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=2e-5)
