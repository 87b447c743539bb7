"""What keys says; see ``messages``."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "key_made": (
        "{name} ({roles}): this key is shown only now; send it as 'Authorization: Bearer KEY':",
        "{name}（{roles}）：密钥只显示这一次；请用 'Authorization: Bearer 密钥' 发送：",
    ),
    "key_password": ("{name} ({roles}) may sign in with this password.", "{name}（{roles}）可用此密码登录。"),
    "key_first": (
        "From now on this server asks everybody for a key (--require-key off: it does not).",
        "从现在起，本服务要求所有人提供密钥（--require-key off 可关闭）。",
    ),
    "key_revoked": (
        "{name} ({id}) is revoked, from the next request on.",
        "{name}（{id}）已吊销，自下一个请求起生效。",
    ),
    "keys_none": ("There is no key: nobody is asked for one.", "没有密钥：不要求任何人提供密钥。"),
    "keys_head": (
        "ID        STATE    ROLES               NAME",
        "ID        状态     权限                名称",
    ),
    "keys_failed": ("{reason}.", "{reason}。"),
    "keys_password_short": (
        "The two passwords differ or are shorter than 8 characters: try again.",
        "两次密码不一致，或少于 8 个字符：请重试。",
    ),
    "keys_state_valid": ("valid", "有效"),
    "keys_state_revoked": ("revoked", "已吊销"),
    "keys_state_expired": ("expired", "已过期"),
}

HELP: dict[str, tuple[str, str]] = {
    "keys": (
        "Make, list and revoke API keys and passwords; a running server sees it at once. "
        "Example: tts-launch keys add anna --roles speak,voices",
        "创建、列出、吊销 API 密钥与密码，运行中的服务立即生效。例如：tts-launch keys add anna --roles speak,voices",
    ),
    "keys_add": (
        "Make a key for NAME and print it; only its hash is kept. Example: tts-launch keys add anna --days 90",
        "为 NAME 创建密钥并显示一次，只保存哈希。例如：tts-launch keys add anna --days 90",
    ),
    "keys_list": ("List them; no secret is kept, none is shown.", "列出所有密钥（不含密钥本身）。"),
    "keys_revoke": (
        "Revoke one, by name or id. Example: tts-launch keys revoke anna",
        "按名称或 ID 吊销。例如：tts-launch keys revoke anna",
    ),
    "keys_roles": (
        "By comma: speak, voices (upload, change), admin (all).",
        "逗号分隔：speak、voices（上传与修改音色）、admin（全部）。",
    ),
    "keys_password": (
        "A password of your choice instead of a key; asked for, or the first line of standard input.",
        "改用自选密码（交互输入，或读取标准输入的第一行）。",
    ),
    "keys_days": ("Days that it is valid; 0: for ever.", "有效天数；0 表示永久。"),
    "keys_weight": (
        "Share of the engine among those who wait (1 is everybody's).",
        "排队时的权重（默认 1）。",
    ),
    "keys_rate": (
        "Requests: 5:10 is 5 a second, 10 at once; off; auto: as the server's.",
        "请求速率：5:10 表示每秒 5 次、瞬时 10 次；off 不限；auto 同服务设置。",
    ),
    "keys_quota": ("Characters a day (UTC); 0: no limit.", "每天（UTC）字符数；0 表示不限。"),
}
