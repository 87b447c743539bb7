"""Units and currencies as read aloud: symbol -> (Mandarin, English singular, English plural).

A Mandarin entry with {} says where the number goes; without, the number comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# the longest symbol that fits wins; "m" and other letters count only behind a number
UNITS: dict[str, tuple[str, str, str]] = {
    "km/h": ("每小时{}公里", "kilometer per hour", "kilometers per hour"),
    "m/s": ("每秒{}米", "meter per second", "meters per second"),
    "mph": ("每小时{}英里", "mile per hour", "miles per hour"),
    "km²": ("平方公里", "square kilometer", "square kilometers"),
    "km2": ("平方公里", "square kilometer", "square kilometers"),
    "m²": ("平方米", "square meter", "square meters"),
    "m2": ("平方米", "square meter", "square meters"),
    "cm²": ("平方厘米", "square centimeter", "square centimeters"),
    "cm2": ("平方厘米", "square centimeter", "square centimeters"),
    "m³": ("立方米", "cubic meter", "cubic meters"),
    "m3": ("立方米", "cubic meter", "cubic meters"),
    "km": ("公里", "kilometer", "kilometers"),
    "cm": ("厘米", "centimeter", "centimeters"),
    "mm": ("毫米", "millimeter", "millimeters"),
    "μm": ("微米", "micrometer", "micrometers"),
    "nm": ("纳米", "nanometer", "nanometers"),
    "m": ("米", "meter", "meters"),
    "kg": ("公斤", "kilogram", "kilograms"),
    "mg": ("毫克", "milligram", "milligrams"),
    "g": ("克", "gram", "grams"),
    "lb": ("磅", "pound", "pounds"),
    "lbs": ("磅", "pound", "pounds"),
    "oz": ("盎司", "ounce", "ounces"),
    "ft": ("英尺", "foot", "feet"),
    "mL": ("毫升", "milliliter", "milliliters"),
    "ml": ("毫升", "milliliter", "milliliters"),
    "L": ("升", "liter", "liters"),
    "ms": ("毫秒", "millisecond", "milliseconds"),
    "s": ("秒", "second", "seconds"),
    "min": ("分钟", "minute", "minutes"),
    "h": ("小时", "hour", "hours"),
    "kWh": ("千瓦时", "kilowatt hour", "kilowatt hours"),
    "kW": ("千瓦", "kilowatt", "kilowatts"),
    "MW": ("兆瓦", "megawatt", "megawatts"),
    "W": ("瓦", "watt", "watts"),
    "mAh": ("毫安时", "milliamp hour", "milliamp hours"),
    "V": ("伏", "volt", "volts"),
    "kHz": ("千赫兹", "kilohertz", "kilohertz"),
    "MHz": ("兆赫兹", "megahertz", "megahertz"),
    "GHz": ("吉赫兹", "gigahertz", "gigahertz"),
    "Hz": ("赫兹", "hertz", "hertz"),
    "dB": ("分贝", "decibel", "decibels"),
    "kPa": ("千帕", "kilopascal", "kilopascals"),
    "kcal": ("千卡", "kilocalorie", "kilocalories"),
    "KB": (" K B", "kilobyte", "kilobytes"),
    "MB": (" M B", "megabyte", "megabytes"),
    "GB": (" G B", "gigabyte", "gigabytes"),
    "TB": (" T B", "terabyte", "terabytes"),
    "Mbps": ("每秒{}兆比特", "megabit per second", "megabits per second"),
    "Gbps": ("每秒{}吉比特", "gigabit per second", "gigabits per second"),
    "kbps": ("每秒{}千比特", "kilobit per second", "kilobits per second"),
    "fps": ("每秒{}帧", "frame per second", "frames per second"),
    "°C": ("摄氏度", "degree Celsius", "degrees Celsius"),
    "℃": ("摄氏度", "degree Celsius", "degrees Celsius"),
    "°F": ("华氏度", "degree Fahrenheit", "degrees Fahrenheit"),
    "℉": ("华氏度", "degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("度", "degree", "degrees"),
    "%": ("百分之{}", "percent", "percent"),
    "‰": ("千分之{}", "per mille", "per mille"),
}

# sign -> (Mandarin, English singular, plural, hundredth singular, plural)
CURRENCIES: dict[str, tuple[str, str, str, str, str]] = {
    "US$": ("美元", "dollar", "dollars", "cent", "cents"),
    "HK$": ("港元", "Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "A$": ("澳元", "Australian dollar", "Australian dollars", "cent", "cents"),
    "C$": ("加元", "Canadian dollar", "Canadian dollars", "cent", "cents"),
    "USD": ("美元", "dollar", "dollars", "cent", "cents"),
    "EUR": ("欧元", "euro", "euros", "cent", "cents"),
    "GBP": ("英镑", "pound", "pounds", "penny", "pence"),
    "RMB": ("元", "yuan", "yuan", "fen", "fen"),
    "CNY": ("元", "yuan", "yuan", "fen", "fen"),
    "$": ("美元", "dollar", "dollars", "cent", "cents"),
    "€": ("欧元", "euro", "euros", "cent", "cents"),
    "£": ("英镑", "pound", "pounds", "penny", "pence"),
    "¥": ("元", "yuan", "yuan", "fen", "fen"),
    "₩": ("韩元", "won", "won", "jeon", "jeon"),
    "₹": ("卢比", "rupee", "rupees", "paisa", "paise"),
}


def pattern(symbols: Iterable[str]) -> str:
    """A regular expression for any of the symbols, longest first."""
    return "|".join(re.escape(symbol) for symbol in sorted(symbols, key=len, reverse=True))
