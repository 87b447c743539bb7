"""What the commands about models say; see ``messages``."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "model_missing": (
        "The model '{model}' is not complete in {path}: run 'tts-launch models fetch {model}'.",
        "模型“{model}”在 {path} 中不完整：请运行 'tts-launch models fetch {model}'。",
    ),
    "model_damaged": (
        "{path}: {what}{more}. Run 'tts-launch models repair {model}'.",
        "{path}：{what}{more}。请运行 'tts-launch models repair {model}'。",
    ),
    "model_denied": ("{path}: permission denied; {fix}.", "{path}：没有权限；{fix}。"),
    "and_more": (" (and {count} more files)", "（另有 {count} 个文件）"),
    "next_engine": (
        "WARNING: the engine '{engine}' cannot load ({reason}); trying the next one.",
        "警告：引擎“{engine}”无法加载（{reason}）；改用下一个。",
    ),
    "better_engine_packages": (
        "There is a GPU for IndexTTS, but its packages are missing: run 'TTS_SETUP_EXTRAS=indextts bash start_app.sh'. "
        "The engine is '{now}'.",
        "有可用于 IndexTTS 的 GPU，但缺少依赖：请运行 'TTS_SETUP_EXTRAS=indextts bash start_app.sh'。当前引擎为“{now}”。",
    ),
    "better_engine_model": (
        "There is a GPU for IndexTTS: 'tts-launch models fetch {engine}' brings its weights. The engine is '{now}'.",
        "有可用于 IndexTTS 的 GPU：运行 'tts-launch models fetch {engine}' 可下载权重。当前引擎为“{now}”。",
    ),
    "bad_catalogue": (
        "The catalogue of the model '{model}' in the package {package} cannot be read ({reason}): update or remove it.",
        "无法读取软件包 {package} 中模型“{model}”的目录文件（{reason}）：请更新或卸载该软件包。",
    ),
    "unknown_model": (
        "There is no model '{model}'; known: {known}.",
        "没有名为“{model}”的模型；可用：{known}。",
    ),
    "licence": (
        "The model '{model}' is under the {licence}: read it at {url}, then run 'tts-launch models fetch {model} --accept-license'.",
        "模型“{model}”的许可：{licence}。请阅读 {url}，然后运行 'tts-launch models fetch {model} --accept-license'。",
    ),
    "licence_question": (
        "This model is under the {licence}; see {url}. Do you accept it?",
        "该模型的许可：{licence}，见 {url}。是否接受？",
    ),
    "disk_full": (
        "Not enough disk space for {path}: free {megabytes} MB and run the command again; what came is kept.",
        "{path} 所在磁盘空间不足：请腾出 {megabytes} MB 后重试；已完成的部分会保留。",
    ),
    "fetch_failed": (
        "Could not fetch {file} from any source ({reasons}). Check network and proxy, then run it again.",
        "所有来源都无法下载 {file}（{reasons}）。请检查网络与代理后重试。",
    ),
    "fetching": ("Fetching the model '{model}' into {path} ...", "正在下载模型“{model}”到 {path} …"),
    "fetched": ("The model '{model}' is complete in {path}.", "模型“{model}”已完整：{path}。"),
    "repaired": ("{model}: {count} files fetched; {path}", "{model}：重新下载 {count} 个文件；{path}"),
    "nothing_to_adopt": (
        "{path} holds no model that is known here ({known}): name the folder that has its files.",
        "{path} 中没有已知的模型（{known}）：请指定存放其文件的目录。",
    ),
    "which_model": (
        "{path} may be several models ({models}): say which one with --model.",
        "{path} 可能是多个模型（{models}）：请用 --model 指明。",
    ),
    "adopted": (
        "Model '{model}': {taken} files taken over, {kept} were there already; {path}",
        "模型“{model}”：接管 {taken} 个文件，已有 {kept} 个；{path}",
    ),
    "nothing_to_copy": ("There is nothing to copy in {path}.", "{path} 中没有可复制的内容。"),
    "same_folder": (
        "{path} lies inside the folder that is copied (or around it): choose another one.",
        "{path} 与被复制的目录互相包含：请另选目录。",
    ),
    "not_copied": ("{name}: not copied: {reason}", "{name}：未复制：{reason}"),
    "kept_other": (
        "{name}: another, whole file is there and was kept; --overwrite replaces it",
        "{name}：已有另一个完好的文件，予以保留；--overwrite 可替换",
    ),
    "mirrored": (
        "{path}: {copied} files copied ({megabytes} MB), {unchanged} unchanged, {left} left out.",
        "{path}：复制 {copied} 个文件（{megabytes} MB），未变 {unchanged} 个，未处理 {left} 个。",
    ),
    "model_line": ("{model}: {state}, {size}, {path}", "{model}：{state}，{size}，{path}"),
    "state_complete": ("complete", "完整"),
    "state_damaged": ("damaged", "已损坏"),
    "state_absent": ("absent", "未下载"),
    "state_unknown": ("unknown files", "未知文件"),
    # one finding: what it is ...
    "finding": ("{path}: {what}; {fix}", "{path}：{what}；{fix}"),
    "damage_missing": ("missing", "缺失"),
    "damage_empty": ("the file is empty", "文件为空"),
    "damage_lfs": (
        "a Git LFS pointer, not the file itself",
        "只是 Git LFS 指针，不是文件本身",
    ),
    "damage_html": ("a web page, not the file itself", "内容是网页，不是文件本身"),
    "damage_size": ("{have} bytes, expected {want}", "大小为 {have} 字节，应为 {want}"),
    "damage_short": (
        "cut off: {have} bytes, its own header says {want}",
        "文件被截断：{have} 字节，文件头记录为 {want}",
    ),
    "damage_cut": ("cut off in the middle", "文件在中途被截断"),
    "damage_header": ("its header makes no sense", "文件头无效"),
    "damage_no_directory": (
        "the zip directory at its end is missing or broken (cut off?)",
        "末尾的 zip 目录缺失或损坏（被截断？）",
    ),
    "damage_outside": ("its zip directory points outside the file", "zip 目录指向文件之外"),
    "damage_not_a": ("not a {format} file", "不是 {format} 文件"),
    "damage_keys": ("it lacks {names} (cut off?)", "缺少 {names}（被截断？）"),
    "damage_hash": ("other bytes than expected (sha256)", "内容与预期不符（sha256）"),
    "damage_shard": ("missing, but {index} names it", "缺失，但 {index} 引用了它"),
    "damage_link": ("a link to {target}, which is not there", "链接指向不存在的 {target}"),
    "damage_link_folder": ("a link to {target}, which is not there", "链接指向不存在的 {target}"),
    "damage_loop": ("links that lead in a circle", "链接循环"),
    "damage_denied": ("permission denied", "没有权限"),
    "damage_unreadable": ("cannot be read: {reason}", "无法读取：{reason}"),
    "damage_not_a_file": ("not a plain file", "不是普通文件"),
    "damage_leftover": ("left by an interrupted download, not counted", "中断下载的残留，不计入"),
    "damage_partial": ("parts of an unfinished fetch, not counted", "未完成下载的部分，不计入"),
    # ... and what mends it
    "fix_repair": ("run 'tts-launch models repair {model}'", "请运行 'tts-launch models repair {model}'"),
    "fix_fetch": ("run 'tts-launch models fetch {model}'", "请运行 'tts-launch models fetch {model}'"),
    "fix_access": (
        "let this user read it (chmod, chown), or run as the user who may",
        "请授予当前用户读取权限（chmod、chown），或改用有权限的用户",
    ),
    "fix_disk": (
        "check the disk, then run 'tts-launch models repair {model}'",
        "请检查磁盘，然后运行 'tts-launch models repair {model}'",
    ),
    "fix_link": (
        "mount what it leads to, or remove the link and run 'tts-launch models repair {model}'",
        "请挂载其目标，或删除链接后运行 'tts-launch models repair {model}'",
    ),
    "fix_not_a_file": (
        "move it away, then run 'tts-launch models repair {model}'",
        "请将其移走，然后运行 'tts-launch models repair {model}'",
    ),
    "fix_leftover": ("remove it, or let its download finish", "可删除，或等待其下载完成"),
    "fix_resume": ("'tts-launch models fetch' goes on from them", "'tts-launch models fetch' 会从此处继续"),
}

HELP: dict[str, tuple[str, str]] = {
    "models": (
        "Models in cache_hub. Example: tts-launch models fetch kokoro",
        "cache_hub 中的模型。例如：tts-launch models fetch kokoro",
    ),
    "models_list": (
        "Show every known model: state, size, licence, folder. Example: tts-launch models list --json",
        "列出所有已知模型：状态、大小、许可、目录。例如：tts-launch models list --json",
    ),
    "models_fetch": (
        "Bring a model into cache_hub. Example: tts-launch models fetch kokoro",
        "下载模型到 cache_hub。例如：tts-launch models fetch kokoro",
    ),
    "models_path": (
        "Print a model's folder. Example: tts-launch models path kokoro",
        "显示模型目录。例如：tts-launch models path kokoro",
    ),
    "models_check": (
        "See whether models are whole (all that are there, or one). Example: tts-launch models check kokoro --deep",
        "检查模型是否完整（全部或指定的一个）。例如：tts-launch models check kokoro --deep",
    ),
    "models_repair": (
        "Fetch just what is damaged or missing, in one model or in all that are there. Example: tts-launch models repair kokoro --deep",
        "只重新下载损坏或缺失的文件（指定的模型或全部）。例如：tts-launch models repair kokoro --deep",
    ),
    "models_adopt": (
        "Take over a download that is on this machine: a plain folder, or a Hugging Face or ModelScope cache. "
        "Example: tts-launch models adopt ~/index-tts/checkpoints --how hardlink",
        "接管本机已有的下载：普通目录，或 Hugging Face、ModelScope 缓存。"
        "例如：tts-launch models adopt ~/index-tts/checkpoints --how hardlink",
    ),
    "models_backup": (
        "Copy cache_hub to another folder: whole files only, unchanged ones are skipped. "
        "Example: tts-launch models backup /mnt/backup/cache_hub",
        "把 cache_hub 备份到另一目录：只复制完好的文件，未变的跳过。"
        "例如：tts-launch models backup /mnt/backup/cache_hub",
    ),
    "models_restore": (
        "Bring a backup back; whole files that are there stay. "
        "Example: tts-launch models restore /mnt/backup/cache_hub",
        "从备份恢复；已有的完好文件保持不变。例如：tts-launch models restore /mnt/backup/cache_hub",
    ),
    "models_deep": ("Read and hash every byte.", "读取全部内容并计算哈希。"),
    "models_source": (
        "Where from (default: whichever answers, the faster hub first).",
        "下载来源（默认：可用者，较快者优先）。",
    ),
    "models_parallel": ("Files at once.", "同时下载的文件数。"),
    "models_accept": ("Accept the model's licence.", "接受模型的许可。"),
    "models_which": ("Which model it is (default: seen by its files).", "是哪个模型（默认：按文件识别）。"),
    "models_how": (
        "auto: reflink, else hardlink, else symlink (symlinks need the original to stay).",
        "auto：依次尝试 reflink、hardlink、symlink（符号链接要求原文件保留）。",
    ),
    "models_overwrite": ("Replace whole files that differ, too.", "内容不同的完好文件也替换。"),
}
