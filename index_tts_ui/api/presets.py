"""Settings under names: yours, and those that others share."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from ..errors import Invalid
from ..history import Preset
from ..service import SpeechService
from ..speech import Owner, SpeechRequest
from .deps import JSON, Caller, Service, wants
from .emotion import emotion_asked
from .history_schemas import (
    HistoryDeleted,
    NewPreset,
    PresetChanges,
    PresetEntry,
    Presets,
    PresetSettings,
)
from .schemas import REFUSALS

router = APIRouter(prefix="/v1/audio/presets", tags=["Presets"], responses=REFUSALS)


def _entry(preset: Preset, caller: Owner) -> PresetEntry:
    return PresetEntry(
        id=preset.id,
        name=preset.name,
        settings=dict(preset.settings),
        shared=preset.shared,
        own=preset.owner == caller.key,
        created=round(preset.created, 3),
    )


def _checked(service: SpeechService, caller: Owner, body: PresetSettings) -> dict[str, Any]:
    """As they are kept. Raises what a request with them would be told."""
    asked = SpeechRequest(
        text="",
        voice=body.voice,
        speed=body.speed,
        language=body.language,
        emotion=emotion_asked(service, body.emotion),
        seed=body.seed or 0,
        params=body.params,
    )
    try:
        service.check(asked, caller)
    except Invalid as error:  # the default voice may come later
        if error.code != "no_voice":
            raise
    plain = body.model_dump(exclude={"params"}, exclude_none=True)
    said = {name: value for name, value in plain.items() if value != ""}  # a request names a voice or none
    if body.emotion is not None:
        said["emotion"] = body.emotion.model_dump(exclude_none=True)
    return {**said, **body.params}


@router.get("")
async def list_presets(service: Service, caller: Caller) -> Presets:
    """Yours, then what others share, by name."""
    return Presets(data=[_entry(preset, caller) for preset in await service.history.presets(caller)])


@router.post("", status_code=201, dependencies=[Depends(wants(JSON))])
async def add_preset(body: NewPreset, service: Service, caller: Caller) -> PresetEntry:
    """Keep settings under a name. They are checked as those of a request are."""
    settings = _checked(service, caller, body.settings)
    return _entry(await service.history.add_preset(caller, body.name, settings, body.shared), caller)


@router.patch("/{preset_id}", dependencies=[Depends(wants(JSON))])
async def change_preset(preset_id: str, body: PresetChanges, service: Service, caller: Caller) -> PresetEntry:
    """Change a preset of yours; its id stays."""
    changes = body.model_dump(include={"name", "shared"}, exclude_none=True)
    if body.settings is not None:
        changes["settings"] = _checked(service, caller, body.settings)
    return _entry(await service.history.change_preset(caller, preset_id, **changes), caller)


@router.delete("/{preset_id}")
async def delete_preset(preset_id: str, service: Service, caller: Caller) -> HistoryDeleted:
    """Delete a preset of yours."""
    await service.history.delete_preset(caller, preset_id)
    return HistoryDeleted(id=preset_id)
