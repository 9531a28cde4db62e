# Tells which release is live.
set -eu
cat "$1/current/release.json"
