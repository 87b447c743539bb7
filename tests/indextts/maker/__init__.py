"""Checkpoints of random weights, in the layout that the packages' own loaders read: tiny for tests, full size for timing.

The weights are noise, so the sound is noise. What is programmed, so that tests have something to hold on to:
where the codes end (``stops``), and what the emotion model answers (``qwen``).
"""
