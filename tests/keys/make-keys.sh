#!/bin/sh
# Makes every file of this directory anew. Test keys only: see README.md.
set -eu
cd "$(dirname "$0")"

b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
hex2b64url() { xxd -r -p | b64url; }

for name in rsa-a rsa-b rsa-c; do
    openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$name.pem"
done
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa-1024.pem
openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out rsa-4096.pem
for curve in 256 384 521; do
    openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:P-$curve" -out "p-$curve.pem"
done
openssl genpkey -quiet -algorithm ED25519 -out ed25519.pem
for name in rsa-a rsa-1024 p-256 p-384 ed25519; do
    openssl pkey -in "$name.pem" -pubout -out "$name.pub.pem"
done

for name in client-cert other-client-cert; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null \
        -subj "/O=Test only/CN=$name" -days 36500 -out "$name.pem" 2>/dev/null
done

# The public halves as JWKs, by name.
{
    echo '{'
    for name in rsa-a rsa-b rsa-c rsa-1024 rsa-4096; do
        n=$(openssl rsa -in "$name.pem" -noout -modulus | cut -d= -f2 | hex2b64url)
        printf '  "%s": {"kty": "RSA", "kid": "%s", "e": "AQAB", "n": "%s"},\n' "$name" "$name" "$n"
    done
    for curve in 256:32 384:48 521:66; do
        bits=${curve%:*} size=${curve#*:}
        x=$(openssl pkey -in "p-$bits.pem" -pubout -outform DER | tail -c $((2 * size)) | head -c "$size" | b64url)
        y=$(openssl pkey -in "p-$bits.pem" -pubout -outform DER | tail -c "$size" | b64url)
        printf '  "p-%s": {"kty": "EC", "kid": "p-%s", "crv": "P-%s", "x": "%s", "y": "%s"},\n' \
            "$bits" "$bits" "$bits" "$x" "$y"
    done
    x=$(openssl pkey -in ed25519.pem -pubout -outform DER | tail -c 32 | b64url)
    printf '  "ed25519": {"kty": "OKP", "kid": "ed25519", "crv": "Ed25519", "x": "%s"}\n' "$x"
    echo '}'
} > jwks.json

# aws-lc-rs signs with no RSA key below 2048 bits, so the token of the 1024-bit key is made here:
# an access token that is right in all but the size of its key.
header=$(printf '{"kid":"rsa-1024","alg":"RS256"}' | b64url)
payload=$(printf '%s' '{"iss":"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbCdEf123","sub":"1024","token_use":"access","client_id":"web-client","exp":4102444800,"iat":1700000000}' | b64url)
signature=$(printf '%s.%s' "$header" "$payload" | openssl dgst -sha256 -sign rsa-1024.pem -binary | b64url)
printf '%s.%s.%s' "$header" "$payload" "$signature" > rsa-1024.jwt
