#!/usr/bin/env bash
# A release, into a folder: release.sh FOLDER
#
# For each of ARCHITECTURES the packages of the functions and their bills of materials (CycloneDX, of what is linked on that architecture);
# authctl for this machine; a provenance statement, and the checksums of all of it.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath -m "$1")
export ARCHITECTURES=${ARCHITECTURES:-x86_64}
rm -rf "$folder"
mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The same for every build of one commit: no time, no random serial number.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
PATH="$PWD/.venv/local/bin:$PATH"
for architecture in $ARCHITECTURES; do
    target=$([ "$architecture" = arm64 ] && echo aarch64-unknown-linux-gnu || echo x86_64-unknown-linux-gnu)
    for binary in authorizer revoker enricher; do
        cargo lambda build --release --locked --bin "$binary" \
            "$([ "$architecture" = arm64 ] && echo --arm64 || echo --x86-64)" --flatten "$binary" --lambda-dir "$work/$architecture"
        program=$work/$architecture/bootstrap
        python3 tools/packages.py zip "$program" "$folder/$binary-$architecture.zip"
        rm -r "${work:?}/$architecture"
    done
    .tools/bin/cargo-cyclonedx cyclonedx --format json --spec-version 1.5 --target "$target" --no-build-deps \
        --override-filename package.cdx
    # Where it was built is nobody's business.
    for package in cognito-authorizer:. cognito-authorizer-operator:operator; do
        written=${package#*:}/package.cdx.json
        sed "s,path+file://$PWD,path+file:///cognito-authorizer,g" "$written" > "$folder/${package%:*}-$architecture.cdx.json"
        rm "$written"
    done
done
cargo build --release --locked --bin authctl
install -m 755 "${CARGO_TARGET_DIR:-target}/release/authctl" "$folder/authctl"

python3 tools/packages.py statement "$folder"
cat "$folder/SHA256SUMS"
