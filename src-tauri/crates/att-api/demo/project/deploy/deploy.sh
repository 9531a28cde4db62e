# Puts the release $ATT_RELEASE_ID live: copies the app out of $ATT_WORKTREE, then switches `current` at once.
set -eu
site=$1
release="$site/releases/$ATT_RELEASE_ID"
echo "copying the app to releases/$ATT_RELEASE_ID"
rm -rf "$release.new"
mkdir -p "$release.new"
cp "$ATT_WORKTREE"/app/* "$release.new/"
printf '{"release_id": "%s", "commit": "%s"}\n' "$ATT_RELEASE_ID" "$ATT_COMMIT" > "$release.new/release.json"
rm -rf "$release"
mv "$release.new" "$release"
sleep 1
echo "switching current to $ATT_RELEASE_ID"
ln -sfn "releases/$ATT_RELEASE_ID" "$site/current.new"
mv -T "$site/current.new" "$site/current"
echo "release_id=$ATT_RELEASE_ID previous_release_id=${ATT_PREVIOUS_RELEASE_ID:-}" >> "$site/runtime.log"
