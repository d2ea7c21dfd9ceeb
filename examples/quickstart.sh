#!/bin/sh
# From a trained model to a signed, verified release, in the folder given (default: quickstart).
# Needs `edgeworthy` on the PATH; reaches no network.
set -eu
project=${1:-quickstart}

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }
[ -t 1 ] || say() { printf '\n$ %s\n' "$*"; "$@"; }

[ -d "$project" ] || say edgeworthy init digits "$project"
[ -f "$project/keys/release" ] || say edgeworthy keys create "$project/keys/release" \
    --generate-passphrase "$project/keys/release.passphrase"
say edgeworthy build --project "$project" --passphrase-file "$project/keys/release.passphrase"
say edgeworthy verify "$project"/dist/digits-* --key "$project/keys/release.pub"

printf '\nOpen %s/dist/report.html to see what was decided and why.\n' "$project"
