"""One frozen object from ``tts.toml`` < ``TTS_*`` variables < flags; every setting is a field here.

The README's table is generated from these fields and compared with them by a test.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from . import renamed
from .errors import BadConfig
from .renamed import Change


def _setting(default: Any, help_en: str, help_zh: str, **limits: Any) -> Any:
    """A field with its documentation; ``limits``: low, high, choices, pattern."""
    return field(default=default, metadata={"help": help_en, "help_zh": help_zh, **limits})


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting. The variable of ``max_waiting`` is ``TTS_MAX_WAITING``, its flag ``--max-waiting``."""

    home: str = _setting(
        "",
        "Folder of cache_hub, outputs, logs, run; default: the current folder",
        "cache_hub、outputs、logs、run 所在的目录；默认为当前目录",
    )
    name: str = _setting(
        "default",
        "Name of this instance (several may share a machine)",
        "实例名称（一台机器可运行多个）",
        pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}",
    )
    host: str = _setting(
        "127.0.0.1", "Address to listen on; 0.0.0.0 opens it to the LAN", "监听地址；0.0.0.0 表示向局域网开放"
    )
    port: int = _setting(7860, "Port of page and API", "页面与接口的端口", low=1, high=65535)
    engine: str = _setting(
        "auto",
        "auto, indextts2.5, indextts2, kokoro, piper, voxcpm2, voxcpm1.5, the test engine tone, or one of a package (docs/engines.md)",
        "auto、indextts2.5、indextts2、kokoro、piper、voxcpm2、voxcpm1.5、测试引擎 tone，或软件包提供的引擎（docs/engines.zh-CN.md）",
    )
    backup: str = _setting(
        "auto",
        "Engine that speaks where the first one fails: auto (kokoro behind IndexTTS, where it is there), none, "
        "or its name",
        "主引擎失败时的备用引擎：auto（IndexTTS 之后用已下载的 kokoro）、none，或引擎名称",
    )
    upstreams: str = _setting(
        "",
        "Speech servers elsewhere that speak, too: addresses by comma, or a .toml file (docs/upstreams.md); "
        "with engine auto they speak alone",
        "同时负责合成的其他语音服务器：逗号分隔的地址，或 .toml 文件（见 docs/upstreams.zh-CN.md）；engine 为 auto 时只由它们合成",
    )
    device: str = _setting(
        "auto",
        "auto, cpu, cuda:N or cuda:N,M,...: one worker for each; auto: the first GPU where the engine can use one",
        "auto、cpu、cuda:N 或 cuda:N,M,…：每个设备一个进程；auto：引擎可用时取第一块 GPU",
    )
    cluster_port: int = _setting(
        0,
        "Port where engine replicas of a cluster join (docs/cluster.md); 0: the workers are this machine's own",
        "集群中引擎副本接入的端口（见 docs/cluster.zh-CN.md）；0 表示使用本机的引擎进程",
        low=0,
        high=65535,
    )
    cluster_host: str = _setting(
        "",
        "Address of that port; default: that of the page",
        "该端口的监听地址；默认与页面相同",
    )
    device_memory_mb: int = _setting(
        0,
        "Memory in MiB of each device that the engine may use (small or shared cards); 0: what it finds free",
        "引擎在每个设备上可用的显存（MiB），用于小显存或共享显卡；0 表示按空闲显存",
        low=0,
    )
    keep_alive: float = _setting(
        0.0,
        "Seconds without a request after which the model leaves memory and GPU until the next one; 0: never",
        "无请求超过该秒数后模型释放内存与显存，下次请求时再加载；0 表示不释放",
        low=0,
    )
    threads: int = _setting(
        0, "Threads of the engine; 0: chosen by the engine", "引擎线程数；0 表示由引擎决定", low=0, high=256
    )
    engine_options: str = _setting(
        "",
        "key=value,... for the engine (tone: see docs/tone.md)",
        "传给引擎的 key=value,...（tone 见 docs/tone.md）",
    )
    max_batch_size: int = _setting(
        16,
        "Segments the model works on at once; an engine may take fewer",
        "模型同时处理的段数；引擎可能更少",
        low=1,
        high=1024,
    )
    worker_memory_mb: int = _setting(
        0,
        "Memory in MiB above which the model's process is replaced, once what it works on is spoken; 0: no limit",
        "模型进程内存超过该值（MiB）时，在说完手头的段后更换进程；0 表示不限制",
        low=0,
    )
    max_waiting: int = _setting(
        100, "Requests in the queue before 429", "排队请求上限，超过返回 429", low=1, high=100_000
    )
    max_waiting_segments: int = _setting(
        2000,
        "Segments in the queue before 429; a long text has dozens",
        "排队段数上限，超过返回 429；长文本会有数十段",
        low=1,
        high=1_000_000,
    )
    max_waiting_seconds: float = _setting(
        14_400.0,
        "Seconds of speech yet to be made, as estimated, before 429",
        "待合成语音的估计总秒数上限，超过返回 429",
        low=1,
        high=10_000_000,
    )
    max_user_waiting: int = _setting(
        100,
        "Requests of one user (key or address) in the queue before 429",
        "单个用户（密钥或地址）的排队请求上限",
        low=1,
        high=100_000,
    )
    max_user_segments: int = _setting(
        1000,
        "The same bound on segments for one user (key or address)",
        "单个用户（密钥或地址）的排队段数上限",
        low=1,
        high=1_000_000,
    )
    max_user_seconds: float = _setting(
        7200.0,
        "The same bound on seconds for one user",
        "单个用户的待合成语音秒数上限",
        low=1,
        high=10_000_000,
    )
    timeout: float = _setting(15.0, "Seconds one segment may run", "单段合成的最长秒数", low=0.1, high=3600)
    queue_timeout: float = _setting(
        60.0,
        "Seconds a request may wait for its first segment to start",
        "请求等待首段开始的最长秒数",
        low=0.1,
        high=86_400,
    )
    max_text: int = _setting(4096, "Characters of one request", "单次请求的字符上限", low=1, high=1_000_000)
    max_body: int = _setting(10_485_760, "Bytes of one request body", "请求体字节上限", low=1024)
    text_checks: str = _setting(
        "",
        "What may refuse texts, by comma: wordlist (the terms in wordlist.txt), or a plugin's name",
        "可拒绝文本的检查，逗号分隔：wordlist（wordlist.txt 中的词语）或插件名称",
    )
    default_voice: str = _setting(
        "",
        "Voice where a request names none; default: the engine's first",
        "未指定音色时使用的音色；默认为引擎的第一个",
    )
    speaker_ids: str = _setting(
        "zf_xiaobei,zf_xiaoxiao,zm_yunjian,zm_yunxi",
        "Voices of speaker_id 0, 1, 2, ... in /api/tts",
        "/api/tts 中 speaker_id 0、1、2… 对应的音色",
    )
    no_page: bool = _setting(
        False,
        "API only: no web page (also as a bare --no-page)",
        "仅提供接口，不提供网页（可只写 --no-page）",
    )
    tls: str = _setting(
        "",
        "HTTPS: auto (a certificate of its own, kept in tls/) or CERT,KEY (files); default: HTTP",
        "HTTPS：auto（自签证书，保存在 tls/）或 CERT,KEY（文件）；默认 HTTP",
    )
    require_key: str = _setting(
        "auto",
        "Whether requests need a key: auto (once one was made, or jwt_issuer is set), on, off",
        "是否需要密钥：auto（创建过密钥或设置了 jwt_issuer 后需要）、on、off",
        choices=("auto", "on", "off"),
    )
    rate: str = _setting(
        "auto",
        "Requests of one key or address: 5:10 is 5 a second, 10 at once; off; auto: 5:10 where the LAN may ask",
        "每个密钥或地址的请求速率：5:10 表示每秒 5 次、瞬时 10 次；off 不限；auto：对局域网开放时为 5:10",
        pattern=r"auto|off|\d+(\.\d+)?(:\d+)?",
    )
    allow_nets: str = _setting(
        "",
        "Networks, by comma, that may connect, such as 192.168.1.0/24; default all; this machine always may",
        "允许连接的网段，逗号分隔，例如 192.168.1.0/24；默认全部；本机始终允许",
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses, by comma, of reverse proxies whose X-Forwarded-For is believed",
        "可信反向代理的地址，逗号分隔；只采信它们的 X-Forwarded-For",
    )
    allowed_hosts: str = _setting(
        "",
        "More names, by comma, that browsers may use for this server; localhost, addresses and its own name work",
        "浏览器可用来访问本服务的其他主机名，逗号分隔；localhost、IP 与本机名始终可用",
    )
    jwt_issuer: str = _setting(
        "", "Issuer whose JWTs are taken as bearer keys", "接受该签发者的 JWT 作为 bearer 密钥"
    )
    jwt_audience: str = _setting("", "Audience that those JWTs must name", "这些 JWT 必须包含的受众（aud）")
    jwt_keys: str = _setting(
        "",
        "Where the issuer's public keys are: a PEM or JWKS file, or the https address of a JWKS",
        "签发者公钥的位置：PEM 或 JWKS 文件，或 JWKS 的 https 地址",
    )
    wyoming: str = _setting(
        "",
        "Wyoming, for Home Assistant: PORT (of this machine only) or HOST:PORT, such as 0.0.0.0:10200; default: off",
        "Wyoming 协议（Home Assistant）：PORT（仅本机）或 HOST:PORT，例如 0.0.0.0:10200；默认关闭",
        pattern=r"|((\[[0-9A-Fa-f:.]+\]|[^\s:]+):)?\d{1,5}",
    )
    wyoming_nets: str = _setting(
        "",
        "Networks, by comma, that Wyoming serves although requests need a key (it cannot send one); default none",
        "请求需要密钥时仍可使用 Wyoming 的网段（该协议无法发送密钥），逗号分隔；默认没有",
    )
    max_connections: int = _setting(
        2000,
        "Open connections; above it the longest idle one is closed",
        "同时打开的连接数；超过时关闭空闲最久的连接",
        low=10,
        high=1_000_000,
    )
    cors_origins: str = _setting(
        "",
        "Origins, by comma, that browsers may call the API from; * for all; default none",
        "允许跨域调用接口的来源，逗号分隔；* 为全部；默认关闭",
    )
    root_path: str = _setting(
        "", "Path prefix that a reverse proxy strips, such as /tts", "反向代理去掉的路径前缀，例如 /tts"
    )
    outputs_hours: float = _setting(24.0, "Hours that kept outputs stay", "输出文件保留的小时数", low=0.01)
    outputs_mb: int = _setting(
        2048, "Megabytes of kept outputs; the oldest go first", "输出文件总大小上限（MB），先删最旧的", low=1
    )
    jobs_hours: float = _setting(
        168.0, "Hours that a finished job and its sound stay", "已完成任务及其音频保留的小时数", low=0.01
    )
    jobs_mb: int = _setting(
        10_240,
        "Megabytes of jobs' sound; of the finished ones the oldest go first",
        "任务音频的总大小上限（MB），先删最旧的已完成任务",
        low=1,
    )
    jobs_per_owner: int = _setting(
        20, "Unfinished jobs of one key or address", "每个密钥或地址的未完成任务上限", low=1, high=10_000
    )
    jobs_max_text: int = _setting(
        2_000_000, "Characters of one job", "单个任务的字符上限", low=1, high=100_000_000
    )
    callback_hosts: str = _setting(
        "",
        "Hosts, by comma, that callback_url of a job may name (host or host:port); default none",
        "任务的 callback_url 可指向的主机，逗号分隔（host 或 host:port）；默认不允许",
    )
    cache: str = _setting(
        "ask",
        "Whether equal requests are spoken once: ask (those that say cache: true), on (all but those that say "
        "false), off",
        "相同的请求是否只合成一次：ask（请求中写明 cache: true 时）、on（除写明 false 外全部）、off",
        choices=("ask", "on", "off"),
    )
    cache_mb: int = _setting(
        1024,
        "Megabytes of sound kept for equal requests; the longest unused go first",
        "为相同请求保留的声音大小上限（MB），先删最久未用的",
        low=1,
    )
    history_days: float = _setting(
        30.0,
        "Days that results of the page, with their text, stay in the history (favourites longer); 0: none is kept",
        "页面结果（含文本）在历史记录中保留的天数（收藏不受限）；0 表示不记录",
        low=0,
    )
    history_mb: int = _setting(
        2048,
        "Megabytes of sound that favourites keep from being cleaned away",
        "收藏的音频免于清理的总大小上限（MB）",
        low=0,
    )
    usage_days: float = _setting(
        400.0,
        "Days that a request's row stays in usage.sqlite3",
        "usage.sqlite3 中每条记录保留的天数",
        low=0.01,
    )
    drain_timeout: float = _setting(
        30.0,
        "Seconds that requests under way get when the service stops",
        "停止服务时留给进行中请求的秒数",
        low=0,
        high=3600,
    )
    log_level: str = _setting(
        "info",
        "debug, info, warning or error",
        "debug、info、warning 或 error",
        choices=("debug", "info", "warning", "error"),
    )
    log_format: str = _setting(
        "text", "Lines of the logs: text or json", "日志行的格式：text 或 json", choices=("text", "json")
    )
    log_max_mb: int = _setting(
        10,
        "Megabytes at which a log file is put aside as .1, .2, ...",
        "日志文件达到该大小（MB）后改名为 .1、.2…",
        low=1,
        high=10_000,
    )
    log_keep: int = _setting(
        5, "Files put aside that stay, of each log", "每种日志保留的旧文件数", low=1, high=100
    )
    log_days: float = _setting(
        7.0,
        "Days after which a log file is put aside however small, and one put aside is deleted",
        "日志文件无论大小，超过该天数即改名；旧文件超过该天数即删除",
        low=0.01,
        high=3650,
    )

    @property
    def home_dir(self) -> Path:
        """``home`` as an absolute path."""
        return Path(self.home or ".").expanduser().resolve()

    @property
    def cache_hub(self) -> Path:
        """Where models are."""
        return self.home_dir / "cache_hub"

    @property
    def outputs(self) -> Path:
        """Where kept sound is."""
        return self.home_dir / "outputs"

    @property
    def jobs(self) -> Path:
        """Where jobs and their sound are."""
        return (
            self.home_dir / "jobs" if self.name == "default" else self.home_dir / "jobs" / f"of-{self.name}"
        )

    @property
    def answers(self) -> Path:
        """Where sound for equal requests is kept."""
        return self.home_dir / "answers"

    @property
    def history(self) -> Path:
        """Results and presets."""
        return self.home_dir / "history.sqlite3"

    @property
    def usage(self) -> Path:
        """What each request cost."""
        return self.home_dir / "usage.sqlite3"

    @property
    def wordlist(self) -> Path:
        """What the text check of that name refuses."""
        return self.home_dir / "wordlist.txt"

    @property
    def voices(self) -> Path:
        """Where uploaded voices are."""
        return self.home_dir / "voices"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host.startswith("127.") or self.host in ("localhost", "::1")

    @property
    def rate_of_strangers(self) -> str:
        """``rate``, with "auto" decided."""
        return self.rate if self.rate != "auto" else ("off" if self.is_local else "5:10")

    @property
    def keys(self) -> Path:
        """Where API keys are, as hashes."""
        return self.home_dir / "keys.json"

    @property
    def logs(self) -> Path:
        """Where log files are."""
        return self.home_dir / "logs" if self.name == "default" else self.home_dir / "logs" / self.name

    def listed(self, name: str) -> tuple[str, ...]:
        """A comma-separated setting as a tuple."""
        return tuple(part.strip() for part in getattr(self, name).split(",") if part.strip())

    def options(self) -> tuple[tuple[str, str], ...]:
        """``engine_options`` as pairs."""
        pairs = (part.partition("=") for part in self.listed("engine_options"))
        return tuple((key.strip(), value.strip()) for key, _, value in pairs)


