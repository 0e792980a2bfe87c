# One worker: fetches the bundled subjects into the volume the first time, then works on jobs.
set -eu
refusalscope models fetch
exec refusalscope worker --device "${REFUSALSCOPE_DEVICE:-auto}"
