"""What a native reader would say. Where this table and the code differ, the code is wrong."""

from __future__ import annotations

import pytest

from index_tts_ui.text import clean, normalise

MANDARIN = {
    # temperatures, units
    "今天气温35℃。": "今天气温三十五摄氏度。",
    "气温-5℃到3℃": "气温零下五摄氏度到三摄氏度",
    "水温10~15°C": "水温十到十五摄氏度",
    "烤箱设到350℉": "烤箱设到三百五十华氏度",
    "转90°": "转九十度",
    "时速120km/h": "时速每小时一百二十公里",
    "体重5kg": "体重五公斤",
    "房子100㎡": "房子一百平方米",
    "面积100m²": "面积一百平方米",
    "长3.5cm": "长三点五厘米",
    "每次50mg": "每次五十毫克",
    "一瓶500ml": "一瓶五百毫升",
    "频率2.4GHz": "频率二点四吉赫兹",
    "3,000米": "三千米",
    "10-15公斤": "十到十五公斤",
    "3~5天": "三到五天",
    "1-2天": "一到两天",
    "30-40岁": "三十到四十岁",
    # dates
    "2026年11月21日": "二零二六年十一月二十一日",
    "2026-11-21": "二零二六年十一月二十一日",
    "2026/11/21": "二零二六年十一月二十一日",
    "2026.1.5": "二零二六年一月五日",
    "2月2日": "二月二日",
    "5月1日-5月3日": "五月一日到五月三日",
    "2023-2024年": "二零二三到二零二四年",
    "1998年": "一九九八年",
    "公元前221年": "公元前二百二十一年",
    "20世纪90年代": "二十世纪九十年代",
    "1990s": "二十世纪九十年代",
    "90后": "九零后",
    "周1": "周一",
    "9·11事件": "九一一事件",
    # times
    "13:05": "十三点零五分",
    "下午3:45": "下午三点四十五分",
    "8:30开会": "八点三十分开会",
    "12:00": "十二点",
    "2:30": "两点三十分",
    "10:30-11:30": "十点三十分到十一点三十分",
    "10:05:30": "十点零五分三十秒",
    "3:00pm": "下午三点",
    "24小时": "二十四小时",
    # money
    "￥99.5": "九十九点五元",
    "¥100": "一百元",
    "$5.50": "五点五美元",
    "$1": "一美元",
    "€20": "二十欧元",
    "HK$30": "三十港元",
    "$3.5亿": "三点五亿美元",
    "99.50元": "九十九点五元",
    "1,234,567元": "一百二十三万四千五百六十七元",
    "100元/人": "一百元每人",
    "3万元/平方米": "三万元每平方米",
    # percent, fractions, sums
    "50%": "百分之五十",
    "100%": "百分之一百",
    "3.14%": "百分之三点一四",
    "10%-15%": "百分之十到百分之十五",
    "5-10%": "百分之五到十",
    "1/2": "二分之一",
    "1/3的人": "三分之一的人",
    "3又1/2": "三又二分之一",
    "1+1=2": "一加一等于二",
    "3×4=12": "三乘四等于十二",
    "8-3=5": "八减三等于五",
    "5>3": "五大于三",
    "10²": "十的二次方",
    "比分3:2": "比分三比二",
    "16:9": "十六比九",
    # numbers
    "0.5": "零点五",
    "-3": "负三",
    "1000000": "一百万",
    "1.5万": "一点五万",
    "12亿": "十二亿",
    "20000人": "两万人",
    "102个": "一百零二个",
    "2个人": "两个人",
    "2次": "两次",
    "第2次": "第二次",
    "第3名": "第三名",
    "第12届": "第十二届",
    "2楼": "二楼",
    "100多人": "一百多人",
    "No.1": "第一",
    "007": "零零七",
    # telephones, codes
    "13800138000": "幺三八，零零幺三，八零零零",
    "138-0013-8000": "幺三八，零零幺三，八零零零",
    "010-12345678": "零幺零，幺二三四五六七八",
    "400-800-1234": "四零零，八零零，幺二三四",
    "010-8888 6666": "零幺零，八八八八，六六六六",
    "拨打110": "拨打幺幺零",
    "192.168.1.1": "一九二点一六八点一点一",
    # names with numbers
    "v2.0.1版": "V 二点零点一版",
    "版本2.0": "版本二点零",
    "GPT-4很强": "GPT 四很强",
    "Qwen2.5-7B模型": "Qwen 二点五 七B模型",
    "A4纸": "A 四纸",
    "5G网络": "五G网络",
    "iPhone 15 Pro真贵": "iPhone 十五 Pro真贵",
    "RTX 4090显卡": "RTX 四零九零显卡",
    "波音747": "波音七四七",
    "COVID-19疫情": "COVID 十九疫情",
    "双11": "双十一",
    "1080p视频": "一零八零p视频",
    "C++语言": "C加加语言",
    # addresses, phrases
    "访问www.example.com": "访问W W W点example点com",
    "写信给test@example.com": "写信给test at example点com",
    "快 3 倍": "快三倍",
    "见图2-1": "见图二杠一",
    "春眠不觉晓 处处闻啼鸟": "春眠不觉晓，处处闻啼鸟",
}

