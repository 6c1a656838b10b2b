#!/usr/bin/env bash
# A function that was built without Cedar must not start with policies: left out, they would admit what they forbid.
set -euo pipefail

config='issuers: [{ cognito: { user_pool_id: us-east-1_AbCdEf123, client_ids: web } }]
cedar: { namespace: NS, policies: policies/ }
routes: { GET /a: { cedar: true } }'

if output=$(AWS_LAMBDA_RUNTIME_API=127.0.0.1:9 AUTHORIZER_CONFIG=$config timeout 10 "$1" 2>&1); then
    echo "it started" >&2
    exit 1
fi
for place in 'cedar' 'routes.\"GET /a\".cedar'; do
    if ! grep -qF "\"fault\":\"$place: this build has no Cedar" <<<"$output"; then
        printf 'no fault at %s:\n%s\n' "$place" "$output" >&2
        exit 1
    fi
done
