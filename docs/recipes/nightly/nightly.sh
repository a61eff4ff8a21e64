#!/bin/sh
# One night of a job, for cron: silent if all is well, loud if not. Pass the job file, relative to the folder of this script:
#   17 3 * * * /srv/labels/nightly.sh jobs/tickets.yaml
set -eu
cd "$(dirname "$0")"
# OPENAI_API_KEY=…, readable only by its owner.
if [ -f ./rowmill.env ]; then
  set -a
  # shellcheck source=/dev/null
  . ./rowmill.env
  set +a
fi

# cron's PATH is short. Installed in this folder or globally; add the folder of your npm prefix if it is elsewhere.
PATH="$PWD/node_modules/.bin:$PATH:/usr/local/bin"
if ! command -v rowmill >/dev/null; then
  echo "rowmill is not installed in any folder of PATH: $PATH" >&2
  exit 127
fi

said=$(mktemp)
trap 'rm -f "$said"' EXIT
status=0
# A night that waits longer would keep the next one from starting; exit 7 says that batches are pending, and the next night collects them.
rowmill run "$1" --yes --if-running skip --wait 20h --progress none >"$said" 2>&1 || status=$?
if [ "$status" -eq 0 ]; then
  rowmill clean "$1" --remote --yes >>"$said" 2>&1 || status=$?
fi
# Whatever is printed becomes cron's mail.
if [ "$status" -ne 0 ]; then
  echo "rowmill: $1 ended with exit $status" >&2
  cat "$said" >&2
fi
exit "$status"
