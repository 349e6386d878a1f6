import { base64url, hashed, randomText } from './encoding.js';
import { VeilcastError } from './errors.js';

/** ES256 (RFC 7518 section 3.4): what every browser can do with keys that cannot be taken away. */
const KEY = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };

/** What a proof is about. */
export interface Claims {
  /** `GET` for a WebSocket. */
  method: string;
  /** Scheme, host and path, without query and fragment; `https://HOST/ws` for a WebSocket. */
  url: string;
  /** The access token that comes along. */
  token?: string | undefined;
  /** The server's last nonce, or the socket's challenge. */
  nonce?: string | undefined;
  /** With an offer: the value of its `a=fingerprint`. */
  fingerprint?: string | undefined;
}

/** Makes proofs with one key. */
export type Prove = (claims: Claims) => Promise<string>;

/** A key whose private half no script can read, ours included. */
export async function createKey(): Promise<CryptoKeyPair> {
  // Absent outside secure contexts.
  if (globalThis.crypto?.subtle === undefined) throw VeilcastError.local('unsupported');
  return crypto.subtle.generateKey(KEY, false, ['sign']);
}

/** A DPoP proof (RFC 9449 section 4.2), never the same twice. */
export async function prove(key: CryptoKeyPair, claims: Claims): Promise<string> {
  return signed(key, 'dpop+jwt', await payload(claims));
}

/** A compact JWS (RFC 7515 section 7.1) of this type, with the key's public half in its header. */
export async function signed(key: CryptoKeyPair, typ: string, claims: object): Promise<string> {
  const input = `${part({ typ, alg: 'ES256', jwk: await publicJwk(key) })}.${part(claims)}`;
  const signature = await crypto.subtle.sign(SIGNATURE, key.privateKey, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}

async function payload({ method, url, token, nonce, fingerprint }: Claims): Promise<object> {
  // JSON leaves out what is undefined.
  return {
    jti: randomText(128),
    htm: method,
    htu: url,
    iat: Math.floor(Date.now() / 1000),
    nonce,
    ath: token === undefined ? undefined : await hashed(token),
    dtls_fingerprint: fingerprint,
  };
}

/** The members that make up the key (RFC 7638 section 3.2), and no other. */
async function publicJwk(key: CryptoKeyPair): Promise<object> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', key.publicKey);
  return { kty, crv, x, y };
}

function part(fields: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(fields)));
}
