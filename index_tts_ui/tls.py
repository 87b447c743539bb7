"""TLS: the certificate that the server shows. ``auto`` makes one, and keeps it as long as it fits."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import logging
import os
import socket
import ssl
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .errors import BadConfig

log = logging.getLogger("tts.tls")
DAYS = 397  # browsers refuse longer ones
RENEW_DAYS = 30


def files(setting: str, folder: Path) -> tuple[str, str] | None:
    """Paths of certificate and key; None without TLS. Raises BadConfig."""
    if not setting:
        return None
    if setting == "auto":
        return _own(folder)
    cert, comma, key = setting.partition(",")
    if not (comma and cert.strip() and key.strip()):
        raise BadConfig("bad_config", name="tls", reason="must be auto, or CERT,KEY (two files)")
    pair = str(Path(cert.strip()).expanduser()), str(Path(key.strip()).expanduser())
    _check(*pair)
    return pair


def _check(cert: str, key: str) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise BadConfig("bad_config", name="tls", reason=f"cannot be used: {error}") from error


def _own(folder: Path) -> tuple[str, str]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    names, addresses = _here()
    try:
        if not _fits(cert, key, names, addresses):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(cert, key, names, addresses)
        shown = x509.load_pem_x509_certificate(cert.read_bytes()).fingerprint(hashes.SHA256()).hex(":")
    except (OSError, ValueError) as error:
        raise BadConfig("bad_config", name="tls", reason=f"no certificate in {folder}: {error}") from error
    log.info("self-signed certificate %s, SHA-256 %s", cert, shown.upper())
    return str(cert), str(key)


def _here() -> tuple[list[str], list[ipaddress.IPv4Address | ipaddress.IPv6Address]]:
    """Names and addresses by which this machine may be called."""
    host = socket.gethostname()
    names = list(dict.fromkeys(("localhost", host, f"{host.partition('.')[0]}.local")))
    found = {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    for items in psutil.net_if_addrs().values():
        for item in items:
            with contextlib.suppress(ValueError):  # a hardware address
                address = ipaddress.ip_address(item.address.partition("%")[0])
                found |= set() if address.is_link_local else {address}
    return [name for name in names if name.isascii() and len(name) < 64], sorted(found, key=str)


def _fits(
    cert: Path, key: Path, names: list[str], addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address]
) -> bool:
    """Whether there is one, valid for a while, for all names and addresses of today."""
    try:
        _check(str(cert), str(key))
        found = x509.load_pem_x509_certificate(cert.read_bytes())
        said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (BadConfig, OSError, ValueError, x509.ExtensionNotFound):
        return False
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=RENEW_DAYS)
    have_names = set(said.get_values_for_type(x509.DNSName))
    have = set(said.get_values_for_type(x509.IPAddress))
    return found.not_valid_after_utc > soon and set(names) <= have_names and set(addresses) <= have


def _make(
    cert: Path, key: Path, names: list[str], addresses: list[ipaddress.IPv4Address | ipaddress.IPv6Address]
) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "index-tts-ui")])
    made = (
        x509.CertificateBuilder(subject, subject, secret.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(
            x509.SubjectAlternativeName(
                [*(x509.DNSName(name) for name in names), *(x509.IPAddress(item) for item in addresses)]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    _write(key, pem, 0o600)
    _write(cert, made.public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, data: bytes, mode: int) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        os.fsync(file.fileno())
    part.replace(path)
