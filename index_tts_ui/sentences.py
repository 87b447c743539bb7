"""What the service says no with, in English and Chinese: one table, for page, API and jobs alike."""

from __future__ import annotations

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
    "idempotency_mismatch": (
        "This Idempotency-Key was used for another request within a day: use a new one.",
        "该 Idempotency-Key 在一天内已用于另一个请求：请换一个新的。",
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
    "share_full": (
        "Your requests already wait with {segments} segments, about {sound} s of sound, which is all that one "
        "user may have waiting: try again in {retry_after} s.",
        "您已有 {segments} 段（约 {sound} 秒音频）在排队，达到单个用户的上限：请在 {retry_after} 秒后重试。",
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
    "bad_samples": (
        "The speech engine made sound that is no sound (NaN), twice: try again or change the text.",
        "语音引擎两次输出无效音频（NaN）：请重试或修改文本。",
    ),
    "silent_sound": (
        "The speech engine stayed silent on a segment, twice: try again or change the text.",
        "语音引擎两次输出静音：请重试或修改文本。",
    ),
    "runaway_sound": (
        "The speech engine went on far too long on a segment, twice: try again or change the text.",
        "语音引擎两次输出过长的音频：请重试或修改文本。",
    ),
    "backup_speaks": (
        "'{backup}' speaks this in the voice '{voice}', since '{engine}' cannot now ({reason}).",
        "“{engine}”目前无法合成（{reason}），改由“{backup}”以音色“{voice}”朗读。",
    ),
    "backup_speaks_plainly": (
        "'{backup}' speaks this in the voice '{voice}' and without the emotion, "
        "since '{engine}' cannot now ({reason}).",
        "“{engine}”目前无法合成（{reason}），改由“{backup}”以音色“{voice}”朗读，不带情感。",
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
    "no_key": (
        "This needs a key: send 'Authorization: Bearer KEY' ('tts-launch keys add NAME' makes one).",
        "需要密钥：请发送 'Authorization: Bearer 密钥'（用 'tts-launch keys add NAME' 创建）。",
    ),
    "bad_key": (
        "The key, password or token is wrong, expired or revoked: sign in again, or ask for a new one.",
        "密钥、密码或令牌有误、已过期或已吊销：请重新登录，或索取新的密钥。",
    ),
    "role_missing": (
        "Your key lacks the role '{role}': ask the server's operator for one that has it.",
        "您的密钥没有“{role}”权限：请向管理员索取有此权限的密钥。",
    ),
    "network_refused": (
        "Your address {address} is not allowed here: the server's operator can add it to allow_nets.",
        "不允许地址 {address} 访问：管理员可将其加入 allow_nets。",
    ),
    "unknown_host": (
        "This server does not know the name '{host}': use its address, or add the name with --allowed-hosts.",
        "服务器不认识主机名“{host}”：请用 IP 访问，或用 --allowed-hosts 添加该名称。",
    ),
    "cross_site": (
        "Another site's page sent this: open the server's own page, or add the site to cors_origins.",
        "该请求来自其他网站的页面：请打开本服务的页面，或把该网站加入 cors_origins。",
    ),
    "rate_limited": (
        "Too many requests at once: try again in {retry_after} s.",
        "请求过于频繁：请在 {retry_after} 秒后重试。",
    ),
    "quota_used": (
        "Your quota of {quota} characters a day is used up: it starts anew at midnight UTC.",
        "您每天 {quota} 个字符的额度已用完：将于 UTC 零点重新计算。",
    ),
    "too_slow": (
        "The request came too slowly and was given up: send it again over a better connection.",
        "请求发送过慢，已放弃：请在网络良好时重试。",
    ),
    "shared_only": (
        "A private voice cannot be everybody's default: share it first.",
        "私有音色不能设为所有人的默认音色：请先将其共享。",
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
    "job_not_found": (
        "There is no job '{id}'; it may have been cleaned up.",
        "没有任务“{id}”；它可能已被清理。",
    ),
    "job_line_not_found": (
        "The job has no such line or segment ({line}): GET .../lines lists them.",
        "任务中没有该行或该段（{line}）：可用 GET .../lines 查看。",
    ),
    "job_state": (
        "The job is {state}, which rules this out; GET .../jobs/ID shows it.",
        "任务当前状态为 {state}，不能执行此操作；可用 GET .../jobs/ID 查看。",
    ),
    "job_unfinished": (
        "The job '{id}' is {state}: wait for its end, or add partial=true for what there is.",
        "任务“{id}”当前状态为 {state}：请等待完成，或加上 partial=true 获取已完成部分。",
    ),
    "job_silent": ("Nothing of the job '{id}' has been spoken (yet).", "任务“{id}”还没有已合成的音频。"),
    "too_many_jobs": (
        "You have {count} unfinished jobs: wait for one to end, or cancel one.",
        "您有 {count} 个未完成的任务：请等待其中一个完成，或取消一个。",
    ),
    "too_many_lines": (
        "The job has {count} lines, the limit is {limit}: split it into several jobs.",
        "任务有 {count} 行，上限是 {limit}：请分成多个任务。",
    ),
    "idempotency_reused": (
        "The Idempotency-Key '{key}' was used for another request: use a new one.",
        "Idempotency-Key “{key}”已用于其他请求：请换一个。",
    ),
    "bad_file": ("The file cannot be used: {reason}.", "无法使用该文件：{reason}。"),
    "callback_not_allowed": (
        "No callback may go to {host}: the server's operator can add it to callback_hosts.",
        "不允许回调到 {host}：管理员可将其加入 callback_hosts。",
    ),
    "internal": (
        "Something went wrong inside the server (a bug; see its error log).",
        "服务器内部出错（这是一个缺陷，请查看错误日志）。",
    ),
}
