# The demo's tests: the page is a page.
set -eu
# As CI this runs beside the base commit, and the change is in $ATT_WORKTREE.
cd "${ATT_WORKTREE:-.}"
grep -q '<h1>' app/index.html
echo "1 passed"
