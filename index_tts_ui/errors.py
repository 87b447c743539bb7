"""Every way the service says no, as kinds; HTTP statuses exist only at the edge (``api.errors``).

An error is a stable ``code`` plus the facts that fill its sentence. The sentences
stand here once, in English and Chinese, so that page, API and jobs say the same thing.
"""

from __future__ import annotations

from typing import Any, ClassVar

# code: (English, Chinese). Each says what is wrong and what to do, in one line.
MESSAGES: dict[str, tuple[str, str]] = {
    "empty_text": ("The text is empty: send some words to speak.", "文本为空：请输入要朗读的文字。"),
    "nothing_to_speak": (
        "The text has nothing that can be spoken (only symbols, emoji or punctuation): add some words.",
        "文本中没有可以朗读的内容（只有符号、表情或标点）：请加入文字。",
    ),
    "text_too_long": (
        "The text has {length} characters, the limit is {limit}: split it into several requests.",
        "文本有 {length} 个字符，上限是 {limit}：请分成多次请求。",
    ),
    "bad_value": ("'{param}' {reason}.", "参数“{param}”有误：{reason}。"),
    "missing_value": ("'{param}' is required and must not be empty.", "缺少参数“{param}”，或其内容为空。"),
    "not_a_string": (
        "'{param}' must be a string of valid Unicode without NUL characters.",
        "参数“{param}”必须是有效的 Unicode 字符串，且不含 NUL 字符。",
    ),
    "not_a_number": ("'{param}' must be a finite number.", "参数“{param}”必须是有限的数字。"),
    "not_an_integer": ("'{param}' must be a whole number.", "参数“{param}”必须是整数。"),
    "out_of_range": ("'{param}' must be {bound}.", "参数“{param}”必须 {bound}。"),
    "not_one_of": ("'{param}' must be one of: {allowed}.", "参数“{param}”必须是以下之一：{allowed}。"),
    "value_too_long": (
        "'{param}' is longer than {limit} characters: shorten it.",
        "参数“{param}”超过 {limit} 个字符：请缩短。",
    ),
    "route_not_found": (
        "There is nothing at {path}; GET /docs lists what there is.",
        "没有 {path} 这个地址；可在 /docs 查看全部接口。",
    ),
    "method_not_allowed": (
        "{method} does not work here: use {allowed}.",
        "此地址不支持 {method}：请使用 {allowed}。",
    ),
    "bad_request": ("The request could not be read: {reason}.", "无法读取请求：{reason}。"),
    "body_too_large": (
        "The request body is larger than {limit} bytes: send less.",
        "请求体超过 {limit} 字节：请减小内容。",
    ),
    "wrong_content_type": (
        "Content-Type must be {wanted}.",
        "Content-Type 必须是 {wanted}。",
    ),
    "voice_not_found": (
        "There is no voice '{voice}'; GET /v1/audio/voices lists them.",
        "没有名为“{voice}”的音色；可用 GET /v1/audio/voices 查看列表。",
    ),
    "no_voice": (
        "There is no voice yet: add one on the page or with POST /v1/audio/voices.",
        "还没有音色：请在页面上添加，或使用 POST /v1/audio/voices。",
    ),
    "clip_not_found": (
        "There is no clip '{clip}' (any more): send it again with POST /v1/audio/clips.",
        "没有参考音频“{clip}”，或已被清理：请用 POST /v1/audio/clips 重新上传。",
    ),
    "voice_name_in_use": (
        "There is already a voice '{name}': choose another name.",
        "已有名为“{name}”的音色：请换一个名称。",
    ),
    "builtin_voice": (
        "'{voice}' is a built-in voice, which cannot be changed: upload one of your own.",
        "“{voice}”是内置音色，不能修改：请上传自己的音色。",
    ),
    "model_not_found": (
        "There is no model '{model}'; GET /v1/models lists them.",
        "没有名为“{model}”的模型；可用 GET /v1/models 查看列表。",
    ),
    "request_not_found": ("There is no request '{id}' under way.", "没有正在进行的请求“{id}”。"),
    "output_not_found": (
        "There is no output '{id}'; it may have been cleaned up.",
        "没有输出“{id}”；它可能已被清理。",
    ),
    "output_unfinished": (
        "The output '{id}' is still being made: try again when its request has ended.",
        "输出“{id}”仍在生成：请在请求结束后重试。",
    ),
    "id_in_use": (
        "A request with the id '{id}' is still under way: wait for it or use another X-Request-Id.",
        "编号为“{id}”的请求仍在进行：请等待它结束，或换一个 X-Request-Id。",
    ),
    "unsupported": ("Engine '{engine}' cannot do this: {what}.", "引擎“{engine}”不支持：{what}。"),
    "queue_full": (
        "The queue is full ({waiting} requests are waiting): try again in {retry_after} s.",
        "队列已满（{waiting} 个请求在等待）：请在 {retry_after} 秒后重试。",
    ),
    "loading": (
        "The model is still loading: try again in {retry_after} s.",
        "模型仍在加载：请在 {retry_after} 秒后重试。",
    ),
    "draining": (
        "The service is shutting down: try again in {retry_after} s.",
        "服务正在关闭：请在 {retry_after} 秒后重试。",
    ),
    "engine_down": (
        "The speech engine is not running ({reason}); see the server's error log.",
        "语音引擎未在运行（{reason}）；请查看服务器的错误日志。",
    ),
    "queue_timeout": (
        "The request waited {seconds:g} s in the queue without being started: try again later.",
        "请求在队列中等待了 {seconds:g} 秒仍未开始：请稍后重试。",
    ),
    "segment_timeout": (
        "One segment took longer than {seconds:g} s and was stopped: try a shorter text.",
        "某一段的合成超过 {seconds:g} 秒，已被停止：请缩短文本。",
    ),
    "request_timeout": (
        "The request was not finished within its {seconds:g} s: ask for a longer timeout.",
        "请求未能在 {seconds:g} 秒内完成：请设置更长的 timeout。",
    ),
    "cancelled": ("The request was cancelled ({reason}).", "请求已取消（{reason}）。"),
    "segment_killed_engine": (
        "A segment stopped the speech engine twice and was given up: change its text ('{text}').",
        "某一段两次使语音引擎崩溃，已放弃：请修改文本（“{text}”）。",
    ),
    "engine_failed": (
        "The speech engine could not speak a segment: {reason}.",
        "语音引擎无法合成某一段：{reason}。",
    ),
    "out_of_memory": (
        "The speech engine ran out of memory on a segment: try a shorter text.",
        "合成某一段时内存不足：请缩短文本。",
    ),
    "disk_full": (
        "The output could not be kept ({reason}): free some disk space.",
        "无法保存输出（{reason}）：请清理磁盘空间。",
    ),
    "bad_audio": (
        "The sound could not be read ({reason}): send wav, mp3, flac, ogg, m4a or webm.",
        "无法读取音频（{reason}）：请发送 wav、mp3、flac、ogg、m4a 或 webm。",
    ),
    "audio_too_long": (
        "The sound is longer than {limit:g} s: send a shorter one.",
        "音频超过 {limit:g} 秒：请缩短后再发送。",
    ),
    "clip_too_large": (
        "The clip is larger than {limit} MB: send a shorter one.",
        "参考音频超过 {limit} MB：请发送较短的音频。",
    ),
    "clip_silent": (
        "The clip is silent: record it again, closer to the microphone.",
        "参考音频没有声音：请靠近麦克风重新录制。",
    ),
    "clip_too_short": (
        "The clip has {seconds} s of voice, at least {least} s is needed: send 3 to 15 s of speech.",
        "参考音频中只有 {seconds} 秒人声，至少需要 {least} 秒：请发送 3 到 15 秒的语音。",
    ),
    "bad_config": ("Setting {name}: {reason}.", "设置 {name} 有误：{reason}。"),
    "model_missing": (
        "The model '{model}' is not complete in cache_hub: run 'tts-launch models fetch {model}'.",
        "cache_hub 中的模型“{model}”不完整：请运行 'tts-launch models fetch {model}'。",
    ),
    "weights_missing": (
        "{path} is missing: run 'tts-launch models repair'.",
        "缺少 {path}：请运行 'tts-launch models repair'。",
    ),
    "weights_unreadable": (
        "{path} cannot be read ({reason}): run 'tts-launch models repair --deep', or fetch it anew.",
        "无法读取 {path}（{reason}）：请运行 'tts-launch models repair --deep'，或重新下载。",
    ),
    "tensor_missing": (
        "{path} has no tensor '{name}': it is not this model's file, or is damaged; fetch it anew.",
        "{path} 中没有张量“{name}”：不是该模型的文件，或已损坏；请重新下载。",
    ),
    "tensor_shape": (
        "{path}: the tensor '{name}' is {have} where {want} belongs: config.yaml and weights do not match; "
        "fetch both anew.",
        "{path}：张量“{name}”的形状为 {have}，应为 {want}：config.yaml 与权重不匹配；请重新下载两者。",
    ),
    "indextts_no_gpu": (
        "IndexTTS (voice cloning with emotion) needs an NVIDIA GPU; without one, '--engine indextts2.5' runs it "
        "on the CPU, slowly.",
        "IndexTTS（声音克隆与情感）需要 NVIDIA GPU；没有 GPU 时可用 '--engine indextts2.5' 在 CPU 上慢速运行。",
    ),
    "indextts_no_packages": (
        "There is a GPU for IndexTTS (voice cloning with emotion), but not its packages: "
        "run 'TTS_SETUP_EXTRAS=indextts bash start_app.sh'.",
        "有可用于 IndexTTS（声音克隆与情感）的 GPU，但缺少依赖：请运行 'TTS_SETUP_EXTRAS=indextts bash start_app.sh'。",
    ),
    "indextts_no_weights": (
        "IndexTTS (voice cloning with emotion) lacks only its weights: run 'tts-launch models fetch indextts2.5', "
        "then 'tts-launch restart'.",
        "IndexTTS（声音克隆与情感）只缺权重：请运行 'tts-launch models fetch indextts2.5'，再运行 'tts-launch restart'。",
    ),
    "indextts_waits": (
        "IndexTTS (voice cloning with emotion) is installed: 'tts-launch restart --engine auto' starts it.",
        "IndexTTS（声音克隆与情感）已安装：运行 'tts-launch restart --engine auto' 即可启用。",
    ),
    "internal": (
        "Something went wrong inside the server (a bug; see its error log).",
        "服务器内部出错（这是一个缺陷，请查看错误日志）。",
    ),
}