ENGLISH = {
    "Dr. Smith": "Doctor Smith",
    "Mr. & Mrs. Smith": "Mister and Missus Smith",
    "St. John lives on Main St.": "Saint John lives on Main Street",
    "e.g. this, i.e. that": "for example this, that is that",
    "apples, pears, etc. are fruit": "apples, pears, et cetera are fruit",
    "$5.50": "five dollars and fifty cents",
    "$1": "one dollar",
    "$0.99": "ninety nine cents",
    "$1,234.56": "one thousand two hundred and thirty four dollars and fifty six cents",
    "$3.5 million": "three point five million dollars",
    "$20k": "twenty thousand dollars",
    "$5-10": "five to ten dollars",
    "£3.20": "three pounds and twenty pence",
    "€10": "ten euros",
    "3:45 pm": "three forty five P.M.",
    "at 5 a.m. He left.": "at five A.M. He left.",
    "10:00": "ten o'clock",
    "14:30": "fourteen thirty",
    "9:05 a.m.": "nine oh five A.M.",
    "10:30-11:30": "ten thirty to eleven thirty",
    "1990s": "nineteen nineties",
    "the '80s": "the eighties",
    "50%": "fifty percent",
    "5-10%": "five to ten percent",
    "2026-11-21": "November twenty first, twenty twenty six",
    "11/21/2026": "November twenty first, twenty twenty six",
    "Jan 5, 2024": "January fifth, twenty twenty four",
    "5 May 2020": "the fifth of May, twenty twenty",
    "the 4th of July": "the fourth of July",
    "You may 5 times": "You may five times",
    "in 1990": "in nineteen ninety",
    "since 1800": "since eighteen hundred",
    "in 2005": "in two thousand and five",
    "1914-1918": "nineteen fourteen to nineteen eighteen",
    "10-15 kg": "ten to fifteen kilograms",
    "1 kg": "one kilogram",
    "5 m long": "five meters long",
    "60 mph": "sixty miles per hour",
    "a 5-km run": "a five kilometer run",
    "100 m²": "one hundred square meters",
    "25°C": "twenty five degrees Celsius",
    "-5°C": "minus five degrees Celsius",
    "100GB": "one hundred gigabytes",
    "v2.0.1": "V two point zero point one",
    "version 1.5": "version one point five",
    "GPT-4": "GPT four",
    "COVID-19": "COVID nineteen",
    "A4 paper": "A-four paper",
    "RTX 4090": "RTX forty ninety",
    "Boeing 747": "Boeing seven forty seven",
    "B2B": "B to B",
    "a.b@example.com": "a dot b at example dot com",
    "https://example.com/a": "example dot com slash a",
    "Visit www.example.com.": "Visit W W W dot example dot com.",
    "1/2": "one half",
    "3/4": "three quarters",
    "1 1/2 cups": "one and a half cups",
    "21st": "twenty first",
    "102nd": "one hundred and second",
    "No. 5": "number five",
    "#1": "number one",
    "555-123-4567": "five five five, one two three, four five six seven",
    "Call 911": "Call nine one one",
    "1000": "one thousand",
    "1500 people": "one thousand five hundred people",
    "1234 cats": "one thousand two hundred and thirty four cats",
    "1,234,567": "one million two hundred and thirty four thousand five hundred and sixty seven",
    "100000000000": "one hundred billion",
    "3.14": "three point one four",
    "-5": "minus five",
    "007": "zero zero seven",
    "24/7": "twenty four seven",
    "5 + 3 = 8": "five plus three equals eight",
    "10 - 3": "ten minus three",
    "The U.S. has 50 states.": "The U.S. has fifty states.",
    "R&D": "R and D",
    "C++ code": "C plus plus code",
}

MIXED = {
    "我买了3个apple": "我买了三个apple",
    '他说："I have 3 apples and 50% of them are red."': '他说："I have three apples and fifty percent of them are red."',
    "My name is 小明 and I have 3 cats.": "My name is 小明 and I have three cats.",
    "用GPU跑20%的任务": "用GPU跑百分之二十的任务",
    "Windows 11系统": "Windows 十一系统",
    "打开USB 3.0接口": "打开USB 三点零接口",
}


@pytest.mark.parametrize(("written", "said"), MANDARIN.items())
def test_mandarin_is_said_as_a_native_reader_says_it(written: str, said: str) -> None:
    assert normalise(clean(written), "zh") == said


@pytest.mark.parametrize(("written", "said"), ENGLISH.items())
def test_english_is_said_as_a_native_reader_says_it(written: str, said: str) -> None:
    assert normalise(clean(written), "en") == said


@pytest.mark.parametrize(("written", "said"), MIXED.items())
def test_a_number_in_mixed_text_takes_the_language_around_it(written: str, said: str) -> None:
    assert normalise(clean(written)) == said


def test_a_bare_number_follows_the_default_language() -> None:
    assert normalise("2026", "en") == "twenty twenty six"
    assert normalise("25", "zh") == "二十五"


@pytest.mark.parametrize("text", ["", " ", "\n", "，。", "hello", "你好，世界"])
def test_text_without_numbers_or_signs_stays(text: str) -> None:
    assert normalise(text) == text
