# Brings the release $ATT_RELEASE_ID back: it is still in its folder, so only `current` is switched.
set -eu
site=$1
test -d "$site/releases/$ATT_RELEASE_ID" || { echo "releases/$ATT_RELEASE_ID is gone" >&2; exit 1; }
sleep 1
echo "switching current back to $ATT_RELEASE_ID"
ln -sfn "releases/$ATT_RELEASE_ID" "$site/current.new"
mv -T "$site/current.new" "$site/current"
echo "release_id=$ATT_RELEASE_ID previous_release_id=${ATT_PREVIOUS_RELEASE_ID:-}" >> "$site/runtime.log"
