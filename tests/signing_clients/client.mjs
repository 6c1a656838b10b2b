// Signs a request with npm's http-message-signatures and prints the headers of the signed request, as JSON.
//
//     node client.mjs '{"method": "POST", "url": "https://api.example.com/orders", "headers": {}, "body": "{}",
//                       "keyid": "...", "algorithm": "ed25519", "key": "<PEM, or an HMAC secret in base64>"}'

import { constants, createHash, randomUUID, sign } from "node:crypto";
import { createSigner, httpbis } from "http-message-signatures";

const { method, url, headers, body, keyid, algorithm, key } = JSON.parse(process.argv[2]);

// The body is covered through its digest, which the backend must compute anew.
const digest = createHash("sha256").update(body).digest("base64");
const request = { method, url, headers: { ...headers, "content-digest": `sha-256=:${digest}:` } };

const material = algorithm === "hmac-sha256" ? Buffer.from(key, "base64") : key;

// RFC 9421 3.3.1: the salt has 64 bytes. The library's own signer (1.0.6) takes the longest salt that the key has room for.
const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 };
const signer =
  algorithm === "rsa-pss-sha512"
    ? { id: keyid, alg: algorithm, sign: async (data) => sign("sha512", data, pss) }
    : createSigner(material, algorithm, keyid);

const signed = await httpbis.signMessage(
  {
    key: signer,
    fields: ["@method", "@authority", "@path", "content-digest"],
    params: ["created", "keyid", "nonce"],
    paramValues: { nonce: randomUUID() },
  },
  request,
);
const lower = Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
console.log(JSON.stringify(Object.fromEntries(lower)));