def add_flags(parser: argparse.ArgumentParser, changes: Sequence[Change] = renamed.CHANGES) -> None:
    """One ``--flag`` per setting, absent by default so that lower sources show through; old names, unseen."""
    for item in fields(Config):
        flag = "--" + item.name.replace("_", "-")
        bare: dict[str, Any] = {"nargs": "?", "const": "true"} if isinstance(item.default, bool) else {}
        parser.add_argument(flag, dest=item.name, default=None, help=item.metadata["help"], **bare)
    for change in changes:
        flag = "--" + change.old.replace("_", "-")
        parser.add_argument(flag, dest=change.old, nargs="?", const="true", help=argparse.SUPPRESS)


def _say(line: str) -> None:
    print(f"index_tts_ui: {line}", file=sys.stderr)


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    notice: Callable[[str], None] = _say,
    changes: Sequence[Change] = renamed.CHANGES,
) -> Config:
    """Merge the sources, check every value. ``notice`` hears of settings under old names.

    Raises:
        BadConfig: names the setting, its source and what is wrong.
    """
    environ = os.environ if environ is None else environ
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    home = given.get("home") or environ.get("TTS_HOME") or ""
    merged: dict[str, Any] = {}
    for source, values in (
        ("tts.toml", _from_toml(Path(home or ".").expanduser() / "tts.toml", changes)),
        ("the environment", _from_env(environ, changes)),
        ("a flag", given),
    ):
        for key, value in renamed.taken_over(values, source, notice, changes).items():
            merged[key] = _checked(key, value, source)
    return Config(**merged)


