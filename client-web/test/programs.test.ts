import { describe, expect, it } from 'vitest';
import { makeClientKey, readPublicKey } from '../src/app/client-key.js';
import { parseRegistered, parseThirdParties } from '../src/sdk/parse-clients.js';

const client = {
  id: 'a'.repeat(26),
  label: 'LMS',
  owner: 'IT',
  scopes: ['events:read'],
  last_used: null,
  ends: 1_800_000_000,
  idle: true,
  soon: false,
  events: 0,
  grants: 2,
  keys: [{ thumbprint: 'x'.repeat(43), ends: null }],
};
const key = {
  id: 'b',
  event: 'c',
  title: 'Lecture',
  ends: 1_800_000_000,
  idle: true,
  soon: false,
  last_used: 60,
  owner: 'Crew',
};
const webhook = {
  id: 'd',
  origin: 'https://hooks.example',
  kinds: ['event.ended'],
  ends: 1_800_000_000,
  idle: false,
  soon: true,
  last_used: null,
  taken: 3,
  dropped: 0,
  outcome: 'delivered',
  ended: false,
};

describe('what others hold', () => {
  it('is read as the server has it', () => {
    const all = { clients: [client], stream_keys: [key], webhooks: [webhook] };
    expect(parseThirdParties(all)).toEqual(all);
    expect(parseRegistered({ id: 'a' })).toBe('a');
  });

  it.each([
    { clients: [{ ...client, scopes: ['admin'] }], stream_keys: [], webhooks: [] },
    { clients: [{ ...client, ends: null }], stream_keys: [], webhooks: [] },
    { clients: [], stream_keys: [{ ...key, last_used: 'now' }], webhooks: [] },
    { clients: [], stream_keys: [], webhooks: [{ ...webhook, kinds: ['everything'] }] },
    { clients: [], stream_keys: [] },
    { clients: [] },
  ])('is nothing else', (wrong) => {
    expect(() => parseThirdParties(wrong)).toThrow('malformed');
  });
});

describe('a key for a program', () => {
  it('is made here, and only its public half is for the server', async () => {
    const { pem, jwk } = await makeClientKey();
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n[\w+/=\n]+-----END PRIVATE KEY-----\n$/);
    expect(Object.keys(jwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
    const body = Uint8Array.from(atob(pem.split('\n').slice(1, -2).join('')), (each) => each.charCodeAt(0));
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const secret = await crypto.subtle.importKey('pkcs8', body, algorithm, false, ['sign']);
    const known = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
    const signature = await crypto.subtle.sign(algorithm, secret, new Uint8Array(8));
    expect(await crypto.subtle.verify(algorithm, known, signature, new Uint8Array(8))).toBe(true);
  });

  it('that was pasted is JSON', () => {
    expect(readPublicKey('{"kty":"EC"}')).toEqual({ kty: 'EC' });
    expect([readPublicKey('ssh-ed25519 AAAA'), readPublicKey('1'), readPublicKey('null')]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
