"""Which reading a character of many readings takes: phrases, and contexts of single characters."""

from __future__ import annotations

import re
from functools import lru_cache

# words that pypinyin's dictionary lacks or reads in a rarer way; also made words of the segmenter
_PHRASES = """
银行行长 yin2 hang2 hang2 zhang3|落下 luo4 xia4|流血 liu2 xue4|填空 tian2 kong4|朝阳区 chao2 yang2 qu1
朝阳门 chao2 yang2 men2|朝阳路 chao2 yang2 lu4|新冠 xin1 guan1|知识分子 zhi1 shi5 fen4 zi3|积极分子 ji1 ji2 fen4 zi3
都市 du1 shi4|成都市 cheng2 du1 shi4|一行人 yi1 xing2 ren2|长发 chang2 fa4|短发 duan3 fa4|白发 bai2 fa4|黑发 hei1 fa4
金发 jin1 fa4|卷发 juan3 fa4|假发 jia3 fa4|染发 ran3 fa4|洗发 xi3 fa4|洗发水 xi3 fa4 shui3|护发 hu4 fa4|秀发 xiu4 fa4
单曲 dan1 qu3|数一数 shu3 yi1 shu3|量一量 liang2 yi1 liang2|背着 bei1 zhe5|调查 diao4 cha2|旋转 xuan2 zhuan3|找着 zhao3 zhao2
睡不着 shui4 bu5 zhao2|找不着 zhao3 bu5 zhao2|够不着 gou4 bu5 zhao2|用不着 yong4 bu5 zhao2|犯不着 fan4 bu5 zhao2|数得着 shu3 de5 zhao2
受不了 shou4 bu5 liao3|大不了 da4 bu5 liao3|免不了 mian3 bu5 liao3|少不了 shao3 bu5 liao3|忘不了 wang4 bu5 liao3|对不起 dui4 bu5 qi3|来不了 lai2 bu5 liao3
去不了 qu4 bu5 liao3|做不了 zuo4 bu5 liao3|吃不了 chi1 bu5 liao3|走不了 zou3 bu5 liao3|了不起 liao3 bu5 qi3|不得了 bu4 de2 liao3
不得不 bu4 de2 bu4|不得 bu4 de2|值得 zhi2 de5|觉得 jue2 de5|记得 ji4 de5|懂得 dong3 de5|显得 xian3 de5|舍得 she3 de5|舍不得 she3 bu5 de5
认得 ren4 de5|晓得 xiao3 de5|免得 mian3 de5|省得 sheng3 de5|使得 shi3 de5|获得 huo4 de2|取得 qu3 de2|总得 zong3 dei3|还得 hai2 dei3|必得 bi4 dei3
一会儿 yi1 hui4 er5|一点儿 yi1 dian3 er5|有点儿 you3 dian3 er5|哪儿 na3 er5|那儿 na4 er5|这儿 zhe4 er5|玩儿 wan2 er5
这个 zhe4 ge5|那个 na4 ge5|哪个 na3 ge5|几个 ji3 ge5|一个 yi1 ge5|两个 liang3 ge5|乾净 gan1 jing5|为何 wei4 he2|为此 wei4 ci3|为人 wei2 ren2
为主 wei2 zhu3|为止 wei2 zhi3|为首 wei2 shou3|为例 wei2 li4|为期 wei2 qi1|为准 wei2 zhun3|更为 geng4 wei2|极为 ji2 wei2|颇为 po1 wei2
最为 zui4 wei2|尤为 you2 wei2|较为 jiao4 wei2|身为 shen1 wei2|名为 ming2 wei2|称为 cheng1 wei2|改为 gai3 wei2|分为 fen1 wei2|评为 ping2 wei2
变为 bian4 wei2|化为 hua4 wei2|视为 shi4 wei2|列为 lie4 wei2|设为 she4 wei2|转为 zhuan3 wei2|升为 sheng1 wei2|定为 ding4 wei2|成为 cheng2 wei2
行不行 xing2 bu5 xing2|行得通 xing2 de5 tong1|各行各业 ge4 hang2 ge4 ye4|一行 yi1 hang2|两行 liang3 hang2|几行 ji3 hang2|多行 duo1 hang2
大夫 dai4 fu5|模板 mu2 ban3|尽快 jin3 kuai4|尽早 jin3 zao3|处处 chu4 chu4|处在 chu3 zai4|相处 xiang1 chu3|好处 hao3 chu5|坏处 huai4 chu5
血 xie3|还书 huan2 shu1|还钱 huan2 qian2|还债 huan2 zhai4|乐山 le4 shan1|重做 chong2 zuo4|重写 chong2 xie3|重启 chong2 qi3|重来 chong2 lai2
重读 chong2 du2|重装 chong2 zhuang1|倒车 dao4 che1|倒水 dao4 shui3|倒茶 dao4 cha2|倒立 dao4 li4|倒数 dao4 shu3|倒计时 dao4 ji4 shi2
播放量 bo1 fang4 liang4|数据量 shu4 ju4 liang4|点击率 dian3 ji1 lv4|准确率 zhun3 que4 lv4|成功率 cheng2 gong1 lv4|采样率 cai3 yang4 lv4
码率 ma3 lv4|显存 xian3 cun2|缓存 huan3 cun2|重载 chong2 zai4|卷积 juan3 ji1|调用 diao4 yong4|调参 tiao2 can1|调优 tiao2 you1|调试 tiao2 shi4
音色 yin1 se4|语音 yu3 yin1|发音 fa1 yin1|朗读 lang3 du2|吗 ma5|呢 ne5|吧 ba5|啊 a5|嘛 ma5|啦 la5|呀 ya5|哇 wa5|喽 lou5|哦 o2|嗯 en5|哎 ai1|唉 ai4|噢 o1|喂 wei2
"""

