"""What a service keeps, as one file: made while it runs, checked and put back where none runs.

``tts-launch backup`` and ``tts-launch restore`` run it through ``index_tts_ui.admin``.
"""
