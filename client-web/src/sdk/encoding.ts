/** RFC 4648 section 5, without padding. */
export function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The base64url SHA-256 of a text: a PKCE challenge (RFC 7636 section 4.2), an `ath` (RFC 9449 section 4.2). */
export async function hashed(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return base64url(new Uint8Array(hash));
}

export function randomText(bits: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bits / 8)));
}
