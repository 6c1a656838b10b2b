#!/usr/bin/env bash
# `rustc` for `make fuzz`: what reads hostile bytes is built with libFuzzer's coverage, and nothing else. The flags are those of cargo-fuzz without a sanitizer.
set -euo pipefail
rustc=$1
shift
name=
previous=
for argument in "$@"; do
    [ "$previous" != --crate-name ] || name=$argument
    previous=$argument
done
case "$name" in
    cognito_authorizer | configuration | event | jwks | path | token | saphyr_parser | serde_json)
        exec "$rustc" "$@" --cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 \
            -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
            -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
        ;;
    *) exec "$rustc" "$@" ;;
esac
