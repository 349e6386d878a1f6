import type { EventToken } from '../protocol/index.js';
import { type Clock, systemClock } from './clock.js';
import { call } from './http.js';
import { parseEventToken } from './parse.js';

/** Renewed this long before it expires, so that a reconnect never meets a dead token. */
const MARGIN_MS = 60_000;

/**
 * A token source that asks `issue` only when the token at hand runs out or was refused (a machine that slept has lost
 * count of the time). `issue` gets the one that it replaces.
 */
export function renewing(
  issue: (previous: string | null) => Promise<EventToken>,
  clock: Clock = systemClock,
): (refused: boolean) => Promise<string> {
  let held: { token: string; until: number } | null = null;
  return async (refused) => {
    if (!refused && held !== null && clock.now() < held.until) return held.token;
    const { token, expires_in } = await issue(held?.token ?? null);
    held = { token, until: clock.now() + expires_in * 1000 - MARGIN_MS };
    return token;
  };
}

/** Tokens for a guest of a public event: no account, no cookie. The old token keeps the guest the same guest. */
export function guestTokens(
  url: string,
  event: string,
  clock: Clock = systemClock,
): (refused: boolean) => Promise<string> {
  const address = new URL(`/api/v1/events/${encodeURIComponent(event)}/guest`, url);
  return renewing((previous) => {
    const headers: HeadersInit = previous === null ? {} : { authorization: `Bearer ${previous}` };
    return call(new Request(address, { method: 'POST', credentials: 'omit', headers }), parseEventToken);
  }, clock);
}
