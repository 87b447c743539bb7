#!/usr/bin/env bash
# From a fresh checkout to a voice: makes .venv beside this file, installs what is pinned in
# constraints.txt, fetches the embedded voice, starts the service and prints its address.
# Later runs skip what is done and need no network; after an update of the checkout .venv follows.
#
#   bash start_app.sh [--host 0.0.0.0] [--port 7861] [any option of the server]
#
#   TTS_PYTHON=/path/to/python   the interpreter for .venv (3.11 or newer)
#   TTS_HOME=/folder             where models, outputs and logs go (default: the checkout)
#   TTS_SETUP_ONLY=1             set up, but start nothing
#   TTS_SETUP_EXTRAS=test        also install these extras of pyproject.toml
#   TTS_SETUP_HASHES=1           take only the files of the base set whose sha256 is in requirements-hashes.txt
# The packages of IndexTTS (extra indextts, 5 GB) come where there is an NVIDIA GPU, or where the engine is
# asked for (--engine indextts2.5, TTS_ENGINE or tts.toml); --engine kokoro keeps them away.
# Mirrors and proxies: the PIP_* and *_proxy variables are honoured.
set -euo pipefail
unset CDPATH PYTHONHOME

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
venv="$here/.venv"
python="$venv/bin/python"
stamp="$venv/.setup-stamp"

case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
  [zZ][hH]*) chinese=1 ;;
  *) chinese=0 ;;
esac
say() { if [ "$chinese" = 1 ]; then printf '%s\n' "$2" >&2; else printf '%s\n' "$1" >&2; fi; }
die() {
  say "$1" "$2"
  exit "${3:-1}"
}

is_good() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; }

find_python() {
  local candidate
  if [ -n "${TTS_PYTHON:-}" ]; then
    is_good "$TTS_PYTHON" || die "TTS_PYTHON=$TTS_PYTHON is not a Python 3.11 or newer." \
      "TTS_PYTHON=$TTS_PYTHON 不是 Python 3.11 或更高版本。" 5
    printf '%s\n' "$TTS_PYTHON"
    return
  fi
  for candidate in python3.13 python3.12 python3.11 python3 python; do
    if is_good "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  die "Python 3.11 or newer is missing: install it (Debian, Ubuntu: apt install python3 python3-venv), or set TTS_PYTHON." \
    "缺少 Python 3.11 或更高版本：请安装（Debian、Ubuntu：apt install python3 python3-venv），或设置 TTS_PYTHON。" 5
}

# The engine that is asked for: the last flag, else the variable, else tts.toml; "auto" where nothing says.
engine_of() {
  local engine="${TTS_ENGINE:-}" before='' argument
  if [ -z "$engine" ] && [ -r "${TTS_HOME:-$here}/tts.toml" ]; then
    engine=$(sed -n "s/^engine *= *[\"']\([^\"']*\)[\"'].*/\1/p" "${TTS_HOME:-$here}/tts.toml" | head -n 1)
  fi
  for argument in "$@"; do
    case "$argument" in --engine=*) engine=${argument#--engine=} ;; esac
    [ "$before" != --engine ] || engine=$argument
    before=$argument
  done
  printf '%s\n' "${engine:-auto}"
}

# Whether the driver of an NVIDIA GPU answers, or has left its marks (in WSL its tool may not be in PATH).
sees_gpu() {
  local tool
  for tool in nvidia-smi /usr/lib/wsl/lib/nvidia-smi; do
    if command -v "$tool" > /dev/null && timeout 20 "$tool" -L 2> /dev/null | grep -q '^GPU '; then
      return
    fi
  done
  [ -e /proc/driver/nvidia/version ] || [ -e /dev/nvidia0 ]
}

# What .venv must agree with. Its own place counts: an environment does not survive a move.
fingerprint() {
  { cat -- "$here/pyproject.toml" "$here/constraints.txt" && printf '%s\n' "$here" && "$python" -VV; } 2> /dev/null |
    sha256sum | cut -d ' ' -f 1
}

