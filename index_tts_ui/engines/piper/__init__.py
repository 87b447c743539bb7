"""Piper: small VITS voices of one language each, spoken on the CPU.

``voices`` looks through ``cache_hub/piper``, ``scripts`` tells whether a voice can read a text, ``frontend`` cuts it,
``mandarin`` mends what espeak-ng misreads, ``phrases`` makes ids of it through the package ``piper-tts``, ``sessions``
keeps the models, and ``engine`` speaks. docs/piper.md tells how to install it.
"""