def _from_toml(path: Path, changes: Sequence[Change]) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadConfig("bad_config", name=str(path), reason=f"cannot be read: {error}") from error
    _check_schema(data.pop(renamed.KEY, renamed.SCHEMA), path)
    known = {item.name for item in fields(Config)} | {change.old for change in changes}
    for key in data:
        if key not in known:
            raise BadConfig(
                "bad_config", name=f"{key} in {path}", reason="is not a setting; the README lists them"
            )
    return data


def _check_schema(schema: Any, path: Path) -> None:
    if type(schema) is not int or schema < 1:
        raise BadConfig("bad_config", name=f"{renamed.KEY} in {path}", reason="is a whole number from 1 on")
    if schema > renamed.SCHEMA:
        reason = f"is of a newer release ({renamed.KEY} = {schema}, this one knows {renamed.SCHEMA}): update"
        raise BadConfig("bad_config", name=str(path), reason=reason)


def _from_env(environ: Mapping[str, str], changes: Sequence[Change]) -> dict[str, str]:
    known = [*(item.name for item in fields(Config)), *(change.old for change in changes)]
    names = {"TTS_" + name.upper(): name for name in known}
    return {names[key]: value for key, value in environ.items() if key in names and value != ""}


_SWITCH = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def _checked(name: str, value: Any, source: str) -> Any:
    item = next(item for item in fields(Config) if item.name == name)
    kind: type = type(item.default)
    try:
        if kind is str and isinstance(value, (list, tuple)):
            value = ",".join(str(part) for part in value)
        value = _SWITCH[str(value).lower()] if kind is bool else kind(value)
    except (TypeError, ValueError, KeyError) as error:
        raise BadConfig(
            "bad_config", name=name, reason=f"'{value}' from {source} is not a {kind.__name__}"
        ) from error
    low, high, choices = (item.metadata.get(key) for key in ("low", "high", "choices"))
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise BadConfig(
            "bad_config", name=name, reason=f"{value} from {source} is not in {low} to {high or 'any'}"
        )
    if choices and value not in choices:
        raise BadConfig(
            "bad_config", name=name, reason=f"'{value}' from {source} is not one of {', '.join(choices)}"
        )
    if (pattern := item.metadata.get("pattern")) and not re.fullmatch(pattern, value):
        raise BadConfig("bad_config", name=name, reason=f"'{value}' from {source} does not match {pattern}")
    return value


def parse(argv: Sequence[str], changes: Sequence[Change] = renamed.CHANGES) -> Config:
    """The configuration of a command line."""
    parser = argparse.ArgumentParser(prog="python -m index_tts_ui", allow_abbrev=False)
    add_flags(parser, changes)
    return load(vars(parser.parse_args(argv)), changes=changes)
