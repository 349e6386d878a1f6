import { expect } from 'vitest';

export interface Proof {
  header: Record<string, unknown> & { jwk: JsonWebKey };
  claims: Record<string, unknown>;
}

/** Reads a proof whose signature is by the key that it names. */
export async function verified(text: string | null | undefined): Promise<Proof> {
  const parts = text?.split('.') ?? [];
  expect(parts).toHaveLength(3);
  const [header = '', claims = '', signature = ''] = parts;
  const proof: Proof = { header: json(header), claims: json(claims) };
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle.importKey('jwk', proof.header.jwk, algorithm, true, ['verify']);
  const signed = new TextEncoder().encode(`${header}.${claims}`);
  const bytes = decoded(signature);
  expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes, signed)).toBe(true);
  return proof;
}

function json<T>(part: string): T {
  return JSON.parse(new TextDecoder().decode(decoded(part)));
}

function decoded(part: string): Uint8Array<ArrayBuffer> {
  expect(part).toMatch(/^[A-Za-z0-9_-]+$/);
  return Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
    letter.charCodeAt(0),
  );
}
