"""Every word of the page, in English and Chinese; the page's scripts get the same tables."""

from __future__ import annotations

from collections.abc import Sequence

from ..audio.reference import NOTICES
from ..emotions import PRESETS
from ..parameters import Parameter
from ..speech import VoiceInfo
from . import (
    words,
    words_dictionary,
    words_help,
    words_history,
    words_repair,
    words_script,
    words_speak,
    words_status,
    words_voices,
)

OWN_EN = {
    "tagline": "Type it, hear it",
    "language": "Switch the page to Chinese",
    "text": "Text",
    "text_hint": "Type or paste what you want to hear. Chinese and English may be mixed.",
    "examples": "Examples",
    "example_zh": "Mandarin",
    "example_en": "English",
    "example_mixed": "Mixed",
    "count": "{n} characters",
    "count_one": "1 character",
    "count_over": "{n} characters, {limit} at most",
    "segments": "{n} segments",
    "segments_one": "1 segment",
    "about": "about {time}",
    "seconds": "{n} s",
    "minutes": "{n} min",
    "speak": "Speak",
    "stop": "Stop",
    "shortcut": "Ctrl + Enter",
    "voice": "Voice",
    "second": "Blend with",
    "second_none": "No second voice",
    "share": "Share of the second voice",
    "speed": "Speed",
    "rights": (
        "Kokoro's voices are free to use, other built-in ones as their licences say. A reference voice needs the consent of the person it belongs to: "
        "only use one that you have the right to use."
    ),
    "female": "female",
    "male": "male",
    "zh-CN": "Mandarin",
    "en-US": "American English",
    "en-GB": "British English",
    "other": "other language",
    "badge_connecting": "Connecting",
    "badge_gone": "Reconnecting…",
    "badge_ready": "Ready",
    "badge_waiting": "Ready · {n} waiting",
    "badge_loading": "Loading {p} %",
    "badge_asleep": "Resting",
    "badge_restarting": "Engine restarting",
    "badge_draining": "Shutting down",
    "badge_down": "Engine stopped",
    "badge_backup": "Backup engine",
    "hint_connecting": "Asking the server",
    "hint_gone": "The server does not answer; your text is kept and the page tries again by itself",
    "hint_ready": "The model is loaded",
    "hint_loading": "The model is loading; you can start already, your text will wait",
    "hint_asleep": "The model has left the device after idle time; the next text brings it back",
    "hint_waking": "The model is coming back to the device; your text waits for it",
    "hint_restarting": "The speech engine is being restarted; texts under way go on by themselves",
    "hint_draining": "The service finishes what is under way and takes nothing new",
    "hint_down": "The speech engine is not running; see the server's error log",
    "hint_backup": "The speech engine has failed and a simpler one speaks meanwhile; cloned voices wait for its return",
    "state_idle": "Your sound will appear here",
    "state_preview": "Ready to be spoken",
    "state_sending": "Sending…",
    "state_loading": "Waiting for the model to load",
    "state_next": "You are next",
    "state_ahead": "{n} requests before you",
    "state_ahead_one": "1 request before you",
    "state_eta": "starts in about {time}",
    "state_first": "Speaking the first segment…",
    "state_progress": "{done} of {total} segments",
    "state_done": "Finished · {n} segments",
    "state_done_one": "Finished · 1 segment",
    "state_stopped": "Stopped",
    "state_stopped_kept": "Stopped; what was ready can be played",
    "state_failed": "Not finished",
    "play": "Play",
    "pause": "Pause",
    "replay": "Play again",
    "position": "Position in the sound",
    "segments_label": "Segments",
    "download": "Download",
    "format": "Format of the download",
    "close": "Close",
    "error_lost": "The connection to the server was lost. Your text is kept: speak it again once the page is ready.",
    "error_away": "The server does not answer right now. Your text is kept: try again once the page is ready.",
    "error_refused": "The server did not take the request. Reload the page and try again; your text is kept.",
}

