# Is the site there at all?
set -eu
test -f "$1/current/index.html" && echo "the page is there"
