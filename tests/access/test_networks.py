"""Whose address counts, and who may connect."""

from __future__ import annotations

import pytest

from index_tts_ui.auth.networks import Networks, parse
from index_tts_ui.errors import BadConfig

NOBODY = parse("x", [])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "9.9.9.9, 1.2.3.4", "1.2.3.4"),  # what the client claims is not believed
        ("10.0.0.1", "9.9.9.9, 1.2.3.4, 10.0.0.2", "1.2.3.4"),  # two proxies of ours
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "1.2.3.4, rubbish", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4:80", "10.0.0.1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("8.8.8.8", "1.2.3.4", "8.8.8.8"),  # no proxy of ours
        ("unix", "1.2.3.4", "unix"),
    ],
)
def test_the_client_is_the_last_address_that_no_proxy_of_ours_has(
    peer: str, forwarded: str, client: str
) -> None:
    assert Networks(NOBODY, parse("x", ["10.0.0.0/24"])).client(peer, forwarded) == client


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("192.168.1.7", True),
        ("::ffff:192.168.1.7", True),
        ("192.168.2.7", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("127.0.0.1", True),
        ("::1", True),
        ("unknown", False),
    ],
)
def test_only_listed_networks_and_this_machine_may_connect(host: str, allowed: bool) -> None:
    assert Networks(parse("x", ["192.168.1.0/24", "2001:db8::/32"]), NOBODY).allows(host) is allowed


def test_without_a_list_everybody_may() -> None:
    assert Networks(NOBODY, NOBODY).allows("8.8.8.8")


def test_a_network_that_is_none_names_its_setting() -> None:
    with pytest.raises(BadConfig, match="allow_nets"):
        parse("allow_nets", ["192.168.1.0/33"])
