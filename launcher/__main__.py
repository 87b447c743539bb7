"""``python -m launcher`` is ``tts-launch``."""

from .cli import main

main()
