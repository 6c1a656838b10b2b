// Signs a request with npm's http-message-signatures and prints the headers of the signed request, as JSON.
//
//     node client.mjs '{"method": "POST", "url": "https://api.example.com/orders", "headers": {}, "body": "{}",
//                       "keyid": "...", "algorithm": "ed25519", "key": "<PEM, or an HMAC secret in base64>"}'

import { createHash, randomUUID } from "node:crypto";
import { createSigner, httpbis } from "http-message-signatures";

const { method, url, headers, body, keyid, algorithm, key } = JSON.parse(process.argv[2]);

// The body is covered through its digest, which the backend must compute anew.
const digest = createHash("sha256").update(body).digest("base64");
const request = { method, url, headers: { ...headers, "content-digest": `sha-256=:${digest}:` } };

const material = algorithm === "hmac-sha256" ? Buffer.from(key, "base64") : key;
const signed = await httpbis.signMessage(
  {
    key: createSigner(material, algorithm, keyid),
    fields: ["@method", "@authority", "@path", "content-digest"],
    params: ["created", "keyid", "nonce"],
    paramValues: { nonce: randomUUID() },
  },
  request,
);
const lower = Object.entries(signed.headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
console.log(JSON.stringify(Object.fromEntries(lower)));
