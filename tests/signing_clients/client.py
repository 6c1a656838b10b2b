"""Signs a request with PyPI's http-message-signatures and prints the two headers that it adds, as JSON.

    client.py '{"method": "POST", "url": "https://api.example.com/orders", "headers": {}, "body": "{}",
                "keyid": "...", "algorithm": "ed25519", "key": "<PEM, or an HMAC secret in base64>"}'
"""

import base64
import json
import secrets
import sys
from types import SimpleNamespace

from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

ALGORITHMS = {
    "hmac-sha256": algorithms.HMAC_SHA256,
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": algorithms.RSA_V1_5_SHA256,
}


class Key(HTTPSignatureKeyResolver):
    def __init__(self, asked):
        is_secret = asked["algorithm"] == "hmac-sha256"
        self.key = base64.b64decode(asked["key"]) if is_secret else asked["key"].encode()

    def resolve_private_key(self, key_id):
        return self.key


def main(asked):
    # The library adds `Content-Digest` and covers it; the backend must compute it anew.
    headers = dict(asked["headers"])
    request = SimpleNamespace(method=asked["method"], url=asked["url"], headers=headers)
    signer = HTTPMessageSigner(signature_algorithm=ALGORITHMS[asked["algorithm"]], key_resolver=Key(asked))
    signer.sign(
        request,
        key_id=asked["keyid"],
        covered_component_ids=("@method", "@authority", "@path"),
        body=asked["body"].encode(),
        nonce=secrets.token_urlsafe(16),
    )
    print(json.dumps({name.lower(): value for name, value in headers.items()}))


main(json.loads(sys.argv[1]))
