#!/usr/bin/env bash
# Runs the targets of fuzz/, each for so many seconds: fuzz.sh SECONDS [TARGET...]
#
# What is found on the way stays in fuzz/found, which is not kept; what broke something, in fuzz/artifacts. It builds into the folder
# of `cargo test`, whose dependencies it takes.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(api_key certificate configuration event jwks path signature token)
folder=${CARGO_TARGET_DIR:-target}
RUSTC_WRAPPER="$PWD/tools/coverage-rustc.sh" cargo build --locked --manifest-path fuzz/Cargo.toml --target-dir "$folder"
for target in "${targets[@]}"; do
    printf '\n==> %s, %s seconds\n' "$target" "$seconds"
    mkdir -p "fuzz/found/$target" "fuzz/artifacts/$target"
    "$folder/debug/$target" "fuzz/found/$target" "fuzz/corpus/$target" -max_total_time="$seconds" -max_len=16384 \
        -timeout=20 -rss_limit_mb=1500 -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/"
done