class TTSError(Exception):
    """The root. ``code`` is stable, ``param`` names the offending field, ``facts`` fill the sentence."""

    kind: ClassVar[str] = "internal"

    def __init__(self, code: str, *, param: str | None = None, **facts: Any) -> None:
        if code not in MESSAGES:
            raise KeyError(f"unknown error code {code!r}")
        self.code = code
        self.param = param
        self.facts = {"param": param, **facts}
        super().__init__(self.message())

    def message(self, lang: str = "en") -> str:
        """The sentence in ``lang`` ("en" or anything that begins with "zh")."""
        return MESSAGES[self.code][lang.lower().startswith("zh")].format(**self.facts)

    @property
    def retry_after(self) -> int | None:
        """Seconds (1-120) after which trying again makes sense; None where it does not."""
        seconds = self.facts.get("retry_after")
        return None if seconds is None else min(120, max(1, int(seconds)))


class Invalid(TTSError):
    """The caller's input is wrong; the same input will fail again."""

    kind = "invalid"


class NotFound(TTSError):
    """A voice, model, request or output that does not exist."""

    kind = "not_found"


class TooLarge(TTSError):
    """The body or text is over its limit."""

    kind = "too_large"


class Conflict(TTSError):
    """The request contradicts one under way."""

    kind = "conflict"


