"""The voices of Kokoro v1.0, best first for each language.

Those of speakers of other languages come last: here they speak English, which a recogniser understands as well
as from the others (a test), and Mandarin, in which the Japanese women are less clear. Their own languages need
sounds of words that the front end does not know.
"""

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
_OTHERS = {
    "jf_alpha": "阿尔法",
    "jf_gongitsune": "权狐",
    "jf_nezumi": "小鼠",
    "jf_tebukuro": "手套",
    "jm_kumo": "云",
    "ef_dora": "多拉",
    "em_alex": "亚历克斯",
    "em_santa": "圣诞老人",
    "ff_siwis": "西维斯",
    "hf_alpha": "阿尔法",
    "hf_beta": "贝塔",
    "hm_omega": "欧米伽",
    "hm_psi": "普西",
    "if_sara": "萨拉",
    "im_nicola": "尼古拉",
    "pf_dora": "多拉",
    "pm_alex": "亚历克斯",
    "pm_santa": "圣诞老人",
}
_OF = {  # whose first language it is
    "j": ("Japanese", "日语"),
    "e": ("Spanish", "西班牙语"),
    "f": ("French", "法语"),
    "h": ("Hindi", "印地语"),
    "i": ("Italian", "意大利语"),
    "p": ("Portuguese", "葡萄牙语"),
}

_FIRST: tuple[VoiceInfo, ...] = tuple(
    VoiceInfo(
        id=key,
        name=key.partition("_")[2].capitalize(),
        name_zh=name,
        language=_LANGUAGES[key[0]],
        gender="female" if key[1] == "f" else "male",
    )
    for key, name in _NAMES.items()
)
OTHERS: tuple[VoiceInfo, ...] = tuple(
    VoiceInfo(
        id=key,
        name=f"{key.partition('_')[2].capitalize()} ({_OF[key[0]][0]})",
        name_zh=f"{name}（{_OF[key[0]][1]}）",
        language="en-US",
        gender="female" if key[1] == "f" else "male",
    )
    for key, name in _OTHERS.items()
)
VOICES: tuple[VoiceInfo, ...] = (*_FIRST, *OTHERS)
