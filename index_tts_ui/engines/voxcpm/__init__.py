"""VoxCPM 1.5 and 2: speech made patch by patch, in the voice of a clip, one segment at a time.

``frontend`` cuts the text, ``prompt`` lays text and clip out as the model wants them, ``model`` reads a
checkpoint through the package ``voxcpm``, and ``engine`` steps it. docs/voxcpm.md tells how to install it.
"""