class Overloaded(TTSError):
    """The bounded queue is full; carries ``retry_after``."""

    kind = "overloaded"


class NotReady(TTSError):
    """The engine is loading, draining or down."""

    kind = "not_ready"


class DeadlineExceeded(TTSError):
    """A wait or a run went past its bound."""

    kind = "deadline"


class Cancelled(TTSError):
    """The caller gave the request up."""

    kind = "cancelled"


class EngineFailed(TTSError):
    """The engine could not speak it, after what retries could help."""

    kind = "engine_failed"


class BadConfig(TTSError):
    """A setting or model is wrong; a restart cannot mend it (exit code 78)."""

    kind = "bad_config"


EXIT_CONFIG = 78  # EX_CONFIG: nobody restarts a process that ends with it
EXIT_DEVICE = 75  # EX_TEMPFAIL: a worker's GPU failed under it; another process may go on


def segment_error(code: str, message: str) -> TTSError:
    """What the request says when one of its segments failed with the worker's ``code``."""
    if code == "cancelled":
        return Cancelled("cancelled", reason="by the engine")
    if code in ("nothing_to_speak", "voice_not_found"):
        return Invalid(code, voice=message)
    if code == "clip_not_found":
        return NotFound(code, clip=message[:64])
    if code == "out_of_memory":
        return EngineFailed("out_of_memory")
    return EngineFailed("engine_failed", reason=message or code)
