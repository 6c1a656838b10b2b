// The reference on Node: an HTTP API 2.0 authorizer for Cognito access tokens on
// aws-jwt-verify, as its documentation has it: the JWK Set is fetched while the
// function starts, and each request is one `verify`. It knows no routes.
//
// AWS's own Node runtime is not to be had as a package that starts anywhere; the
// loop below does the least that one must, over one connection that is kept.

import http from "node:http";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";

const { AWS_LAMBDA_RUNTIME_API, CLIENT_ID, JWKS_URI, USER_POOL_ID } = process.env;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function exchange(method, url, options, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, ...options }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

// The verifier's own fetcher speaks HTTPS only; the bench's JWK Set is on loopback.
const fetcher = { fetch: async () => (await exchange("GET", JWKS_URI)).body };
const verifier = CognitoJwtVerifier.create(
  { userPoolId: USER_POOL_ID, clientId: CLIENT_ID, tokenUse: "access" },
  { jwksCache: new SimpleJwksCache({ fetcher }) },
);

async function answer(event) {
  try {
    const token = event.headers.authorization.replace(/^Bearer /, "");
    const { sub, username, client_id, scope } = await verifier.verify(token);
    return { isAuthorized: true, context: { sub, username, client_id, scope } };
  } catch {
    return { isAuthorized: false };
  }
}

const runtime = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
await verifier.hydrate();
for (;;) {
  const next = await exchange("GET", `${runtime}/next`, { agent });
  const text = JSON.stringify(await answer(JSON.parse(next.body)));
  const url = `${runtime}/${next.headers["lambda-runtime-aws-request-id"]}/response`;
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
  await exchange("POST", url, { agent, headers }, text);
}
