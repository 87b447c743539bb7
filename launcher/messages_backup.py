"""What backup and restore say; see ``messages``. The keys ``backup_*`` of errors are the application's."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "backup_made": ("Saved: {path} ({megabytes} MB).", "已保存：{path}（{megabytes} MB）。"),
    "backup_holds": ("  files: {counts}; {megabytes} MB", "  文件数：{counts}；共 {megabytes} MB"),
    "backup_secret": (
        "It holds hashes of keys and the secret of sessions: keep it where only you can read it.",
        "其中含密钥的哈希与会话密钥：请放在只有您能读取的地方。",
    ),
    "backup_failed": ("{reason}.", "{reason}。"),
    "backup_exists": (
        "{path} is there already: choose another name, or --overwrite.",
        "{path} 已存在：请换一个名称，或使用 --overwrite。",
    ),
    "backup_nothing": (
        "There is nothing to save in {path}: is it the right --home?",
        "{path} 中没有可保存的内容：--home 是否正确？",
    ),
    "backup_disk": ("{path}: {reason}. Nothing was changed.", "{path}：{reason}。未做任何改动。"),
    "backup_damaged_source": (
        "{path} is damaged ({reason}): mend it, or save the rest with --without {part}.",
        "{path} 已损坏（{reason}）：请修复，或用 --without {part} 保存其余部分。",
    ),
    "backup_unreadable": ("{path} cannot be read: {reason}.", "无法读取 {path}：{reason}。"),
    "backup_no_archive": (
        "{path} is not a backup made by tts-launch, or it is cut off.",
        "{path} 不是 tts-launch 生成的备份，或已被截断。",
    ),
    "backup_damaged": (
        "{path} is damaged: '{name}' is not what was saved. Nothing was changed.",
        "{path} 已损坏：“{name}”与保存时不符。未做任何改动。",
    ),
    "backup_newer": (
        "{path} was made by a newer release ({release}): update this one first.",
        "{path} 由更新的版本（{release}）生成：请先升级本机。",
    ),
    "backup_newer_part": (
        "{name} is of a newer release (version {version}, this one knows {known}): update this one first.",
        "{name} 来自更新的版本（版本 {version}，本机支持到 {known}）：请先升级本机。",
    ),
    "backup_bad_part": (
        "{name} in the backup is damaged: {reason}. Nothing was changed.",
        "备份中的 {name} 已损坏：{reason}。未做任何改动。",
    ),
    "backup_no_room": (
        "{path} lacks {megabytes} MB of free space.",
        "{path} 的可用空间还差 {megabytes} MB。",
    ),
    "backup_in_the_way": (
        "{path} already has {names}: --replace puts those aside (nothing is deleted).",
        "{path} 中已有 {names}：--replace 会先把它们移到一旁（不会删除）。",
    ),
    "backup_bad_settings": (
        "Note: tts.toml is restored, but: {reason}",
        "注意：tts.toml 已恢复，但：{reason}",
    ),
    "backup_path_absent": (
        "Note: tts.toml names {path}, which is not on this machine.",
        "注意：tts.toml 中的 {path} 在本机不存在。",
    ),
    "backup_home_set": (
        "Note: tts.toml says home = '{home}', another folder than this: remove that line.",
        "注意：tts.toml 中 home = '{home}' 指向其他目录：请删除该行。",
    ),
    "backup_model_absent": (
        "To do: the model {model} was not in the backup: tts-launch models fetch {model}",
        "待办：备份不含模型 {model}：tts-launch models fetch {model}",
    ),
    "backup_kept": ("{name} was there already and stayed.", "{name} 已存在，保持不变。"),
    "restored": ("Restored to {path}.", "已恢复到 {path}。"),
    "restore_made": ("  made {when} by release {release}", "  生成于 {when}，版本 {release}"),
    "restore_whole": ("{path} is whole; nothing was changed.", "{path} 完好；未做任何改动。"),
    "restore_aside": ("  what was there before: {path}", "  原有内容已移到：{path}"),
    "restore_running": (
        "Instance {name} runs in {home} (pid {pid}): stop it first (tts-launch stop --name {name}).",
        "实例 {name} 正在 {home} 中运行（pid {pid}）：请先停止（tts-launch stop --name {name}）。",
    ),
    "restore_by_hand": (
        "A server that tts-launch did not start runs in {home} (pid {pid}): end it first.",
        "{home} 中有非 tts-launch 启动的服务在运行（pid {pid}）：请先结束它。",
    ),
}

HELP: dict[str, tuple[str, str]] = {
    "backup": (
        "Save voices, dictionary, presets, history, keys, usage and settings as one file, also while it runs. "
        "Example: tts-launch backup /mnt/nas/tts.zip",
        "把音色、词典、预设、历史、密钥、用量与设置存为一个文件，运行中也可。例如：tts-launch backup /mnt/nas/tts.zip",
    ),
    "backup_models": (
        "The models, too (gigabytes; 'models backup' copies only what is new).",
        "连同模型（数 GB；“models backup” 只复制新内容）。",
    ),
    "backup_without": ("Leave a part out; may be repeated.", "不保存某一部分；可重复。"),
    "backup_overwrite": ("Replace a file of that name.", "覆盖同名文件。"),
    "restore": (
        "Put a backup back into a home in which nothing runs. Example: tts-launch restore tts.zip --home /srv/tts",
        "把备份恢复到没有实例运行的目录。例如：tts-launch restore tts.zip --home /srv/tts",
    ),
    "restore_replace": (
        "Put what is there aside, into a folder replaced-DATE of the home.",
        "先把已有内容移到该目录下的 replaced-日期 文件夹。",
    ),
    "restore_check": ("Only check the file and say what it holds.", "只检查文件并显示内容。"),
}
