#!/usr/bin/env bash
# The binaries of a release, what they are made of, and their checksums, into a folder: release.sh FOLDER
#
# The bills of materials are CycloneDX, one for each package, of what is linked into its binaries on the architecture that is built for.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "$1")
architecture=${ARCHITECTURE:-x86_64}
target=$([ "$architecture" = arm64 ] && echo aarch64-unknown-linux-gnu || echo x86_64-unknown-linux-gnu)
rm -rf "$folder"
mkdir -p "$folder"

PATH="$PWD/.venv/local/bin:$PATH"
for binary in authorizer revoker; do
    cargo lambda build --release --locked --bin "$binary" \
        "$([ "$architecture" = arm64 ] && echo --arm64 || echo --x86-64)" --flatten "$binary" --lambda-dir "$folder/$binary"
done

# The same for every build of one commit: no time, no random serial number.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
.tools/bin/cargo-cyclonedx cyclonedx --format json --spec-version 1.5 --target "$target" --no-build-deps \
    --override-filename package.cdx
# Where it was built is nobody's business.
for package in cognito-authorizer:. cognito-authorizer-operator:operator; do
    written=${package#*:}/package.cdx.json
    sed "s,path+file://$PWD,path+file:///cognito-authorizer,g" "$written" > "$folder/${package%:*}.cdx.json"
    rm "$written"
done

cd "$folder"
sha256sum -- */bootstrap ./*.json | sed 's, \./, ,' > SHA256SUMS
cat SHA256SUMS
