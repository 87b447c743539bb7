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

export OMP_NUM_THREADS=1 TTS_TESTS_STRICT=1
unset PYTHONDONTWRITEBYTECODE # or each of hundreds of servers and commands would compile the application anew
[ "$#" -eq 0 ] || exec "$python" -m pytest -m "$markers" "$@"

say 'Style'
"$python" -m ruff check .
"$python" -m ruff format --check .
types=$(mktemp)
"$python" -m mypy index_tts_ui launcher > "$types" 2>&1 & # beside the tests, which often wait
mypy=$!
trap 'kill "$mypy" 2> /dev/null || true; rm -f -- "$types"' EXIT

say 'Tests'
status=0
rm -f .pytest_cache/v/cache/lastfailed # of another time
# Most of their time is waiting: several files at once (TTS_TESTS_PROCESSES), each file in one process.
"$python" -m pytest -m "($markers) and not alone" -n "${TTS_TESTS_PROCESSES:-2}" --dist loadfile || status=$?
[ "$status" -ne 1 ] || "$python" -m tests.again "$markers" || true # it tells; what failed has failed
mapfile -t alone < <(grep -rlF mark.alone tests --include='test_*.py' --exclude-dir=.cache)
[ "${#alone[@]}" -eq 0 ] || "$python" -m pytest -m "($markers) and alone" "${alone[@]}" ||
  { [ "$?" -eq 5 ] || status=1; } # 5: there are none

if [ "$markers" = 'not gpu' ]; then
  say 'Known faults of packages'
  "$python" -m supply audit || [ "$?" -eq 3 ] || status=1 # 3: nobody could be asked, as the line above says
fi

say 'Types'
wait "$mypy" || status=1
cat -- "$types"
exit "$status"
