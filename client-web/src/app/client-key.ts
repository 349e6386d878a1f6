/** A fresh key pair for a program, made in this browser. */
export interface ClientKeyPair {
  /** PKCS #8 as PEM, for whoever runs the program. The server never gets it. */
  pem: string;
  /** The public half, for the server. */
  jwk: object;
}

/** ES256: what every JOSE library knows. */
export async function makeClientKey(): Promise<ClientKeyPair> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const [pkcs8, { kty, crv, x, y }] = await Promise.all([
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
    crypto.subtle.exportKey('jwk', pair.publicKey),
  ]);
  const body = btoa(String.fromCharCode(...new Uint8Array(pkcs8)));
  const lines = body.match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
  return { pem, jwk: { kty, crv, x, y } };
}

/** A JWK or a set of them that somebody has pasted; `null`: it is none. The server looks at it more closely. */
export function readPublicKey(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
