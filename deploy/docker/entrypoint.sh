#!/bin/sh
# The container's first process: brings the models named in FETCH_MODELS (default: the embedded voice; "": none)
# into the volume, then becomes tts-launch. "run --engine tone" and the like: any command of tts-launch.
set -eu
if [ "${1-run}" = run ]; then
  for model in ${FETCH_MODELS-kokoro}; do
    tts-launch models fetch "$model" ||
      echo "entrypoint: $model did not come; the service says what it can do without it" >&2
  done
fi
exec tts-launch "$@"
