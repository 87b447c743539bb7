"""IndexTTS-2 and 2.5: the packages' modules and weights under our own drivers, every segment a row of a batch.

A segment's way: its clips are encoded (``conditioning``), text and voice become a prefix (``gpt``) that
takes a slot of the decoder (``decode``), whose codes become features (``features``), a mel (``diffusion``)
and sound (``vocoder``). ``engine`` moves the rows from stage to stage; each step runs one unit of each.
"""
