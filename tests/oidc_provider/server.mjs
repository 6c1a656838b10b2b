// A real OpenID provider on a free loopback port, for tests/real_parts: access tokens by the client-credentials grant with
// a resource indicator (so that they have an `aud`), opaque ones and JWTs, bound to a key where the client sends a DPoP
// proof (RFC 9449); introspection (RFC 7662) and revocation (RFC 7009) of the opaque ones.
// Says where it is as one line of JSON on stdout, and ends with its stdin.

import { createServer } from 'node:http';
import { errors, Provider } from 'oidc-provider';

// Resource servers, with the life of their tokens in seconds.
const LIVES = { 'api://orders': 600, 'api://brief': 3, 'api://billing': 600, 'api://jwt': 600 };

const client = (client_id, client_secret, method, grant_types) => ({
  client_id,
  client_secret,
  token_endpoint_auth_method: method,
  grant_types,
  redirect_uris: [],
  response_types: [],
});

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    // Only the secrets' spelling matters: what is not a letter must be encoded (RFC 6749, 2.3.1).
    clients: [
      client('machine', 'secret of the machine', 'client_secret_basic', ['client_credentials']),
      client('other-machine', 'secret of the other', 'client_secret_basic', ['client_credentials']),
      client('authorizer:basic', 's3cr3t:+/ %&=basic', 'client_secret_basic', []),
      client('authorizer:post', 's3cr3t:+/ %&=post', 'client_secret_post', []),
    ],
    enabledJWA: { dPoPSigningAlgValues: ['ES256', 'Ed25519', 'RS256', 'PS256'] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      // The authorizer asks about everybody's tokens; a client revokes its own.
      introspection: { enabled: true, allowedPolicy: (_, asking) => asking.clientId.startsWith('authorizer:') },
      revocation: { enabled: true, allowedPolicy: (_, asking, token) => asking.clientId === token.clientId },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_, resource) {
          if (!(resource in LIVES)) throw new errors.InvalidTarget();
          const accessTokenFormat = resource === 'api://jwt' ? 'jwt' : 'opaque';
          return { audience: resource, scope: 'orders.read orders.write', accessTokenFormat, accessTokenTTL: LIVES[resource] };
        },
      },
    },
  });
  server.on('request', provider.callback());
  console.log(JSON.stringify({ issuer }));
});

process.stdin.on('end', () => process.exit(0)).resume();