is_current() {
  local sum extras extra
  [ -x "$python" ] && [ -r "$stamp" ] || return 1
  read -r sum extras < "$stamp" || return 1
  [ "$sum" = "$(fingerprint)" ] || return 1
  for extra in ${TTS_SETUP_EXTRAS//,/ }; do
    case ",$extras," in *",$extra,"*) ;; *) return 1 ;; esac
  done
  [ "$engine" != auto ] || case ",$extras," in
    *,indextts,* | *,no-indextts,*) ;;
    *) ! sees_gpu ;;
  esac
}

make_venv() {
  local base
  if is_good "$python" && "$python" -m pip --version > /dev/null 2>&1; then
    return # ours, perhaps half filled: pip completes it
  fi
  base=$(find_python)
  "$base" -c 'import venv, ensurepip' 2> /dev/null ||
    die "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)." \
      "缺少 Python 的 venv 模块：请安装（Debian、Ubuntu：apt install python3-venv）。" 5
  rm -rf -- "$venv"
  "$base" -m venv "$venv" || die "Could not make $venv; see the lines above." "无法创建 $venv；原因见上。"
}

# pip, but for three variables that would send the packages somewhere else.
pip_install() {
  env -u PIP_TARGET -u PIP_PREFIX PIP_USER=0 "$python" -m pip install --quiet --disable-pip-version-check \
    --no-input "$@" < /dev/null
}

# Installs the project with the extras $1 (by comma) and notes that, with $2 beside them.
install_with() {
  if [ -n "${TTS_SETUP_HASHES:-}" ]; then # mirrors may serve wheels of their own making: so it is asked for
    pip_install --require-hashes -r "$here/requirements-hashes.txt" || return
  fi
  pip_install -c "$here/constraints.txt" -e "$here${1:+[$1]}" || return
  printf '%s %s\n' "$(fingerprint)" "$1${2:+,$2}" > "$stamp.new"
  mv -f -- "$stamp.new" "$stamp"
}

install_packages() {
  local without=''
  rm -f -- "$stamp"
  if [[ "$engine" == auto && ",$TTS_SETUP_EXTRAS," != *,indextts,* ]] && sees_gpu; then
    say "There is an NVIDIA GPU: installing the packages of IndexTTS, too (5 GB, some minutes, once) ..." \
      "检测到 NVIDIA GPU：同时安装 IndexTTS 的依赖（约 5 GB，需几分钟，仅此一次）…"
    if install_with "${TTS_SETUP_EXTRAS:+$TTS_SETUP_EXTRAS,}indextts"; then return; fi
    say "That did not work (see above): going on without IndexTTS. To try again: TTS_SETUP_EXTRAS=indextts bash start_app.sh" \
      "安装失败（见上）：暂不使用 IndexTTS。重试：TTS_SETUP_EXTRAS=indextts bash start_app.sh"
    without=no-indextts
  fi
  say "Installing packages into $venv (about a minute, once) ..." "正在安装依赖到 $venv（约一分钟，仅此一次）…"
  install_with "$TTS_SETUP_EXTRAS" "$without" ||
    die "pip could not install the packages (see above): check the network, or set PIP_INDEX_URL or https_proxy." \
      "pip 安装依赖失败（见上）：请检查网络，或设置 PIP_INDEX_URL 或 https_proxy。"
}

set_up() {
  [ -w "$here" ] || die "$here cannot be written: use a copy of your own." "$here 不可写：请使用自己的副本。" 4
  # Two first runs at once: the second waits, then finds everything done.
  exec 9< "$here/pyproject.toml"
  if command -v flock > /dev/null; then
    flock -n 9 || {
      say "Another set-up is running; waiting for it ..." "另一个安装正在进行，等待中…"
      flock 9
    }
  fi
  if ! is_current; then
    make_venv
    install_packages
  fi
  exec 9<&-
}

TTS_SETUP_EXTRAS="${TTS_SETUP_EXTRAS:-}"
engine=$(engine_of "$@")
if [[ "$engine" == indextts* && ",$TTS_SETUP_EXTRAS," != *,indextts,* ]]; then
  TTS_SETUP_EXTRAS="${TTS_SETUP_EXTRAS:+$TTS_SETUP_EXTRAS,}indextts"
fi
is_current || set_up
export TTS_HOME="${TTS_HOME:-$here}"
if [ -n "${TTS_SETUP_ONLY:-}" ]; then
  exec "$venv/bin/tts-launch" models fetch kokoro
fi
exec "$venv/bin/tts-launch" start --fetch "$@"
