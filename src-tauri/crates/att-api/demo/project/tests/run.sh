# The demo's tests: the page is a page.
set -eu
grep -q '<h1>' app/index.html
echo "1 passed"
