#!/usr/bin/env bash
# The test command. It sets up whatever the tests need, then runs them.
#   bash tests/run.sh          the quick suite
#   bash tests/run.sh --all    the long ones, too (chaos, set-up from nothing)
#   bash tests/run.sh PATH...  what pytest accepts
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }

markers='not slow and not gpu'
if [ "${1-}" = --all ]; then
  markers='not gpu'
  shift
fi

say 'Python environment (.venv)'
TTS_SETUP_ONLY=1 TTS_SETUP_EXTRAS=test,indextts bash start_app.sh
python=.venv/bin/python

for browser in chromium chromium-browser google-chrome; do
  command -v "$browser" > /dev/null && break
done
command -v "$browser" > /dev/null ||
  { echo "The page's tests need Chromium: apt-get install chromium fonts-noto-cjk" >&2; exit 1; }

export OMP_NUM_THREADS=1 TTS_TESTS_STRICT=1 PYTHONDONTWRITEBYTECODE=1
if [ "$#" -eq 0 ]; then
  say 'Style and types'
  "$python" -m ruff check .
  "$python" -m ruff format --check .
  "$python" -m mypy index_tts_ui launcher
fi
say 'Tests'
[ "$#" -eq 0 ] || exec "$python" -m pytest -m "$markers" "$@"
status=0
# Most of their time is waiting: several files at once (TTS_TESTS_PROCESSES), each file in one process.
"$python" -m pytest -m "($markers) and not alone" -n "${TTS_TESTS_PROCESSES:-2}" --dist loadfile || status=$?
"$python" -m pytest -m "($markers) and alone" || { [ "$?" -eq 5 ] || status=1; } # 5: there are none
exit "$status"
