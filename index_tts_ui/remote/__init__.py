"""Remote workers: speech servers elsewhere (OpenAI's API, vLLM-Omni, this service) behind our own queue.

``upstreams`` reads the setting, ``catalogue`` knows what each server can, ``link`` is the scheduler's way to one.
"""
