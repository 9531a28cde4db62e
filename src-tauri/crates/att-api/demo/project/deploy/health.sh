# Does the live release say that it is well?
set -eu
if grep -q '"status": "ok"' "$1/current/health.json"; then
  echo "health.json says ok"
else
  echo "health.json does not say ok: $(cat "$1/current/health.json")" >&2
  exit 1
fi
