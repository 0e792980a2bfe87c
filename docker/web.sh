# The web process alone: what comes in is checked against REFUSALSCOPE_TOKEN, and workers are containers of their own.
set -eu
exec refusalscope serve --host 0.0.0.0 --port 8050 --no-worker
