"""The upstreams of an instance as its workers: one plan for each, and what they are to the service together."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from ..config import Config
from ..engines import EngineSpec, spec_of
from ..engines.base import Frontend
from ..engines.remote import RemoteFrontend
from ..errors import BadConfig
from ..plan import WorkerPlan
from .catalogue import Catalogue
from .link import Terms, factory
from .upstreams import read

log = logging.getLogger("tts.remote")
ENGINE = "remote"  # the registry's name for servers elsewhere, where no engine runs here


@dataclass(frozen=True)
class Crew:
    """``plans``: one for each upstream. ``parts``: the spec and the frontend where the engine is ``remote``."""

    catalogue: Catalogue
    plans: list[WorkerPlan]
    parts: tuple[EngineSpec, Frontend] | None


def gather(config: Config, engine: str) -> Crew | None:
    """What the setting ``upstreams`` names; None where it names nothing. Asks them who they are, for a few seconds.

    Raises BadConfig.
    """
    upstreams = read(config)
    if not upstreams:
        if engine == ENGINE:
            reason = "is empty: engine=remote speaks through the servers that it names (docs/upstreams.md)"
            raise BadConfig("bad_config", name="upstreams", reason=reason)
        return None
    catalogue = Catalogue(upstreams, config.home_dir / "run" / f"upstreams-{config.name}.json")
    for one in upstreams:
        if one.key and one.url.startswith("http:") and not one.is_here:
            log.warning("upstream %s: its key is sent over http, which others on the way can read", one.name)
    parts = None
    if engine == ENGINE:
        catalogue.ask()
        spec = replace(
            spec_of(ENGINE),
            features=catalogue.features(),
            languages=catalogue.languages(),
            parameters=catalogue.parameters(),
        )
        parts = spec, RemoteFrontend(catalogue.voices)
    plans = [
        WorkerPlan(
            device=one.name,
            link=factory(Terms(one, engine, config.timeout, config.voices / "clips"), catalogue),
            returns=True,
        )
        for one in upstreams
    ]
    return Crew(catalogue, plans, parts)
