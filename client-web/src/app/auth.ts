import type { Access } from '../sdk/access.js';
import { randomText } from '../sdk/encoding.js';
import { VeilcastError } from '../sdk/errors.js';
import { call } from '../sdk/http.js';
import { keptReceipts } from '../sdk/kept-receipts.js';
import { forgetKey, heldKey, keptKey, renameKey, storedKey } from '../sdk/keys.js';
import { parseJson, parsePushedAuthorization, parseTokenResponse } from '../sdk/parse.js';
import { type Claims, type Prove, prove } from '../sdk/proof.js';
import { createPkce } from './pkce.js';

const CLIENT_ID = 'veilcast-web';
const PENDING = 'veilcast-sign-in';
/** What all tokens here are bound to, in every tab and after a reload. Nobody can copy it, not even these pages. */
const KEY = 'account';
/** The same while nobody is signed in: on the way there, or afterwards. */
const NEXT_KEY = 'next account';
/** One tab renews at a time: the cookie that it does so with is the browser's. */
const LOCK = 'veilcast-refresh';
/** Tells the other tabs that nobody is signed in any more. */
const CHANNEL = 'veilcast-account';
/** Renewed this long before it expires. */
const MARGIN_MS = 30_000;
/** A lost answer is asked for again while the server still gives the same one: ten seconds. */
const PAUSES_MS: readonly number[] = [300, 1_500];

/** What a page may do: an operator everything, everybody something about their own account. */
type Scope = 'admin' | 'account';

/** What has to survive the way to the issuer and back. The verifier is worth nothing without the code. */
interface Pending {
  scope: Scope;
  verifier: string;
  state: string;
  returnTo: string;
}

interface Held {
  token: string;
  until: number;
}

const held = new Map<Scope, Held>();
const asking = new Map<Scope, Promise<string | null>>();
/** The key that the tokens held here are bound to. */
let key: CryptoKeyPair | null = null;

/** The operator's access, who is led to the sign-in page if need be. */
export const operator: Access = leading('admin');

/** Anybody's access to their own account, led there alike. */
export const person: Access = leading('account');

/** The operator's for what happens without being asked for: it leaves no page. */
export const signedIn: Access = quiet('admin');

/** The same of anybody who has signed in here. */
export const member: Access = quiet('account');

function leading(scope: Scope): Access {
  return {
    async token(refused) {
      const token = await quietToken(scope, refused);
      if (token !== null) return token;
      await leaveForSignIn(scope);
      // The page is on its way out; nobody may act on a missing token.
      return new Promise(() => {});
    },
    prove: proveHolding,
  };
}

function quiet(scope: Scope): Access {
  return {
    async token(refused) {
      const token = await quietToken(scope, refused);
      if (token === null) throw VeilcastError.local('signed-out');
      return token;
    },
    prove: proveHolding,
  };
}

/** Counts who was signed in here: an answer for somebody who has left is nobody's. */
let generation = 0;

const others = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(CHANNEL);
if (others !== null) others.onmessage = forgetHere;

/** The next who signs in here has nothing in common with the last, in any tab. */
export async function forgetOperator(): Promise<void> {
  forgetHere();
  others?.postMessage('forget');
  keptReceipts()?.forgetAll();
  await Promise.all([forgetKey(KEY), forgetKey(NEXT_KEY)]);
}

function forgetHere(): void {
  generation += 1;
  held.clear();
  asking.clear();
  key = null;
}

/** The next tokens say that somebody was recognised again. The key stays: it is what that counts for. */
export async function forgetTokens(): Promise<void> {
  await Promise.allSettled(asking.values());
  held.clear();
}

async function proveHolding(claims: Claims): Promise<string> {
  key ??= await keyToSignIn();
  return prove(key, claims);
}

/** The key of whoever is signed in, else that of the next one. */
async function keyToSignIn(): Promise<CryptoKeyPair> {
  return (await ownKey()) ?? keptKey(NEXT_KEY);
}

async function ownKey(): Promise<CryptoKeyPair | null> {
  return (await storedKey(KEY)) ?? heldKey(KEY);
}

/** The token if somebody is signed in, else `null`; asks nothing of the person. */
async function quietToken(scope: Scope, refused: boolean): Promise<string | null> {
  const known = held.get(scope);
  if (!refused && known !== undefined && performance.now() < known.until) return known.token;
  const waiting = asking.get(scope);
  if (waiting !== undefined) return waiting;
  const answer = refresh(scope).finally(() => {
    if (asking.get(scope) === answer) asking.delete(scope);
  });
  asking.set(scope, answer);
  return answer;
}

