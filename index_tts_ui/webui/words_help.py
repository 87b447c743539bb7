"""The words of the first visit's help."""

from __future__ import annotations

EN = {
    "help": "Help",
    "help_title": "Three steps to your first sound",
    "help_close": "Close the help",
    "help_text": "Write something",
    "help_text_more": "Chinese, English, or both in one sentence.",
    "help_example": "Take an example",
    "help_voice": "Choose a voice",
    "help_voice_more": "Each can be heard before you choose it.",
    "help_voice_clone": "One of the library, or 3 to 15 seconds of your own.",
    "help_choose": "Show the voices",
    "help_speak": "Press Speak",
    "help_speak_more": "The first sentence sounds while the rest is being made.",
    "help_done": "That was it. You find this help again behind the question mark above.",
}

ZH = {
    "help": "帮助",
    "help_title": "三步听到第一句话",
    "help_close": "关闭帮助",
    "help_text": "写点什么",
    "help_text_more": "中文、英文，或在一句话里混用。",
    "help_example": "使用示例",
    "help_voice": "选一个音色",
    "help_voice_more": "每个音色都可以先试听再选择。",
    "help_voice_clone": "从音色库中选，或使用 3 到 15 秒自己的音频。",
    "help_choose": "查看音色",
    "help_speak": "点“开始朗读”",
    "help_speak_more": "第一句边合成边播放，其余随后跟上。",
    "help_done": "就这么简单。点上方的问号可以再次打开帮助。",
}
