"""The voices of Kokoro v1.0 that speak Mandarin or English, best first for each language."""

from __future__ import annotations

from ...speech import VoiceInfo

# id: Chinese name; the id's letters are language (z, a, b) and gender (f, m)
_NAMES = {
    "zf_xiaobei": "晓北",
    "zf_xiaoxiao": "晓晓",
    "zf_xiaoyi": "晓伊",
    "zf_xiaoni": "晓妮",
    "zm_yunjian": "云健",
    "zm_yunxi": "云希",
    "zm_yunxia": "云夏",
    "zm_yunyang": "云扬",
    "af_heart": "哈特",
    "af_bella": "贝拉",
    "af_nicole": "妮可",
    "af_aoede": "阿奥德",
    "af_kore": "科瑞",
    "af_sarah": "莎拉",
    "af_alloy": "艾洛伊",
    "af_nova": "诺娃",
    "af_sky": "斯凯",
    "af_jessica": "杰西卡",
    "af_river": "里弗",
    "am_michael": "迈克尔",
    "am_fenrir": "芬里尔",
    "am_puck": "帕克",
    "am_echo": "艾科",
    "am_eric": "埃里克",
    "am_liam": "利亚姆",
    "am_onyx": "奥尼克斯",
    "am_santa": "圣诞老人",
    "am_adam": "亚当",
    "bf_emma": "艾玛",
    "bf_isabella": "伊莎贝拉",
    "bf_alice": "爱丽丝",
    "bf_lily": "莉莉",
    "bm_george": "乔治",
    "bm_fable": "费布尔",
    "bm_lewis": "刘易斯",
    "bm_daniel": "丹尼尔",
}
_LANGUAGES = {"z": "zh-CN", "a": "en-US", "b": "en-GB"}

VOICES: tuple[VoiceInfo, ...] = tuple(
    VoiceInfo(
        id=key,
        name=key.partition("_")[2].capitalize(),
        name_zh=name,
        language=_LANGUAGES[key[0]],
        gender="female" if key[1] == "f" else "male",
    )
    for key, name in _NAMES.items()
)
