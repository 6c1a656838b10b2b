// What an MCP client finds out by itself: discover.mjs SERVER_URL [ISSUER=URL_TO_ASK_INSTEAD]
//
// Asks the server without a token, and lets the official SDK do the rest: the 401's header (RFC 6750), the resource's metadata
// (RFC 9728), the authorization server's (RFC 8414, OpenID Connect Discovery), and the request for authorization, which names the
// resource (RFC 8707). Prints what was found. An emulator's issuer is AWS's URL: it is asked elsewhere.
import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';

const [server, instead] = process.argv.slice(2);
const [issuer, other] = instead?.split('=') ?? [];
const asked = [];

const fetchFn = (input, init) => {
  const url = String(input);
  asked.push(url);
  return fetch(issuer && url.startsWith(issuer) ? other + url.slice(issuer.length) : url, init);
};

let authorization;
const provider = {
  redirectUrl: 'http://localhost:3000/callback',
  clientMetadata: { redirect_uris: ['http://localhost:3000/callback'], client_name: 'test' },
  clientInformation: () => ({ client_id: 'web' }),
  tokens: () => undefined,
  saveTokens: () => {},
  saveCodeVerifier: () => {},
  codeVerifier: () => '',
  redirectToAuthorization: (url) => { authorization = url; },
};

const refused = await fetch(server);
await refused.body?.cancel();
const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refused);
const result = await auth(provider, { serverUrl: server, resourceMetadataUrl, scope, fetchFn });
console.log(JSON.stringify({
  status: refused.status,
  resourceMetadataUrl: resourceMetadataUrl?.href,
  result,
  authorizationEndpoint: authorization && authorization.origin + authorization.pathname,
  parameters: authorization && Object.fromEntries(authorization.searchParams),
  asked,
}, null, 2));
