#!/usr/bin/env bash
# Runs the targets of fuzz/, each for so many seconds: fuzz.sh SECONDS [TARGET...]
#
# What is found on the way stays in fuzz/found, which is not kept; what broke something, in fuzz/artifacts. `RUSTC_BOOTSTRAP` lets the
# stable compiler take the flags of the sanitizer's coverage.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(configuration event jwks path token)
export RUSTC_BOOTSTRAP=1
for target in "${targets[@]}"; do
    printf '\n==> %s, %s seconds\n' "$target" "$seconds"
    mkdir -p "fuzz/found/$target"
    dictionary=()
    [ ! -e "fuzz/dictionaries/$target" ] || dictionary=("-dict=fuzz/dictionaries/$target")
    # No memory sanitizer: there is no `unsafe` here, and the libraries in C are not built with one.
    .tools/bin/cargo-fuzz fuzz run --fuzz-dir fuzz --sanitizer none "$target" "fuzz/found/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 "${dictionary[@]}"
done