# the second syllable of these is always neutral
_NEUTRAL = """
东西 事情 时候 先生 太太 朋友 喜欢 知道 告诉 认识 意思 明白 清楚 漂亮 便宜 衣服 眼睛 耳朵 鼻子 嘴巴
头发 脑袋 身子 胳膊 舌头 骨头 指头 石头 木头 馒头 枕头 拳头 念头 罐头 锄头 码头 里头 外头 前头 后头
上头 窗户 地方 消息 关系 学生 大夫 护士 丈夫 媳妇 老婆 姑娘 闺女 亲戚 客气 麻烦 马虎 模糊 糊涂
聪明 老实 厉害 力气 脾气 福气 运气 小气 阔气 神气 和气 暖和 凉快 舒服 痛快 快活 热闹 干净 结实
休息 收拾 打扮 打听 打算 商量 招呼 照顾 咳嗽 哆嗦 琢磨 应付 答应 吩咐 使唤 耽误 折腾 抱怨 埋怨
委屈 心思 见识 知识 故事 笑话 名字 名堂 日子 月亮 云彩 葡萄 萝卜 豆腐 黄瓜 点心 粮食 庄稼 牲口 骆驼
狐狸 蛤蟆 苍蝇 蚂蚱 刺猬 畜生 师傅 师父 状元 秀才 财主 大方 大爷 行李 钥匙 扫帚 算盘 灯笼 棉花 扇子
包袱 玻璃 胭脂 首饰 戒指 帐篷 衙门 铺盖 风筝 簸箕 嫁妆 机灵 伶俐 精神 秧歌 规矩 道理 造化 含糊 勤快
利索 利落 硬朗 踏实 扎实 牢靠 滑溜 啰嗦 罗嗦 别扭 疙瘩 疟疾 窟窿 篱笆 累赘 迷糊 牌楼 皮匠 石匠 木匠
铁匠 街坊 思量 岁数 特务 挑剔 跳蚤 屁股 稀罕 下巴 吓唬 相声 学问 丫头 养活 吆喝 妖精 冤枉 早上 晚上
丈人 芝麻 祖宗 作坊 爱人 白净 帮手 本事 比方 扁担 部分 裁缝 差事 柴火 称呼 锤子 出息 村子 打点 打发
打量 胆子 担子 提防 嘀咕 弟兄 点缀 东家 动静 动弹 队伍 对付 对头 多么 多少 儿子 甘蔗 高粱 膏药
告示 跟头 工夫 功夫 姑爷 官司 行当 合同 和尚 核桃 红火 后生 厚道 胡琴 火候 伙计 记号 家伙 架势 交情
叫唤 节气 姐夫 妹夫 进项 开通 口袋 懒得 老爷 冷战 眉毛 苗条 难为 能耐 奴才 女婿 欺负 亲家 人家 洒脱
上司 少爷 生意 尸首 师爷 世故 似的 拾掇 舒坦 疏忽 爽快 体面 添头 妥当 挖苦 娃娃 尾巴 稳当 乡下 相公
消停 心里 家里 手里 屋里 这里 那里 夜里 哪里 牙碜 烟筒 严实 谢谢 爸爸 妈妈 爷爷 奶奶 哥哥 姐姐 弟弟
妹妹 叔叔 伯伯 舅舅 姑姑 婶婶 姥姥 公公 婆婆 宝宝 星星 猩猩 蛐蛐
"""

