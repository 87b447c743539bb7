"""What cluster commands say; see ``messages``."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cluster_failed": ("{reason}.", "{reason}。"),
    "cluster_no_ray": (
        "Ray is not installed here: pip install -c constraints.txt '.[cluster]' (the same on every machine).",
        "此处未安装 Ray：pip install -c constraints.txt '.[cluster]'（每台机器相同）。",
    ),
    "cluster_ray_failed": (
        "Ray did not start: {reason} (all of it: {path}).",
        "Ray 未能启动：{reason}（全文见 {path}）。",
    ),
    "cluster_short_token": (
        "The token needs {least} ASCII characters or more: copy cluster.token from the head.",
        "令牌至少需要 {least} 个 ASCII 字符：请复制主机上的 cluster.token。",
    ),
    "cluster_no_token": (
        "The cluster's token is needed: --token-file with a copy of cluster.token from the head.",
        "需要集群令牌：请用 --token-file 指定主机上 cluster.token 的副本。",
    ),
    "cluster_refused": ("The front at {front} says no: {reason}.", "{front} 的前端拒绝：{reason}。"),
    "cluster_other_version": (
        "{what} is {ours} here and {theirs} on the head: install the same on both.",
        "本机的 {what} 为 {ours}，主机为 {theirs}：请安装相同版本。",
    ),
    "cluster_not_reached": (
        "The front cannot be reached: {reason}. Is it running, and does its firewall let port {port} through?",
        "无法连接前端：{reason}。它是否在运行，防火墙是否放行端口 {port}？",
    ),
    "cluster_runs_alone": (
        "The service already runs with workers of its own: 'tts-launch stop' first.",
        "服务已在使用本机引擎运行：请先执行 'tts-launch stop'。",
    ),
    "cluster_is_member": (
        "This machine already has a Ray node of this instance: 'tts-launch cluster down' first.",
        "本机已有该实例的 Ray 节点：请先执行 'tts-launch cluster down'。",
    ),
    "cluster_ray_up": ("Ray runs at {address}.", "Ray 已在 {address} 运行。"),
    "cluster_deployed": (
        "Replicas: {least} to {most}, by the queue; they dial {front}.",
        "副本数：{least} 到 {most}，随队列伸缩；连接 {front}。",
    ),
    "cluster_join_with": (
        "On every other machine, with a copy of {token}:\n  {command}",
        "在其他每台机器上，带上 {token} 的副本执行：\n  {command}",
    ),
    "cluster_joined": ("This machine has joined {front}.", "本机已加入 {front}。"),
    "cluster_down": ("Ended: {what}.", "已结束：{what}。"),
    "cluster_nothing": ("Nothing of a cluster runs here.", "本机没有运行集群的任何部分。"),
    "cluster_node": (
        "  {address}  {state}  {cpus:g} CPU, {gpus:g} GPU",
        "  {address}  {state}  {cpus:g} CPU，{gpus:g} GPU",
    ),
    "cluster_replicas": ("Replicas ({status}): {counts}", "副本（{status}）：{counts}"),
    "cluster_machines": ("Machines (Ray {ray}):", "机器（Ray {ray}）："),
    "cluster_alive": ("up", "在线"),
    "cluster_dead": ("gone", "离线"),
}

HELP: dict[str, tuple[str, str]] = {
    "cluster": (
        "Several machines, one service: this machine's front, engine replicas on all, placed by Ray Serve.",
        "多台机器，一个服务：本机为前端，各机运行引擎副本，由 Ray Serve 调度。",
    ),
    "cluster_up": (
        "Start Ray, the replicas and the front on this machine, the head.",
        "在本机（主机）启动 Ray、引擎副本与前端。",
    ),
    "cluster_join": (
        "Give this machine to the cluster whose front is HEAD.",
        "让本机加入前端为 HEAD 的集群。",
    ),
    "cluster_status": ("Machines and replicas.", "查看机器与副本。"),
    "cluster_down_": (
        "End what runs here: on the head all of the cluster, elsewhere this machine's part.",
        "结束本机的部分：在主机上结束整个集群，在其他机器上只结束本机。",
    ),
    "cluster_manifest": (
        "Print the cluster as Kubernetes objects, for the KubeRay operator.",
        "输出用于 KubeRay 的 Kubernetes 清单。",
    ),
    "cluster_token_file": ("A copy of cluster.token from the head.", "主机上 cluster.token 的副本。"),
    "cluster_address": ("This machine's address on the network.", "本机在网络中的地址。"),
}
