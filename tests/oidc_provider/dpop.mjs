// A client of the provider that proves possession of a key (RFC 9449), by npm's `dpop`.
//
//   node dpop.mjs ISSUER RESOURCE ALGORITHM METHOD URL COUNT
//
// asks for a token of the client `machine`, and prints it with that many proofs for requests of that method and URL, as one line of JSON.

import { calculateThumbprint, generateKeyPair, generateProof } from 'dpop';

const [issuer, resource, algorithm, method, url, count] = process.argv.slice(2);
const keys = await generateKeyPair(algorithm);
const endpoint = `${issuer}/token`;
const answer = await fetch(endpoint, {
  method: 'POST',
  headers: {
    authorization: `Basic ${Buffer.from('machine:secret+of+the+machine').toString('base64')}`,
    dpop: await generateProof(keys, endpoint, 'POST'),
  },
  body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'orders.read' }),
});
const { access_token: token, token_type: type, ...rest } = await answer.json();
if (type !== 'DPoP') throw new Error(`no bound token: ${JSON.stringify(rest)}`);
const proofs = [];
while (proofs.length < Number(count)) proofs.push(await generateProof(keys, url, method, undefined, token));
console.log(JSON.stringify({ token, proofs, thumbprint: await calculateThumbprint(keys.publicKey) }));
