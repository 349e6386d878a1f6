import { type Clock, systemClock } from './clock.js';
import { call } from './http.js';
import { parseEventToken } from './parse.js';

/** Renewed this long before it expires, so that a reconnect never meets a dead token. */
const MARGIN_MS = 60_000;

/** A token source for guests of a public event: no account, no cookie, renewed when it is due. */
export function guestTokens(url: string, event: string, clock: Clock = systemClock): () => Promise<string> {
  const address = new URL(`/api/v1/events/${encodeURIComponent(event)}/guest`, url);
  let held: { token: string; until: number } | null = null;
  return async () => {
    if (held !== null && clock.now() < held.until) return held.token;
    // The token that is running out keeps the guest the same guest.
    const headers = held === null ? undefined : { authorization: `Bearer ${held.token}` };
    const init: RequestInit = { method: 'POST', credentials: 'omit', ...(headers && { headers }) };
    const { token, expires_in } = await call(new Request(address, init), parseEventToken);
    held = { token, until: clock.now() + expires_in * 1000 - MARGIN_MS };
    return token;
  };
}
