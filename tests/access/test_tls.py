"""HTTPS: a certificate of its own, or the operator's."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from index_tts_ui import tls
from index_tts_ui.errors import BadConfig

from .conftest import Opened


def test_a_certificate_is_made_once_and_again_when_it_no_longer_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = map(Path, tls.files("auto", tmp_path) or ())
    first = cert.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    tls.files("auto", tmp_path)
    assert cert.read_bytes() == first
    monkeypatch.setattr(tls.socket, "gethostname", lambda: "renamed.example")
    tls.files("auto", tmp_path)
    second = cert.read_bytes()
    assert second != first
    names = x509.load_pem_x509_certificate(second).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert "renamed.example" in names.value.get_values_for_type(x509.DNSName)
    monkeypatch.setattr(tls, "RENEW_DAYS", tls.DAYS + 1)
    tls.files("auto", tmp_path)
    assert cert.read_bytes() != second


def test_damaged_files_are_replaced_in_auto_and_refused_by_name(tmp_path: Path) -> None:
    cert, key = map(Path, tls.files("auto", tmp_path) or ())
    key.write_text("rubbish")
    with pytest.raises(BadConfig, match="tls"):
        tls.files(f"{cert},{key}", tmp_path)
    tls.files("auto", tmp_path)
    assert tls.files(f"{cert}, {key}", tmp_path) == (str(cert), str(key))


@pytest.mark.parametrize("setting", ["yes", "cert.pem", ",", "a,"])
def test_a_setting_that_makes_no_sense_is_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(BadConfig, match="tls"):
        tls.files(setting, tmp_path)
    assert tls.files("", tmp_path) is None


def test_a_client_that_trusts_the_certificate_is_served_over_https(opened: Opened) -> None:
    assert opened.base_url.scheme == "https"
    body = {"model": "tone", "voice": "alloy", "input": "Hi.", "response_format": "pcm"}
    assert opened.post("/v1/audio/speech", json=body).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{opened.base_url}/healthz")  # a stranger's certificate
    assert "PRIVATE" not in (opened.home / "server.out").read_text()
