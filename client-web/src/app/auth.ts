import type { Access } from '../sdk/access.js';
import { randomText } from '../sdk/encoding.js';
import { VeilcastError } from '../sdk/errors.js';
import { call } from '../sdk/http.js';
import { parseJson, parseTokenResponse } from '../sdk/parse.js';
import { type Claims, createKey, prove } from '../sdk/proof.js';
import { createPkce, type Pkce } from './pkce.js';

const CLIENT_ID = 'veilcast-web';
const PENDING = 'veilcast-sign-in';
/** Renewed this long before it expires. */
const MARGIN_MS = 30_000;

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
/** What all tokens here are bound to. Like them, it lives in this page's memory alone. */
let key: Promise<CryptoKeyPair> | null = null;

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

/** The next who signs in here has nothing in common with the last. */
export function forgetOperator(): void {
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

/** To the sign-in page, whoever is signed in, and back. */
export async function signInAgain(): Promise<void> {
  await leaveForSignIn('account', '/sign-in');
}

async function proveHolding(claims: Claims): Promise<string> {
  key ??= createKey();
  return prove(await key, claims);
}

/** The token if there is a session at the issuer, else `null`; asks nothing of the person. */
async function quietToken(scope: Scope, refused: boolean): Promise<string | null> {
  const known = held.get(scope);
  if (!refused && known !== undefined && performance.now() < known.until) return known.token;
  const waiting = asking.get(scope);
  if (waiting !== undefined) return waiting;
  const answer = authorizeQuietly(scope).finally(() => {
    if (asking.get(scope) === answer) asking.delete(scope);
  });
  asking.set(scope, answer);
  return answer;
}

/** `/callback`: redeems the code. Returns where the person wanted to go. */
export async function completeSignIn(query: URLSearchParams): Promise<string> {
  const pending = takePending();
  // Somebody who has signed in and may not do this.
  if (query.get('error') === 'access_denied') throw VeilcastError.local('not-operator');
  const code = query.get('code');
  if (pending === null || code === null || query.get('state') !== pending.state) return '/studio';
  await redeem(code, pending.verifier, pending.scope);
  return pending.returnTo;
}

/** Signed in or not shows in where the issuer's redirect ends; no page is left and no broadcast cut. */
async function authorizeQuietly(scope: Scope): Promise<string | null> {
  const pkce = await createPkce();
  const state = randomText(256);
  const response = await fetch(authorizeAddress(pkce, state, scope), { credentials: 'same-origin' });
  const landed = new URL(response.url);
  if (landed.pathname === '/sign-in') return null;
  const ours = landed.pathname === '/callback' && landed.searchParams.get('state') === state;
  if (ours && landed.searchParams.get('error') === 'access_denied') throw VeilcastError.local('not-operator');
  const code = landed.searchParams.get('code');
  // Whatever else answers, such as a proxy while the server restarts, says nothing about the session.
  if (!ours || code === null) throw VeilcastError.local('unreachable');
  return redeem(code, pkce.verifier, scope);
}

/** To the sign-in page, and back to this one. */
export async function leaveForSignIn(scope: Scope, to = '/oauth/authorize'): Promise<void> {
  const pkce = await createPkce();
  const { verifier } = pkce;
  const pending: Pending = { verifier, state: randomText(256), returnTo: location.pathname, scope };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  location.assign(authorizeAddress(pkce, pending.state, scope, to));
}

function authorizeAddress(pkce: Pkce, state: string, scope: Scope, to = '/oauth/authorize'): URL {
  const address = new URL(to, location.origin);
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: redirectUri(),
    state,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    scope,
  }).toString();
  return address;
}

/** RFC 6749 section 4.1.3; the proof binds the token to our key (RFC 9449 section 5). */
async function redeem(code: string, verifier: string, scope: Scope): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: CLIENT_ID,
    redirect_uri: redirectUri(),
    code,
    code_verifier: verifier,
  });
  const whose = generation;
  const address = new URL('/oauth/token', location.origin);
  const request = new Request(address, { method: 'POST', body, credentials: 'same-origin' });
  const { access_token, expires_in } = await call(request, parseTokenResponse, { prove: proveHolding });
  if (whose !== generation) throw VeilcastError.local('signed-out');
  held.set(scope, { token: access_token, until: performance.now() + expires_in * 1000 - MARGIN_MS });
  return access_token;
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
