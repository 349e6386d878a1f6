import { hashed, randomText } from '../sdk/encoding.js';

/** RFC 7636: the verifier stays here, its hash goes to the issuer. */
export interface Pkce {
  verifier: string;
  challenge: string;
}

export async function createPkce(): Promise<Pkce> {
  const verifier = randomText(256);
  return { verifier, challenge: await hashed(verifier) };
}
