import type { Access } from './access.js';
import { systemClock } from './clock.js';
import { VeilcastError } from './errors.js';
import { parseFault, parseJson } from './parse.js';
import type { Prove } from './proof.js';

/** Shows that a request comes from whoever holds a key, and the token that is bound to it. */
export interface Holder {
  prove: Prove;
  token?: string;
}

interface Answer {
  ok: boolean;
  status: number;
  text: string;
  nonce: string | null;
}

/** A nonce is good for a minute at least; one that may be older is not tried, as being refused costs as much as asking. */
const FRESH_MS = 50_000;

/** The last nonce of each server. Anybody may know one; it says when a proof was made. */
const nonces = new Map<string, { nonce: string; at: number }>();

/** What each server was asked last without a proof: its answer brings a nonce. */
const asked = new Map<string, Promise<unknown>>();

/** A REST call: the parsed body, or a `VeilcastError` in the server's own words. */
export async function call<T>(request: Request, parse: (value: unknown) => T, holder?: Holder): Promise<T> {
  const { ok, text } = await (holder === undefined ? ask(request) : sendProved(request, holder));
  if (!ok) throw refusal(text);
  try {
    return parse(text === '' ? null : parseJson(text));
  } catch {
    throw VeilcastError.local('answer-unusable');
  }
}

/** A call with a bound token. One that ran out between its check here and its use there is fetched anew, once. */
export async function callWith<T>(
  access: Access,
  request: Request,
  parse: (value: unknown) => T,
): Promise<T> {
  const attempt = async (refused: boolean): Promise<T> => {
    const token = await access.token(refused);
    return call(request, parse, { prove: (claims) => access.prove(claims), token });
  };
  try {
    return await attempt(false);
  } catch (thrown) {
    if (!(thrown instanceof VeilcastError) || !STALE.has(thrown.code)) throw thrown;
    return attempt(true);
  }
}

/** Refusals that another token may mend. */
const STALE: ReadonlySet<string> = new Set(['token-expired', 'token-invalid']);

function ask(request: Request): Promise<Answer> {
  const { origin } = new URL(request.url);
  const answer = send(request);
  const done: Promise<unknown> = answer
    .catch(() => {})
    .then(() => {
      if (asked.get(origin) === done) asked.delete(origin);
    });
  asked.set(origin, done);
  return answer;
}

async function send(request: Request): Promise<Answer> {
  try {
    const response = await fetch(request);
    const { ok, status, headers } = response;
    const nonce = headers.get('dpop-nonce');
    if (nonce !== null) nonces.set(new URL(request.url).origin, { nonce, at: systemClock.now() });
    return { ok, status, text: await response.text(), nonce };
  } catch {
    throw VeilcastError.local('unreachable');
  }
}

/** RFC 9449 section 8: whose nonce is missing or old is told a new one, and sends the request again. */
async function sendProved(request: Request, { prove, token }: Holder): Promise<Answer> {
  const { origin, pathname } = new URL(request.url);
  const attempt = async (nonce: string | undefined): Promise<Answer> => {
    const proved = request.clone();
    const claims = { method: request.method, url: `${origin}${pathname}`, token, nonce };
    proved.headers.set('dpop', await prove(claims));
    if (token !== undefined) proved.headers.set('authorization', `DPoP ${token}`);
    return send(proved);
  };
  const first = await attempt(await nonceOf(origin));
  return first.nonce !== null && wantsNonce(first) ? attempt(first.nonce) : first;
}

/** Asked for where there is none: a refusal would do as well, but every page would begin with an error in its console. */
async function nonceOf(origin: string): Promise<string | undefined> {
  if (fresh(origin) === undefined) {
    const coming =
      asked.get(origin) ?? ask(new Request(`${origin}/api/v1/instance`, { credentials: 'omit' }));
    // Whatever is wrong shows in the request itself.
    await coming.catch(() => {});
  }
  return fresh(origin);
}

function fresh(origin: string): string | undefined {
  const last = nonces.get(origin);
  return last === undefined || systemClock.now() - last.at > FRESH_MS ? undefined : last.nonce;
}

/** `/oauth/token` answers as RFC 9449 section 8 has it, everything else with a fault. */
function wantsNonce({ status, text }: Answer): boolean {
  if (status !== 400 && status !== 401) return false;
  try {
    const { code, error } = parseJson(text);
    return code === 'proof-nonce' || error === 'use_dpop_nonce';
  } catch {
    return false;
  }
}

function refusal(text: string): VeilcastError {
  try {
    return VeilcastError.refused(parseFault(parseJson(text)));
  } catch {
    // A proxy in front of the server answered instead of it.
    return VeilcastError.local('unreachable');
  }
}