/** `/callback`: redeems the code. Returns where the person wanted to go. */
export async function completeSignIn(query: URLSearchParams): Promise<string> {
  const pending = takePending();
  const error = query.get('error');
  // Somebody who has signed in and may not do this.
  if (error === 'access_denied') throw VeilcastError.local('not-operator');
  // Signing in took too long: the issuer knows who asks by now, and not what for.
  if (error === 'invalid_request_uri' && pending !== null) {
    await leaveForSignIn(pending.scope, pending.returnTo);
    return new Promise(() => {});
  }
  const code = query.get('code');
  if (pending === null || code === null || query.get('state') !== pending.state) return '/studio';
  await redeem(code, pending);
  return pending.returnTo;
}

/** What somebody needs there. */
export function scopeFor(path: string): Scope {
  return path.startsWith('/studio') ? 'admin' : 'account';
}

/** To the sign-in page, whoever is signed in, and back. */
export function signInAgain(): void {
  const address = new URL('/sign-in', location.origin);
  address.search = new URLSearchParams({ for: location.pathname }).toString();
  location.assign(address);
}

/** To the issuer, which asks who it is if need be, and back to this page or another one. */
export async function leaveForSignIn(scope: Scope, returnTo = location.pathname): Promise<void> {
  const { verifier, challenge } = await createPkce();
  const pending: Pending = { verifier, state: randomText(256), returnTo, scope };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  location.assign(await pushed(challenge, pending));
}

/**
 * RFC 9126: what is wanted goes to the server first, so that the address bar shows nothing of it. The proof makes the code one for our
 * key (RFC 9449 section 10.1); a browser that keeps no keys has another one when it comes back.
 */
async function pushed(challenge: string, { scope, state }: Pending): Promise<URL> {
  const body = {
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: redirectUri(),
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    scope,
  };
  await keyToSignIn();
  const lasting = (await storedKey(KEY)) ?? (await storedKey(NEXT_KEY));
  const request = post('/oauth/par', body);
  const holder = lasting === null ? undefined : { prove: (claims: Claims) => prove(lasting, claims) };
  const { request_uri } = await call(request, parsePushedAuthorization, holder);
  const address = new URL('/oauth/authorize', location.origin);
  address.search = new URLSearchParams({ client_id: CLIENT_ID, request_uri }).toString();
  return address;
}

/** RFC 6749 section 4.1.3; the proof binds the tokens to our key (RFC 9449 section 5). */
async function redeem(code: string, { verifier, scope }: Pending): Promise<string> {
  const body = {
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    redirect_uri: redirectUri(),
    code,
    code_verifier: verifier,
  };
  return alone(async () => {
    const token = await ask(scope, body, await keyToSignIn());
    await renameKey(NEXT_KEY, KEY);
    return token;
  });
}

/**
 * RFC 6749 section 6. The refresh token is in a cookie that no script reads. Without the key that it is bound to nothing is
 * asked: it would be taken for a copy.
 */
function refresh(scope: Scope): Promise<string | null> {
  const body = { grant_type: 'refresh_token', client_id: CLIENT_ID, scope };
  return alone(async () => {
    const own = await ownKey();
    if (own === null) return null;
    try {
      return await patiently(() => ask(scope, body, own));
    } catch (thrown) {
      const code = thrown instanceof VeilcastError ? thrown.code : null;
      if (code === 'sign-in-required') {
        // Another tab may be on its way to sign in with it.
        await renameKey(KEY, NEXT_KEY);
        return null;
      }
      if (code === 'scope-missing') throw VeilcastError.local('not-operator');
      throw thrown;
    }
  });
}

async function ask(scope: Scope, body: Record<string, string>, own: CryptoKeyPair): Promise<string> {
  const whose = generation;
  const proving: Prove = (claims) => prove(own, claims);
  const { access_token, expires_in } = await call(post('/oauth/token', body), parseTokenResponse, {
    prove: proving,
  });
  if (whose !== generation) throw VeilcastError.local('signed-out');
  key = own;
  held.set(scope, { token: access_token, until: performance.now() + expires_in * 1000 - MARGIN_MS });
  return access_token;
}

function alone<T>(work: () => Promise<T>): Promise<T> {
  // Not everywhere; the server bears two tabs at once for ten seconds.
  const locks: LockManager | undefined = globalThis.navigator?.locks;
  return locks === undefined ? work() : locks.request(LOCK, work);
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof VeilcastError) || thrown.code !== 'unreachable') throw thrown;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return work();
}

function post(path: string, body: Record<string, string>): Request {
  const address = new URL(path, location.origin);
  return new Request(address, {
    method: 'POST',
    body: new URLSearchParams(body),
    credentials: 'same-origin',
  });
}

function redirectUri(): string {
  return `${location.origin}/callback`;
}

function takePending(): Pending | null {
  const text = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  if (text === null) return null;
  const { verifier, state, returnTo, scope } = parseJson(text);
  if (scope !== 'admin' && scope !== 'account') return null;
  if (typeof verifier !== 'string' || typeof state !== 'string' || typeof returnTo !== 'string') return null;
  // Only a path of this origin: `//host` would be another one.
  return /^\/(?!\/)/.test(returnTo) ? { verifier, state, returnTo, scope } : null;
}
