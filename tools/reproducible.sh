#!/usr/bin/env bash
# Builds the release twice, from nothing, in two folders, and compares what came out byte for byte.
#
# The sources are a copy of the commit's files, in one place: the path of the sources is a part of what is built, as it is anywhere that
# is built twice in the same way. The target folders differ. Takes as long as two builds of everything.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
git archive HEAD | tar -x -C "$work/source"
for build in one two; do
    (cd "$work/source" && CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$work/$build" cargo build --release --locked --bin authorizer --bin revoker --bin enricher)
done
for binary in authorizer revoker enricher; do
    cmp "$work/one/release/$binary" "$work/two/release/$binary"
    sha256sum "$work/one/release/$binary" | sed "s,$work/one/release/,,"
done
echo "Both builds are the same, byte for byte."