OWN_ZH = {
    "tagline": "输入文字，即刻听见",
    "language": "切换到英文界面",
    "text": "文本",
    "text_hint": "输入或粘贴要朗读的内容，可以中英文混合。",
    "examples": "示例",
    "example_zh": "中文",
    "example_en": "英文",
    "example_mixed": "中英混合",
    "count": "{n} 字符",
    "count_one": "1 字符",
    "count_over": "{n} 字符，上限 {limit}",
    "segments": "{n} 段",
    "segments_one": "1 段",
    "about": "约 {time}",
    "seconds": "{n} 秒",
    "minutes": "{n} 分钟",
    "speak": "开始朗读",
    "stop": "停止",
    "shortcut": "快捷键 Ctrl + Enter",
    "voice": "音色",
    "second": "混合音色",
    "second_none": "不混合",
    "share": "第二音色占比",
    "speed": "语速",
    "rights": "Kokoro 的音色可放心使用，其他内置音色以其许可为准。参考音色需征得声音本人同意：请只使用您有权使用的声音。",
    "female": "女声",
    "male": "男声",
    "zh-CN": "普通话",
    "en-US": "美式英语",
    "en-GB": "英式英语",
    "other": "其他语言",
    "badge_connecting": "连接中",
    "badge_gone": "正在重新连接…",
    "badge_ready": "就绪",
    "badge_waiting": "就绪 · {n} 个排队",
    "badge_loading": "加载中 {p}%",
    "badge_asleep": "休眠中",
    "badge_restarting": "引擎重启中",
    "badge_draining": "正在关闭",
    "badge_down": "引擎已停止",
    "badge_backup": "备用引擎",
    "hint_connecting": "正在询问服务器",
    "hint_gone": "服务器没有响应；文本已保留，页面会自动重试",
    "hint_ready": "模型已加载",
    "hint_loading": "模型正在加载；现在就可以开始，文本会排队等候",
    "hint_asleep": "模型空闲后已离开设备；下一段文本会将其唤醒",
    "hint_waking": "模型正在重新载入设备；文本会排队等候",
    "hint_restarting": "语音引擎正在重启；进行中的文本会自动继续",
    "hint_draining": "服务正在完成手头的请求，不再接受新的请求",
    "hint_down": "语音引擎未在运行；请查看服务器的错误日志",
    "hint_backup": "语音引擎出现故障，暂由较简单的引擎代为朗读；克隆的声音要等它恢复",
    "state_idle": "声音会出现在这里",
    "state_preview": "可以开始朗读",
    "state_sending": "正在提交…",
    "state_loading": "等待模型加载完成",
    "state_next": "下一个就是您",
    "state_ahead": "前面还有 {n} 个请求",
    "state_ahead_one": "前面还有 1 个请求",
    "state_eta": "约 {time}后开始",
    "state_first": "正在合成第一段…",
    "state_progress": "已完成 {done} / {total} 段",
    "state_done": "已完成 · 共 {n} 段",
    "state_done_one": "已完成 · 共 1 段",
    "state_stopped": "已停止",
    "state_stopped_kept": "已停止；已合成的部分可以播放",
    "state_failed": "未完成",
    "play": "播放",
    "pause": "暂停",
    "replay": "重新播放",
    "position": "播放位置",
    "segments_label": "分段",
    "download": "下载",
    "format": "下载格式",
    "close": "关闭",
    "error_lost": "与服务器的连接已断开。文本已保留：页面就绪后请重新朗读。",
    "error_away": "服务器暂时没有响应。文本已保留：页面就绪后请重试。",
    "error_refused": "服务器未能接受请求。请刷新页面后重试，文本会保留。",
}

PARTS = (
    words,
    words_script,
    words_help,
    words_history,
    words_repair,
    words_status,
    words_speak,
    words_dictionary,
    words_voices,
)  # each part of the page that has words of its own: a module with EN and ZH
EN: dict[str, str] = {
    key: text for table in (OWN_EN, *(part.EN for part in PARTS)) for key, text in table.items()
}
ZH: dict[str, str] = {
    key: text for table in (OWN_ZH, *(part.ZH for part in PARTS)) for key, text in table.items()
}

EXAMPLES = {
    "zh": (
        "清晨的湖面像一面镜子，远处的山慢慢从雾里显出轮廓。渔夫收起昨夜的网，船头坐着一只打盹的白鹭。"
        "集市还没有开，只有卖豆浆的老人推着车，一路把热气留在石板街上。"
    ),
    "en": (
        "The lighthouse keeper wrote one line every evening. Some days it was about the weather, some days about a ship. "
        "On the last page he wrote that the sea had been very quiet, and that he had listened to it for a long time."
    ),
    "mixed": (
        "我们下周三 14:30 开 kick-off meeting，请提前十分钟进会议室。这次的预算是 12.5 万元，比上个季度少了 8%。"
        "Please bring your laptop, and send me the slides by Tuesday. 谢谢大家！"
    ),
}


def voice_label(voice: VoiceInfo, lang: str) -> str:
    """A voice's line in the picker: name, gender, language."""
    table = ZH if lang.startswith("zh") else EN
    name = voice.name_zh if lang.startswith("zh") else voice.name
    known = (name, table[voice.gender] if voice.gender else "", table.get(voice.language, table["other"]))
    return " · ".join(filter(None, known))


def parameter(item: Parameter) -> dict[str, object]:
    """A parameter as ``parameters.js`` takes it; its words are (English, Chinese)."""
    return {
        "default": item.default,
        "low": item.low,
        "high": item.high,
        "step": item.step,
        "label": (item.label, item.label_zh),
        "help": (item.help, item.help_zh),
    }


def tables(voices: Sequence[VoiceInfo]) -> dict[str, dict[str, str]]:
    """Both tables by Gradio's locale names, with a ``voice:<id>`` line for each of the (built-in) voices."""
    found = {}
    for column, (lang, table) in enumerate((("en", EN), ("zh-CN", ZH))):
        presets = {f"emotion_{key}": (item.label, item.label_zh)[column] for key, item in PRESETS.items()}
        notices = {key: pair[column] for key, pair in NOTICES.items()}
        names = {f"voice:{voice.id}": voice_label(voice, lang) for voice in voices}
        found[lang] = presets | notices | table | names
    return found
