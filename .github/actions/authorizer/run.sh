#!/usr/bin/env bash
# What the action runs: `run.sh test` and `run.sh summary`. Inputs come as AUTHCTL, CONFIG, TESTS, REQUIRE_COVERAGE, BASE.
set -euo pipefail

root="$(cd "$(dirname "$0")/../../.." && pwd)"
authctl="${AUTHCTL:-${CARGO_TARGET_DIR:-$root/target}/debug/authctl}"
read -ra tests <<<"${TESTS:-authorizer.test.yaml}"
config=()
if [ -n "${CONFIG:-}" ]; then config=(--config "$CONFIG"); fi

case "${1:-}" in
test)
    coverage=()
    if [ "${REQUIRE_COVERAGE:-false}" = true ]; then coverage=(--require-coverage); fi
    "$authctl" test "${tests[@]}" "${config[@]}" "${coverage[@]}"
    ;;
summary)
    summary="${GITHUB_STEP_SUMMARY:-/dev/stdout}"
    for file in "${tests[@]}"; do
        {
            printf '### Who may do what: `%s`\n\n' "$file"
            "$authctl" matrix --tests "$file" "${config[@]}" --format markdown
            printf '\n'
        } >>"$summary"
    done
    # What the change means, where this authctl can say so and it is a pull request.
    if [ -n "${BASE:-}" ] && "$authctl" diff --help >/dev/null 2>&1; then
        old="$(mktemp --suffix .yaml)"
        new="${CONFIG:-authorizer.yaml}"
        if git show "$BASE:$new" >"$old" 2>/dev/null; then
            {
                printf '### What changes\n\n'
                "$authctl" diff "$old" "$new" --format markdown || true
                printf '\n'
            } >>"$summary"
        fi
    fi
    ;;
*)
    echo "usage: run.sh test|summary" >&2
    exit 2
    ;;
esac
