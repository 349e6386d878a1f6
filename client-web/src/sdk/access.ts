import type { EventToken } from '../protocol/index.js';
import { type Clock, systemClock } from './clock.js';
import { VeilcastError } from './errors.js';
import { call } from './http.js';
import { forgetKey, keptKey } from './keys.js';
import { parseEventToken } from './parse.js';
import { type Claims, createKey, type Prove, prove } from './proof.js';

/** How a page shows that it may come in: tokens that are bound to a key, and proofs that it holds the key. */
export interface Access {
  /** A token that is good for a while yet; `refused` says that the last one was not taken. */
  token(refused: boolean): Promise<string>;
  /** A DPoP proof (RFC 9449) with the key that the token is bound to. */
  prove(claims: Claims): Promise<string>;
  /** The event is over, and nothing of this need be kept. */
  ended?(): void;
}

/**
 * A token source that asks `issue` only when half of a token's life is over or it was refused (a machine that slept has
 * lost count of the time). Half, so that whoever renews at two thirds always gets a fresh one. Who asks meanwhile waits
 * for the same answer.
 */
export function renewing(
  issue: () => Promise<EventToken>,
  clock: Clock = systemClock,
): (refused: boolean) => Promise<string> {
  let held: { token: string; until: number } | null = null;
  let asking: Promise<string> | null = null;
  const ask = async (): Promise<string> => {
    const { token, expires_in } = await issue();
    held = { token, until: clock.now() + expires_in * 500 };
    return token;
  };
  return async (refused) => {
    if (!refused && held !== null && clock.now() < held.until) return held.token;
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
}

/**
 * Access with a key of its own: `issue` asks for a token that is bound to it, with a proof in the request's `DPoP`
 * header. The key is made when it is first needed.
 */
export function boundAccess(
  issue: (prove: Prove) => Promise<EventToken>,
  key: () => Promise<CryptoKeyPair> = createKey,
  clock: Clock = systemClock,
): Access {
  let made: Promise<CryptoKeyPair> | null = null;
  const proving: Prove = async (claims) => {
    made ??= key();
    return prove(await made, claims);
  };
  return { token: renewing(() => issue(proving), clock), prove: proving };
}

/** One key for each event, while the page is open: whoever tries again is the same guest, and another page is another. */
const guests = new Map<string, Promise<CryptoKeyPair>>();

/** For a guest of a public event: no account, no cookie, nothing that outlives the page. */
export function guestAccess(url: string, event: string, clock: Clock = systemClock): Access {
  const address = eventAddress(url, event, 'guest');
  const key = (): Promise<CryptoKeyPair> => {
    const made = guests.get(address.href) ?? createKey();
    guests.set(address.href, made);
    return made;
  };
  const request = (): Request => new Request(address, { method: 'POST', credentials: 'omit' });
  return boundAccess((prove) => call(request(), parseEventToken, { prove }), key, clock);
}

/**
 * For whoever was invited, with the code of the invitation. The first use binds it to this browser's key for the event, which
 * stays until the event is over, so that a reload gets in again. Invitations to watch and to broadcast have keys of
 * their own.
 */
export function invitedAccess(
  url: string,
  event: string,
  invitation: string,
  purpose: 'watch' | 'broadcast' = 'watch',
  clock: Clock = systemClock,
): Access {
  const address = eventAddress(url, event, 'join');
  const name = `${purpose} ${address.origin} ${event}`;
  const request = (): Request =>
    new Request(address, {
      method: 'POST',
      credentials: 'omit',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ invitation }),
    });
  const access = boundAccess(
    (prove) => call(request(), parseEventToken, { prove }),
    () => keptKey(name),
    clock,
  );
  return { ...access, ended: () => void forgetKey(name) };
}

/**
 * For the page of a program's own person, in whatever site: `grant` asks that site's back end for the code of a grant, which the
 * first use binds to this page's key. It is asked again only when the code is not good any more.
 */
export function grantedAccess(
  url: string,
  event: string,
  grant: () => Promise<string>,
  clock: Clock = systemClock,
): Access {
  const address = eventAddress(url, event, 'join');
  let code: string | null = null;
  const join = (invitation: string, prove: Prove): Promise<EventToken> => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ invitation });
    const request = new Request(address, { method: 'POST', credentials: 'omit', headers, body });
    return call(request, parseEventToken, { prove });
  };
  const issue = async (prove: Prove): Promise<EventToken> => {
    const held = code;
    code ??= await grant();
    try {
      return await join(code, prove);
    } catch (thrown) {
      if (held === null || !isSpent(thrown)) throw thrown;
      // Withdrawn or past its time: whether there is another is for the site to say.
      code = await grant();
      return join(code, prove);
    }
  };
  return boundAccess(issue, createKey, clock);
}

function isSpent(thrown: unknown): boolean {
  return thrown instanceof VeilcastError && thrown.code === 'invitation-invalid';
}

function eventAddress(url: string, event: string, verb: 'guest' | 'join'): URL {
  return new URL(`/api/v1/events/${encodeURIComponent(event)}/${verb}`, url);
}
