"""What the doctor says; see ``messages``."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # doctor: what was found
    "doctor_summary": (
        "{ok} ok, {warn} to look at, {fail} failed.",
        "{ok} 项正常，{warn} 项需注意，{fail} 项失败。",
    ),
    "doctor_fix": ("fix: {fix}", "处理：{fix}"),
    "state_ok": ("ok", "正常"),
    "state_warn": ("warn", "注意"),
    "state_fail": ("fail", "失败"),
    "doctor_no_answer": ("no answer within {seconds:g} s", "{seconds:g} 秒内没有响应"),
    "doctor_crashed": ("the check ended with code {code}", "检查进程以代码 {code} 退出"),
    "doctor_not_reached": ("not looked at: '{stuck}' did not finish", "未检查：“{stuck}”没有完成"),
    "doctor_defect": ("could not be checked ({error})", "无法检查（{error}）"),
    "doctor_python": (
        "Python {version} ({path}); {oldest} to {newest} are tested",
        "Python {version}（{path}）；经过测试的版本为 {oldest} 至 {newest}",
    ),
    "doctor_packages": ("{count} packages as tested", "{count} 个软件包，版本均经过测试"),
    "doctor_no_packages": (
        "the package index-tts-ui is not installed in this Python",
        "当前 Python 未安装 index-tts-ui",
    ),
    "doctor_missing": ("missing: {names}", "缺少：{names}"),
    "doctor_wrong_versions": ("outside the allowed range: {names}", "版本超出允许范围：{names}"),
    "doctor_other_versions": ("other versions than tested: {names}", "与测试版本不同：{names}"),
    "doctor_memory": ("{gigabytes} GB of memory available", "可用内存 {gigabytes} GB"),
    "doctor_memory_limited": (
        "{gigabytes} GB of memory left under the limit of the container",
        "容器限额内剩余内存 {gigabytes} GB",
    ),
    "doctor_open_files": (
        "up to {soft} open files (hard limit {hard})",
        "最多打开 {soft} 个文件（硬限制 {hard}）",
    ),
    "doctor_locale": (
        "text is {encoding}, file names are {files}",
        "文本编码 {encoding}，文件名编码 {files}",
    ),
    "doctor_gpu": (
        "GPU {index}: {name}, driver {driver}, {free} of {total} GB free",
        "GPU {index}：{name}，驱动 {driver}，可用 {free} / {total} GB",
    ),
    "doctor_no_gpu": ("no GPU: the embedded CPU voice is used", "没有 GPU：使用内置的 CPU 语音"),
    "doctor_no_driver": ("an NVIDIA card is there, but no driver", "检测到 NVIDIA 显卡，但没有驱动"),
    "doctor_gpu_error": ("the NVIDIA driver answers with error {code}", "NVIDIA 驱动返回错误 {code}"),
    "doctor_no_torch": ("not installed; only large models need it", "未安装；只有大模型需要"),
    "doctor_torch": ("torch {version}, CUDA {cuda}: {names}", "torch {version}，CUDA {cuda}：{names}"),
    "doctor_torch_cpu": ("torch {version} uses the CPU", "torch {version} 使用 CPU"),
    "doctor_torch_error": ("torch cannot be imported: {error}", "无法导入 torch：{error}"),
    "doctor_torch_arch": (
        "torch {version} (CUDA {cuda}) has no code for {names}",
        "torch {version}（CUDA {cuda}）不支持 {names}",
    ),
    "doctor_settings": (
        "instance {name} in {home}, engine {engine}",
        "实例 {name}，目录 {home}，引擎 {engine}",
    ),
    "doctor_no_home": ("the folder {path} is not there", "目录 {path} 不存在"),
    "doctor_disk": ("{free} of {total} GB free for {path}", "{path} 可用 {free} / {total} GB"),
    "doctor_no_inodes": ("no file entries left for {path}", "{path} 的 inode 已用完"),
    "doctor_locks": ("{path} ({kind}) can be written and locked", "{path}（{kind}）可写，支持文件锁"),
    "doctor_no_locks": (
        "{path} ({kind}) grants a lock twice: two servers could start",
        "{path}（{kind}）会重复授予锁：可能启动两个服务",
    ),
    "doctor_service": ("state {state}", "状态 {state}"),
    "doctor_service_dead": ("state {state}: {reason}", "状态 {state}：{reason}"),
    "doctor_port_free": ("port {port} is free", "端口 {port} 空闲"),
    "doctor_port_ours": (
        "port {port} is this instance's (supervisor pid {pid})",
        "端口 {port} 由本实例使用（supervisor pid {pid}）",
    ),
    "doctor_model": ("model {model} is complete in {path}", "模型 {model} 完整：{path}"),
    "doctor_plugin": (
        "engine {engine} comes with the package {package}",
        "引擎 {engine} 由软件包 {package} 提供",
    ),
    "doctor_no_engine": ("there is no engine '{engine}', but: {known}", "没有引擎“{engine}”，现有：{known}"),
    "mend_no_engine": (
        "name another engine, or install the package that brings it into this Python",
        "换用其他引擎，或在当前 Python 中安装提供它的软件包",
    ),
    "doctor_no_model_needed": ("engine {engine} needs no model", "引擎 {engine} 不需要模型"),
    "doctor_leftovers": (
        "left by a dead supervisor: pid {pids}",
        "已失效的 supervisor 遗留的进程：pid {pids}",
    ),
    "doctor_foreign": (
        "look like speech servers that tts-launch did not start: pid {pids}",
        "疑似并非由 tts-launch 启动的语音服务：pid {pids}",
    ),
    "doctor_no_leftovers": ("nothing left behind", "没有遗留进程"),
    # doctor: what to do
    "mend_see_message": ("correct what the message names", "请按提示修正"),
    "mend_not_reached": (
        "first mend '{stuck}', then run doctor again",
        "先处理“{stuck}”，然后再次运行 doctor",
    ),
    "mend_defect": ("please report this line", "请反馈这一行"),
    "mend_hung_machine": (
        "see whether /proc and /sys answer; restart the container or machine",
        "检查 /proc 与 /sys 是否响应；必要时重启容器或机器",
    ),
    "mend_hung_gpu": (
        "see whether 'nvidia-smi' answers; a stuck driver needs a reboot",
        "检查 nvidia-smi 是否响应；驱动卡死时需要重启机器",
    ),
    "mend_hung_torch": (
        "try again with --timeout 60; if it still hangs, reinstall torch",
        "用 --timeout 60 重试；仍无响应则重新安装 torch",
    ),
    "mend_hung_disk": (
        "see whether the folder answers (ls); a network disk may be away",
        "检查目录是否响应（ls）；网络磁盘可能已断开",
    ),
    "mend_python": (
        "use Python {oldest} to {newest} (TTS_PYTHON=... bash start_app.sh)",
        "请使用 Python {oldest} 至 {newest}（TTS_PYTHON=... bash start_app.sh）",
    ),
    "mend_packages": (
        "bash start_app.sh, or: pip install -c constraints.txt '{what}'",
        "运行 bash start_app.sh，或：pip install -c constraints.txt '{what}'",
    ),
    "mend_memory": (
        "close other programs or raise the container's limit; the embedded voice needs 1 GB",
        "关闭其他程序或提高容器限额；内置语音需要 1 GB",
    ),
    "mend_open_files": (
        "ulimit -n 4096 before the start, or LimitNOFILE= in the unit",
        "启动前执行 ulimit -n 4096，或在 unit 中设置 LimitNOFILE=",
    ),
    "mend_locale": ("set a UTF-8 locale: export LANG=C.UTF-8", "设置 UTF-8 区域：export LANG=C.UTF-8"),
    "mend_no_driver": (
        "install NVIDIA's driver, or go on with the CPU voice",
        "安装 NVIDIA 驱动，或继续使用 CPU 语音",
    ),
    "mend_gpu_permission": (
        "allow this user to open /dev/nvidia* (groups video, render)",
        "允许当前用户访问 /dev/nvidia*（video、render 组）",
    ),
    "mend_gpu_module": ("load the kernel module: sudo modprobe nvidia", "加载内核模块：sudo modprobe nvidia"),
    "mend_gpu_lost": (
        "the GPU was lost: reboot, then look at 'dmesg' for Xid messages",
        "GPU 已掉线：请重启，并在 dmesg 中查看 Xid 信息",
    ),
    "mend_gpu_mismatch": (
        "driver and library differ after an update: reboot",
        "更新后驱动与库版本不一致：请重启",
    ),
    "mend_gpu_other": ("see what 'nvidia-smi' says", "查看 nvidia-smi 的输出"),
    "mend_gpu_full": (
        "see who holds it (pid {pids}): tts-launch ps --all, nvidia-smi",
        "查看占用者（pid {pids}）：tts-launch ps --all、nvidia-smi",
    ),
    "mend_torch_error": ("reinstall torch", "重新安装 torch"),
    "mend_torch_arch": ("install a torch that is built for this GPU", "安装支持该 GPU 的 torch"),
    "mend_torch_blind": (
        "see whether 'nvidia-smi' works and CUDA_VISIBLE_DEVICES is right",
        "检查 nvidia-smi 是否可用、CUDA_VISIBLE_DEVICES 是否正确",
    ),
    "mend_torch_build": (
        "install the CUDA build of torch, or go on with the CPU",
        "安装 CUDA 版 torch，或继续使用 CPU",
    ),
    "mend_no_home": (
        "mkdir -p '{path}', or choose another with --home",
        "mkdir -p '{path}'，或用 --home 指定其他目录",
    ),
    "mend_disk": (
        "free space, or put TTS_HOME on a larger disk; outputs/ and logs/ may be emptied",
        "腾出空间，或把 TTS_HOME 放到更大的磁盘；outputs/ 与 logs/ 可以清空",
    ),
    "mend_locks": (
        "put TTS_HOME on a local disk that this user can write",
        "把 TTS_HOME 放到当前用户可写的本地磁盘",
    ),
    "mend_service_dead": (
        "tts-launch logs -n 50, then tts-launch restart",
        "先运行 tts-launch logs -n 50，再运行 tts-launch restart",
    ),
    "mend_port": (
        "stop that program, or choose another port with --port",
        "停止该程序，或用 --port 换一个端口",
    ),
    "mend_no_model": ("run: tts-launch models {verb} {model}", "运行：tts-launch models {verb} {model}"),
    "mend_leftovers": ("run: tts-launch kill-leftovers", "运行：tts-launch kill-leftovers"),
    "mend_foreign": (
        "look at them: tts-launch kill-leftovers --dry-run",
        "查看：tts-launch kill-leftovers --dry-run",
    ),
}
