# Can the release $ATT_RELEASE_ID be brought back?
set -eu
test -d "$1/releases/$ATT_RELEASE_ID" && echo "releases/$ATT_RELEASE_ID is there"
