"""What the service says no with, in English and Chinese: one table, for page, API and jobs alike."""

from __future__ import annotations

# code: (English, Chinese). Each says what is wrong and what to do, in one line.
MESSAGES: dict[str, tuple[str, str]] = {
    "empty_text": ("The text is empty: send some words to speak.", "文本为空：请输入要朗读的文字。"),
    "nothing_to_speak": (
        "The text has nothing that can be spoken (only symbols, emoji or punctuation): add some words.",
        "文本中没有可以朗读的内容（只有符号、表情或标点）：请加入文字。",
    ),
    "pause_too_long": (
        "'{mark}' makes a pause of more than {limit} seconds: make it shorter.",
        "“{mark}”使停顿超过 {limit} 秒：请缩短。",
    ),
    "too_many_marks": (
        "The text has more than {limit} marks for pauses and voices: split it into several requests.",
        "文本中的停顿和音色标记超过 {limit} 个：请分成多次请求。",
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
    "voice_already_there": (
        "This voice is there already, as '{name}'.",
        "该音色已存在，名为“{name}”。",
    ),
    "nothing_to_export": (
        "There is no voice of yours to export: add one first.",
        "没有可导出的音色：请先添加。",
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
    "output_not_yours": (
        "Only who made the output '{id}' can change it, with the same key or from the same address.",
        "只有生成输出“{id}”的用户才能修改它（需使用相同的密钥或地址）。",
    ),
    "output_incomplete": (
        "The output '{id}' was not finished ({reason}): make its missing segments, or add partial=true for what "
        "there is.",
        "输出“{id}”未完成（{reason}）：请补全缺少的段落，或加上 partial=true 获取已有部分。",
    ),
    "segment_not_found": (
        "The output has no segment {number}; GET .../segments lists them, from 0.",
        "输出中没有第 {number} 段；可用 GET .../segments 查看（从 0 开始）。",
    ),
    "take_not_found": (
        "Segment {number} has no take {take}; GET .../segments lists them.",
        "第 {number} 段没有版本 {take}；可用 GET .../segments 查看。",
    ),
    "takes_full": (
        "The segment can hold no more takes: delete one of them first.",
        "该段的版本已达上限：请先删除一个版本。",
    ),
    "take_original": (
        "The first take cannot be deleted: choose another one instead.",
        "不能删除最初的版本：可以改选其他版本。",
    ),
    "idempotency_mismatch": (
        "This Idempotency-Key was used for another request within a day: use a new one.",
        "该 Idempotency-Key 在一天内已用于另一个请求：请换一个新的。",
    ),
    "id_in_use": (
        "A request with the id '{id}' is still under way: wait for it or use another X-Request-Id.",
        "编号为“{id}”的请求仍在进行：请等待它结束，或换一个 X-Request-Id。",
    ),
    "voice_tongue": (
        "The voice speaks '{language}', and this is another language: choose a voice of it (there are {known}).",
        "该音色只会说“{language}”，与此处的语言不符：请选择相应语言的音色（现有：{known}）。",
    ),
    "unsupported": ("Engine '{engine}' cannot do this: {what}.", "引擎“{engine}”不支持：{what}。"),
    "queue_full": (
        "The queue is full ({waiting} requests are waiting): try again in {retry_after} s.",
        "队列已满（{waiting} 个请求在等待）：请在 {retry_after} 秒后重试。",
    ),
    "queue_long": (
        "The queue is about {seconds} s long, longer than a request may wait: try again in {retry_after} s.",
        "排队约需 {seconds} 秒，超过请求可等待的时间：请在 {retry_after} 秒后重试。",
    ),
    "share_full": (
        "You already have {requests} requests waiting ({segments} segments, about {sound} s of sound), which is all "
        "that one user may: try again in {retry_after} s.",
        "您已有 {requests} 个请求（{segments} 段，约 {sound} 秒音频）在排队，达到单个用户的上限：请在 {retry_after} 秒后重试。",
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
    "upstream_refused": (
        "The server that speaks for this one refuses the text or its settings: {reason}.",
        "负责合成的上游服务器拒绝了该文本或其设置：{reason}。",
    ),
    "workers_busy": (
        "The servers that speak for this one take nothing more just now: try again in {retry_after} s.",
        "负责合成的上游服务器目前不再接收请求：请在 {retry_after} 秒后重试。",
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
    "wyoming_no_key": (
        "This service needs a key, which Wyoming cannot send: the operator can add {address} to wyoming_nets.",
        "本服务需要密钥，而 Wyoming 协议无法发送密钥：管理员可将 {address} 加入 wyoming_nets。",
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
    "worker_ended": (
        "The engine's process on {device} ended ({reason}) and is started again.",
        "设备 {device} 上的引擎进程已结束（{reason}），正在重新启动。",
    ),
    "model_busy": (
        "The model is at work for {count} requests: wait until they have ended, or cancel them first.",
        "模型正在处理 {count} 个请求：请等它们结束，或先取消它们。",
    ),
    "model_unsettled": (
        "The model is {state} just now: try again once it is ready.",
        "模型当前状态为 {state}：请在就绪后重试。",
    ),
    "text_refused": (
        "This server does not speak this text: its operator does not allow some of its words.",
        "本服务不朗读这段文本：其中有管理员不允许的内容。",
    ),
    "key_revoked": (
        "The job was stopped: the key that made it was revoked or has expired.",
        "任务已停止：创建它的密钥已被吊销或已过期。",
    ),
    "entry_not_found": (
        "The history has no entry '{id}' of yours; it may have been deleted or have expired.",
        "您的历史记录中没有“{id}”；它可能已被删除或已过期。",
    ),
    "favourites_full": (
        "Favourites may keep {limit} MB of sound on this server, and that is used up: remove the star from others "
        "first.",
        "本服务器为收藏保留的音频上限是 {limit} MB，已经用完：请先取消其他收藏。",
    ),
    "too_many_favourites": (
        "You have {limit} favourites, which is the limit: remove the star from others first.",
        "您的收藏已达 {limit} 条上限：请先取消其他收藏。",
    ),
    "preset_not_found": (
        "There is no preset '{id}' of yours (any more).",
        "您没有预设“{id}”，或它已被删除。",
    ),
    "preset_name_in_use": (
        "You already have a preset '{name}': choose another name.",
        "您已有名为“{name}”的预设：请换一个名称。",
    ),
    "too_many_presets": (
        "You have {limit} presets, which is the limit: delete one first.",
        "您的预设已达 {limit} 个上限：请先删除一个。",
    ),
    "cluster_no_token": (
        "There is no cluster token: put one into {path} (or {variable}); 'tts-launch cluster up' makes it.",
        "没有集群令牌：请放入 {path}（或 {variable}）；'tts-launch cluster up' 会生成。",
    ),
    "bad_config": ("Setting {name}: {reason}.", "设置 {name} 有误：{reason}。"),
    "transcript_missing": (
        "This engine needs to know what is said in the voice's recording: write it down on the Voices tab, or send "
        "'transcript' with PATCH /v1/audio/voices/{{voice}}.",
        "此引擎需要知道该音色的录音中说了什么：请在“音色”页填写文字，或通过 PATCH /v1/audio/voices/{{voice}} 发送 'transcript'。",
    ),
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
    "too_many_readings": (
        "The glossary has more than {limit} readings: keep what is needed often in the dictionary.",
        "随请求提交的读音超过 {limit} 条：请把常用的读音存入词典。",
    ),
    "reading_wordless": (
        "'{param}' must have a letter, a character or a digit, and no control characters.",
        "参数“{param}”至少要有一个文字、字母或数字，且不能含控制字符。",
    ),
    "reading_kind": (
        "Engine '{engine}' cannot take a reading of the kind '{kind}': it takes {allowed}.",
        "引擎“{engine}”不支持“{kind}”类型的读音：可用的类型有 {allowed}。",
    ),
    "reading_pinyin": (
        "{part} is no pinyin: write syllables with tone numbers, 5 for neutral, such as 'chong2 qing4'.",
        "{part} 不是有效的拼音：请写带声调数字的拼音（5 为轻声），例如“chong2 qing4”。",
    ),
    "reading_phonemes": (
        "{part} is no phoneme of the engine's: write ARPAbet with blanks between, such as 'M IH1 N AH0 T'.",
        "{part} 不是引擎认识的音素：请写 ARPAbet 音素，并用空格分开，例如“M IH1 N AH0 T”。",
    ),
    "word_in_dictionary": (
        "The dictionary has an entry for '{word}' in this language already: change that one.",
        "词典中已有“{word}”在该语言下的读音：请直接修改它。",
    ),
    "dictionary_full": (
        "There is room for {limit} entries only: delete some first, or bring in fewer.",
        "最多只能有 {limit} 个词条：请先删除一些，或减少导入的数量。",
    ),
    "word_not_found": (
        "There is no entry '{id}' in the dictionary; GET /v1/audio/dictionary lists them.",
        "词典中没有词条“{id}”；可用 GET /v1/audio/dictionary 查看列表。",
    ),
    "bad_file": ("The file cannot be used: {reason}.", "无法使用该文件：{reason}。"),
    "not_text": (
        "The file is no text file: save it as plain text in UTF-8 and send that.",
        "该文件不是文本文件：请另存为 UTF-8 编码的纯文本后再上传。",
    ),
    "callback_not_allowed": (
        "No callback may go to {host}: the server's operator can add it to callback_hosts.",
        "不允许回调到 {host}：管理员可将其加入 callback_hosts。",
    ),
    "internal": (
        "Something went wrong inside the server (a bug; see its error log).",
        "服务器内部出错（这是一个缺陷，请查看错误日志）。",
    ),
}