# 子 is a noun of its own here (child, master, particle), not the neutral suffix
_FULL_ZI = """
原子 电子 男子 女子 质子 中子 离子 粒子 因子 母子 父子 才子 太子 天子 孔子 孟子 庄子 老子 荀子 墨子 精子 卵子 光子 赤子 游子 臣子 独子 次子 长子
瓜子 莲子 鱼子 弟子 学子 君子 王子 量子 分子 核子 亲子 孢子 松子 枸杞子 佛子 浪子 逆子 养子 义子 世子 皇子
"""

# whole-word readings after third-tone sandhi, where the neutral second syllable hides its cause
_FIXED = {
    "妻子": "qi1 zi5",
    "小姐": "xiao2 jie5",
    "哪里": "na2 li5",
    "小伙子": "xiao2 huo3 zi5",
    "想想": "xiang2 xiang5",
}

_NUMERAL = "零一二三四五六七八九十百千万亿两几半"
# reading, what stands before (a pattern up to the character), what stands after; the first that fits
_CONTEXTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "得": (
        ("de2", r"(?:^|[我你他她它们人])$", rf"(?:了|到|出|过|[{_NUMERAL}]|第|分|奖|病)"),
        (
            "dei3",
            r"(?:^|[我你他她它您咱谁们都就还也总可又才只非家]|必须|今天|明天|现在|一定|人)$",
            r"[^\W了很太]",
        ),
        ("de5", r"\w$", ""),
        ("de2", "", ""),
    ),
    "了": (("liao3", r"(?:(?<![\u4e00-\u9fff])|[^我你他她它们])[得不]$", r"(?!一)"), ("le5", "", "")),
    "着": (("zhao2", r"[不得]$|睡$|点$", r"(?!的)"), ("zhe5", "", "")),
    "还": (
        ("huan2", "", r"(?:书|钱|债|款|给|清|账|帐|贷|车|我|你|他|她|回|原|手|礼|价|愿|乡|不起|得起|完)"),
        ("huan2", r"(?:归|偿|退|奉|返)$", ""),
        ("hai2", "", ""),
    ),
    "都": (("du1", "", "[市城]"), ("dou1", "", "")),
    "为": (
        (
            "wei2",
            r"[作成称认以视分变改化列定设选任极颇大更名译命评誉升转换合算最尤较甚均皆即仅约共总身拜贬沦引传奉立封授增降减调缩折宽高长度温率值额量数]$",
            "",
        ),
        (
            "wei2",
            "",
            rf"(?:[{_NUMERAL}\d]|百分|第|例|止|主|首|准|期|限|荣|由|生|非|中心|基础|目标|核心|原则|人(?![民们类家生])|[零负])",
        ),
        ("wei4", "", ""),
    ),
    "长": (
        ("zhang3", "", r"(?:[大高出成胖满着]|得(?!多|很|一)|了(?:[一两几个]|很多|不少))"),
        ("zhang3", r"[校院部局处科班组队会厂店市县省镇村州团船社所站馆董]$", r"(?!期)"),
        ("chang2", "", ""),
    ),
    "行": (
        ("hang2", rf"[{_NUMERAL}每第各本该]$", r"(?![人动为程走驶政])"),
        ("hang2", "", r"(?:业|列|情|家|规|距)"),
        ("xing2", "", ""),
    ),
    "重": (
        (
            "chong2",
            "",
            r"(?:新|复|叠|建|来|做|写|启|逢|申|演|返|温|组|试|播|拍|现|构|置|装|修|读|名|版|印|审|整|塑|跑|开|画|算|唱|说|学|看|发)",
        ),
        ("chong2", rf"[双多{_NUMERAL}]$", r"(?!的?人|量|要)"),
        ("zhong4", "", ""),
    ),
    "只": (
        ("zhi3", "", r"(?:是|有|能|要|会|好|不|想|剩|见|需|得|顾|用|知|可|差|买|卖|说|做|看|吃|喝)"),
        ("zhi1", rf"[{_NUMERAL}多每这那哪数\d]$", ""),
        ("zhi3", "", ""),
    ),
    "种": (
        ("zhong3", rf"[{_NUMERAL}多每这那哪各某\d]$", ""),
        ("zhong4", "", r"(?:[树地田花菜草瓜豆粮植下了上满着过])"),
        ("zhong3", "", ""),
    ),
    "教": (
        ("jiao4", r"[佛道督兰主宗请]$", ""),
        ("jiao4", "", "[师育室授学材练训程堂皇科诲养条]"),
        ("jiao1", "", ""),
    ),
    "数": (("shu3", "", r"(?:一数|数|不清|不胜|着|了|钱|星|羊|出)"), ("shu4", "", "")),
    "量": (("liang2", "", r"(?:一量|量|体温|身高|血压|体重|尺寸|了|着|一下|出)"), ("liang4", "", "")),
    "率": (("shuai4", "", r"(?:领|先|队|众|部|军|团|百)"), ("lv4", "", "")),
    "差": (("cha1", r"[之温时级位价逆顺落极反色相偏公方残视]$", ""), ("cha4", "", "")),
    "好": (("hao4", r"[爱喜嗜]$", ""), ("hao3", "", "")),
    "假": (("jia4", r"[请放病事年婚产休暑寒春度准补探]$", ""), ("jia4", "", "[期日条]"), ("jia3", "", "")),
    "背": (("bei1", "", r"(?:着|起|包|负|了|上(?:书包|行囊|包))"), ("bei4", "", "")),
    "处": (("chu3", "", r"(?:于|在|以|变|世)"), ("chu4", "", "")),
    "调": (
        ("diao4", "", r"(?:查|动|研|度|令|换|派|来|到|往|入|出|取|用|兵|任|离|头)"),
        ("diao4", r"[声音语腔曲格色升降步]$", ""),
        ("tiao2", "", ""),
    ),
    "倒": (
        ("dao3", r"[摔跌打推病晕绊昏卧吹撞压放扑颠醉累拉栽滑]$", ""),
        ("dao3", "", r"(?:下|闭|塌|台|霉|地|在|了(?!一?杯))"),
        ("dao4", "", ""),
    ),
    "干": (
        ("gan1", r"(?:[晒晾烘擦吹风阴饼豆]|很|太|没|口|变|发)$", ""),
        ("gan1", "", r"(?:净|燥|旱|枯|货|杯|脆|粮|涩|洗|扰|预|涉|瘪|裂|冰|果)"),
        ("gan4", "", ""),
    ),
    "空": (
        ("kong4", r"[有没得抽留腾填]$", r"(?![气间调中军姐手洞白想置虚])"),
        ("kong4", "", "[白闲缺隙格余额]"),
        ("kong1", "", ""),
    ),
    "相": (("xiang4", r"[照真面首丞宰]$", ""), ("xiang1", "", "")),
    "应": (
        ("ying4", "", r"(?:[邀聘对付用战急变试考征酬验运允约声景].{0,1}|.{1,12}(?:邀请|要求|之邀))"),
        ("ying4", r"[反响效适对供呼回感相顺]$", ""),
        ("ying1", "", ""),
    ),
    "当": (("dang4", r"[适恰妥稳]$", ""), ("dang4", "", "[作成真铺]"), ("dang1", "", "")),
    "中": (
        ("zhong4", "", r"(?:[奖毒标签招暑弹彩枪计邪箭]|了(?:[一大头毒奖圈计彩五百]|他|敌))"),
        ("zhong1", "", ""),
    ),
    "传": (("zhuan4", r"[自外列]$|\w{2}$", r"(?:》|$)(?<=传)(?=》)"), ("chuan2", "", "")),
    "转": (
        ("zhuan4", "", r"(?:圈|盘|速|轮|悠|椅|轴|了[一几两三]圈|个不停|来转去|个圈)"),
        ("zhuan4", r"[打自公空飞]$", ""),
        ("zhuan3", "", ""),
    ),
    "弹": (("dan4", r"[子炸导炮原核氢飞枪榴流防中投]$", ""), ("tan2", "", "")),
    "系": (("ji4", "", r"(?:鞋带|领带|安全带|好|上|着|紧|扣|围巾)"), ("xi4", "", "")),
    "曾": (
        ("zeng1", r"姓$", ""),
        ("zeng1", "", r"(?:先生|女士|小姐|老师|国藩|总|经理|子)"),
        ("ceng2", "", ""),
    ),
    "卷": (("juan4", rf"[上中下第试答考案画书开闭问交阅{_NUMERAL}]$", ""), ("juan3", "", "")),
    "乐": (
        ("yue4", "", r"(?:器|队|曲|谱|章|团|理|坛|手|评)"),
        ("yue4", "[音声器配奏]$", ""),
        ("le4", "", ""),
    ),
    "地": (("di4", "", ""),),
    "朝": (("zhao1", r"[今明]$", "[夕霞气露]"), ("chao2", "", "")),
    "更": (("geng1", r"[三五半变]$", ""), ("geng1", "", "[新换改替迭正衣名]"), ("geng4", "", "")),
    "薄": (("bo2", "", "[弱利情命荷雾]"), ("bao2", "", "")),
    "曲": (("qu1", "", "[折线面直解]"), ("qu3", "", "")),
    "称": (("chen4", "", "[心职]"), ("cheng1", "", "")),
    "和": (("he2", "", ""),),
    "会": (("hui4", "", ""),),
    "少": (("shao4", "", "[年女爷将校先林]"), ("shao3", "", "")),
    "要": (("yao4", "", ""),),
    "累": (("lei3", "", "[积计累]"), ("lei4", "", "")),
    "便": (("bian4", "", ""),),
    "钻": (("zuan4", "", "[石戒头]"), ("zuan1", "", "")),
    "切": (("qie1", "", ""),),
    "没": (("mo4", "", "[收落过入顶]"), ("mei2", "", "")),
    "盛": (("cheng2", "", "[饭汤水菜着了满]"), ("sheng4", "", "")),
    "降": (("xiang2", "[投劝归受]$", ""), ("jiang4", "", "")),
    "角": (("jue2", "[主配名丑旦]$", ""), ("jiao3", "", "")),
    "供": (("gong1", "", ""),),
    "扎": (("zha1", "", ""),),
    "似": (("si4", "", ""),),
    "几": (("ji3", "", ""),),
    "吐": (("tu4", "[呕]$", ""), ("tu3", "", "")),
    "涨": (("zhang4", "[高肿膨泡]$", "[红大]"), ("zhang3", "", "")),
    "散": (("san3", "", "[文漫记]"), ("san4", "", "")),
    "片": (("pian4", "", ""),),
    "挑": (("tiao3", "", "[战起衅拨逗动]"), ("tiao1", "", "")),
    "那": (("na4", "", ""),),
    "哪": (("na3", "", ""),),
    "谁": (("shei2", "", ""),),
    "这": (("zhe4", "", ""),),
    "说": (("shuo1", "", ""),),
    "熟": (("shu2", "", ""),),
    "晕": (("yun1", "", ""),),
    "分": (("fen4", "[成水养盐糖]$", ""), ("fen1", "", "")),
    "著": (
        ("zhu4", "[名原专论编译遗土显卓昭]$", ""),
        ("zhu4", "", "[名作者称录述书]"),
        ("zhao2", "睡$", ""),
        ("zhe5", "", ""),
    ),
    "个": (("ge5", rf"[{_NUMERAL}这那哪每多整]$", ""), ("ge4", "", "")),
    "乾": (("qian2", "", "[隆坤县]"), ("gan1", "", "")),
    "的": (("di2", "", "确"), ("de5", "", "")),
}


def phrases() -> dict[str, tuple[str, ...]]:
    """Words with their syllables, as they are before sandhi."""
    entries = (entry.split() for line in _PHRASES.split("\n") for entry in line.split("|") if entry.strip())
    return {word: tuple(syllables) for word, *syllables in entries}


def neutral_words() -> frozenset[str]:
    """Words whose last syllable is neutral."""
    return frozenset(_NEUTRAL.split())


def full_zi_words() -> frozenset[str]:
    """Words whose last syllable, 子, keeps its third tone."""
    return frozenset(_FULL_ZI.split())


def fixed() -> dict[str, tuple[str, ...]]:
    """Words whose spoken tones no rule derives."""
    return {word: tuple(syllables.split()) for word, syllables in _FIXED.items()}


@lru_cache(maxsize=1)
def _compiled() -> dict[str, tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]]:
    return {
        char: tuple((reading, re.compile(before), re.compile(after)) for reading, before, after in rules)
        for char, rules in _CONTEXTS.items()
    }


def in_context(char: str, before: str, after: str) -> str | None:
    """The reading of ``char`` between ``before`` and ``after``; None where the table does not say."""
    for reading, left, right in _compiled().get(char, ()):
        if left.search(before) and right.match(after):
            return reading
    return None
