"""Mandarin readings: syllables in IPA, characters of many readings, tone sandhi."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from index_tts_ui.engines.kokoro.mandarin import Mandarin
from index_tts_ui.engines.kokoro.syllables import TONES, phonemes
from index_tts_ui.text.language import HAN

# what the G2P that the model was trained with writes for each syllable; 0 is the tone's place
IPA: dict[str, str] = json.loads(Path(__file__).with_name("mandarin_ipa.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def mandarin() -> Mandarin:
    return Mandarin()


def read(mandarin: Mandarin, text: str) -> str:
    return " ".join(syllable for run in re.findall(f"[{HAN}]+", text) for syllable in mandarin.pinyin(run))


def test_the_table_has_every_syllable() -> None:
    assert len(IPA) > 420


@pytest.mark.parametrize("tone", TONES)
def test_every_syllable_sounds_as_the_model_learnt_it(tone: str) -> None:
    wanted = {syllable: sound.replace("0", TONES[tone]) for syllable, sound in IPA.items()}
    assert {syllable: phonemes(syllable + tone) for syllable in IPA} == wanted


@pytest.mark.parametrize("nonsense", ["", "5", "xyz1", "bz3", "zhi1a", "ni hao"])
def test_what_is_no_syllable_is_refused(nonsense: str) -> None:
    with pytest.raises(ValueError, match="no Mandarin syllable"):
        phonemes(nonsense)


SANDHI = {
    # third tones: in a word, between words, in chains
    "你好": "ni2 hao3",
    "水果": "shui2 guo3",
    "可以": "ke2 yi3",
    "买水果": "mai3 shui2 guo3",
    "我买水果": "wo2 mai3 shui2 guo3",
    "我很好": "wo3 hen2 hao3",
    "展览馆": "zhan2 lan2 guan3",
    "总统府": "zong2 tong2 fu3",
    "小老鼠": "xiao3 lao2 shu3",
    "老保管": "lao3 bao2 guan3",
    "领导讲话": "ling2 dao2 jiang3 hua4",
    "我也很想你": "wo3 ye2 hen3 xiang2 ni3",
    "五百五": "wu2 bai2 wu3",
    # 一
    "一个": "yi2 ge5",
    "一定": "yi2 ding4",
    "一样": "yi2 yang4",
    "一天": "yi4 tian1",
    "一年": "yi4 nian2",
    "一起": "yi4 qi3",
    "一百": "yi4 bai3",
    "一万": "yi2 wan4",
    "第一个": "di4 yi1 ge5",
    "星期一": "xing1 qi1 yi1",
    "一月一日": "yi1 yue4 yi1 ri4",
    "二零一九年": "er4 ling2 yi1 jiu3 nian2",
    "三十一": "san1 shi2 yi1",
    "一百一十一": "yi4 bai3 yi1 shi2 yi1",
    "统一": "tong3 yi1",
    "看一看": "kan4 yi5 kan4",
    # 不
    "不是": "bu2 shi4",
    "不去": "bu2 qu4",
    "不好": "bu4 hao3",
    "不一样": "bu4 yi2 yang4",
    "好不好": "hao3 bu5 hao3",
    "对不起": "dui4 bu5 qi3",
    # neutral tones
    "妈妈": "ma1 ma5",
    "姐姐": "jie3 jie5",
    "看看": "kan4 kan5",
    "想想": "xiang2 xiang5",
    "桌子": "zhuo1 zi5",
    "孩子们": "hai2 zi5 men5",
    "我们的": "wo3 men5 de5",
    "东西": "dong1 xi5",
    "朋友": "peng2 you5",
    "哪里": "na2 li5",
    "小姐": "xiao2 jie5",
    "原子": "yuan2 zi3",
    "女子": "nv2 zi3",
    "妻子": "qi1 zi5",
    "走吧": "zou3 ba5",
    "是吗": "shi4 ma5",
}

POLYPHONES = {
    "他得到了表扬": "ta1 de2 dao4 le5 biao3 yang2",
    "跑得快": "pao3 de5 kuai4",
    "我得走了": "wo3 dei2 zou3 le5",
    "他得了奖": "ta1 de2 le5 jiang3",
    "慢慢地走": "man4 man4 de5 zou3",
    "他兴奋地说": "ta1 xing1 fen4 de5 shuo1",
    "这块地很大": "zhe4 kuai4 di4 hen3 da4",
    "受不了": "shou4 bu5 liao3",
    "走不了": "zou3 bu5 liao3",
    "吃了饭": "chi1 le5 fan4",
    "睡着了": "shui4 zhao2 le5",
    "着急": "zhao2 ji2",
    "看着他": "kan4 zhe5 ta1",
    "银行行长": "yin2 hang2 hang2 zhang3",
    "行走": "xing2 zou3",
    "一行代码": "yi4 hang2 dai4 ma3",
    "各行各业": "ge4 hang2 ge4 ye4",
    "重新": "chong2 xin1",
    "重要": "zhong4 yao4",
    "箱子很重": "xiang1 zi5 hen3 zhong4",
    "重做一遍": "chong2 zuo4 yi2 bian4",
    "长大了": "zhang3 da4 le5",
    "头发很长": "tou2 fa5 hen3 chang2",
    "校长": "xiao4 zhang3",
    "长城": "chang2 cheng2",
    "还没还书": "hai2 mei2 huan2 shu1",
    "大家都去首都": "da4 jia1 dou1 qu4 shou3 du1",
    "都市里": "du1 shi4 li3",
    "因为": "yin1 wei4",
    "认为": "ren4 wei2",
    "成为英雄": "cheng2 wei2 ying1 xiong2",
    "为人民服务": "wei4 ren2 min2 fu2 wu4",
    "气温为三十度": "qi4 wen1 wei2 san1 shi2 du4",
    "音乐": "yin1 yue4",
    "快乐": "kuai4 le4",
    "便宜": "pian2 yi5",
    "方便": "fang1 bian4",
    "觉得": "jue2 de5",
    "睡觉": "shui4 jiao4",
    "教师教书": "jiao4 shi1 jiao1 shu1",
    "数一数数字": "shu3 yi5 shu3 shu4 zi4",
    "一只猫": "yi4 zhi1 mao1",
    "只有": "zhi2 you3",
    "种树": "zhong4 shu4",
    "种类": "zhong3 lei4",
    "理发": "li3 fa4",
    "发展": "fa1 zhan3",
    "测量": "ce4 liang2",
    "数量": "shu4 liang4",
    "效率": "xiao4 lv4",
    "率领": "shuai4 ling3",
    "差别很差": "cha1 bie2 hen3 cha4",
    "出差": "chu1 chai1",
    "爱好": "ai4 hao4",
    "放假": "fang4 jia4",
    "真假": "zhen1 jia3",
    "背着背包": "bei1 zhe5 bei1 bao1",
    "到处": "dao4 chu4",
    "空调": "kong1 tiao2",
    "调查": "diao4 cha2",
    "有空": "you3 kong4",
    "姓曾": "xing4 zeng1",
    "曾经": "ceng2 jing1",
    "朝阳区": "chao2 yang2 qu1",
    "角色": "jue2 se4",
    "角度": "jiao3 du4",
    "中奖": "zhong4 jiang3",
    "子弹": "zi3 dan4",
    "弹琴": "tan2 qin2",
    "传记": "zhuan4 ji4",
    "传说": "chuan2 shuo1",
    "应该": "ying1 gai1",
    "反应": "fan3 ying4",
    "会计": "kuai4 ji4",
    "会议": "hui4 yi4",
    "似的": "shi4 de5",
    "高兴": "gao1 xing4",
    "系鞋带": "ji4 xie2 dai4",
    "更新": "geng1 xin1",
    "积累": "ji1 lei3",
}


@pytest.mark.parametrize(("text", "pinyin"), SANDHI.items())
def test_tones_change_as_they_are_spoken(mandarin: Mandarin, text: str, pinyin: str) -> None:
    assert read(mandarin, text) == pinyin


@pytest.mark.parametrize(("text", "pinyin"), POLYPHONES.items())
def test_a_character_takes_the_reading_of_its_context(mandarin: Mandarin, text: str, pinyin: str) -> None:
    assert read(mandarin, text) == pinyin


@pytest.mark.parametrize(
    ("text", "sounds"),
    {
        "你好世界": "ni↗xau↓ ʂɨ↘ʨje↘",
        "花儿": "xwa→ɚ",
        "玩儿": "wa↗ɚ",
        "一会儿": "i↗xwe↘ɚ",
        "女儿": "ny↓ɚ↗",
        "儿子": "ɚ↗ʦɨ",
        "绿色": "ly↘sɤ↘",
        "中国人": "ꭧʊ→ŋkwo↗ ɻə↗n",
    }.items(),
)
def test_words_become_the_models_phonemes(mandarin: Mandarin, text: str, sounds: str) -> None:
    assert mandarin.phonemes(text) == sounds


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    {
        "銀行裡的音樂會": "银行里的音乐会",
        "睡著了": "睡着了",
        "只有一隻貓": "只有一只猫",
        "著名": "著名",
        "乾淨": "干净",
        "頭髮": "头发",
    }.items(),
)
def test_traditional_text_reads_as_simplified_text_does(
    mandarin: Mandarin, traditional: str, simplified: str
) -> None:
    assert read(mandarin, traditional) == read(mandarin, simplified)


def test_every_character_gets_as_many_syllables_as_it_has(mandarin: Mandarin) -> None:
    text = "".join(chr(code) for code in range(0x4E00, 0x9FA6))
    words = mandarin.words(text)
    assert sum(len(word.text) for word in words) == len(text)
    assert all(len(word.syllables) == len(word.text) for word in words)
    silent = [
        char for word in words for char, said in zip(word.text, word.syllables, strict=True) if not said
    ]
    assert len(silent) < 20, silent
