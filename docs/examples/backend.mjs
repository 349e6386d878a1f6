// A back end that creates events at a Veilcast server and lets its own people in: Node 20.19 or newer, no dependencies.
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { VEILCAST_URL: url, VEILCAST_CLIENT: client, VEILCAST_KEY: file } = process.env;
const key = createPrivateKey(readFileSync(file)); // its public half is registered at the server
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }); // this process's: its tokens are bound to it
const jwk = own.publicKey.export({ format: 'jwk' });
let nonce;
let token = { value: '', until: 0 };

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

function jwt(header, claims, key) {
  const input = `${part({ alg: 'ES256', ...header })}.${part({ jti: randomUUID(), iat: now(), ...claims })}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** One request with a proof (RFC 9449); a second time where the server wants a newer nonce. */
async function send(method, path, headers, body, ath) {
  for (let attempt = 0; ; attempt++) {
    const claims = { htm: method, htu: url + path.split('?')[0], nonce, ath };
    const dpop = jwt({ typ: 'dpop+jwt', jwk }, claims, own.privateKey);
    const reply = await fetch(url + path, { method, headers: { ...headers, dpop }, body });
    nonce = reply.headers.get('dpop-nonce') ?? nonce;
    const answer = reply.status === 204 ? null : await reply.json();
    if (reply.ok) return answer;
    if (answer.code !== 'proof-nonce' || attempt > 0) throw new Error(`${answer.code}: ${answer.title}`);
  }
}

/** A token for five minutes, for an assertion that counts once (RFC 7523). */
async function fresh() {
  const assertion = jwt({ typ: 'JWT' }, { iss: client, sub: client, aud: url, exp: now() + 30 }, key);
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const form = { grant_type: 'client_credentials', client_assertion_type: type, client_assertion: assertion };
  const { access_token, expires_in } = await send('POST', '/oauth/token', {}, new URLSearchParams(form));
  return { value: access_token, until: now() + expires_in - 30 };
}

/** Asks the server something, as `/api/openapi.json` describes it. */
export async function veilcast(method, path, body) {
  if (token.until <= now()) token = await fresh();
  const ath = createHash('sha256').update(token.value).digest('base64url');
  const headers = { authorization: `DPoP ${token.value}`, ...(body && { 'content-type': 'application/json' }) };
  return send(method, path, headers, body && JSON.stringify(body), ath);
}

if (process.argv[1] === import.meta.filename) {
  const starts_at = now() + 3600;
  const event = await veilcast('POST', '/api/v1/events', { title: 'Lecture', starts_at });
  const wish = { role: 'viewer', subject: randomUUID(), expires_in: 3600 }; // keep whose random id this is
  const { code } = await veilcast('POST', `/api/v1/events/${event.id}/grants`, wish);
  console.log(`${url}/watch/${event.id}#invitation=${code}`);
}
