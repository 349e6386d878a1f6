import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Access, grantedAccess, guestAccess, invitedAccess } from '../src/sdk/access.js';
import { hashed } from '../src/sdk/encoding.js';
import { call, callWith } from '../src/sdk/http.js';
import { forgetOldKeys, keptKey } from '../src/sdk/keys.js';
import { createKey, prove } from '../src/sdk/proof.js';
import { FakeIndexedDb } from './fake-indexeddb.js';
import { FakeClock, fault, settle } from './fakes.js';
import { verified } from './proofs.js';

const DAY_MS = 24 * 3_600_000;

let events = 0;
let event = '';
let storage: FakeIndexedDb;

beforeEach(() => {
  // A page has one key for an event; each test is a page of its own.
  events += 1;
  event = `event${events}`;
  open.mockReset().mockImplementation(async () => Response.json({ ready: true }));
  storage = new FakeIndexedDb();
  vi.stubGlobal('indexedDB', storage);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A server with these answers, one for each request with a proof; what it was asked. Others hear `open`. */
function server(...answers: Response[]): { request: Request; body: string }[] {
  const asked: { request: Request; body: string }[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    if (!request.headers.has('dpop')) return open(request);
    asked.push({ request, body: await request.text() });
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError('no more answers');
    return answer;
  });
  return asked;
}

const open = vi.fn<(request: Request) => Promise<Response>>();

const pass = (token: string, headers: HeadersInit = {}) =>
  Response.json({ token, expires_in: 300 }, { headers });
const refusal = (code: Parameters<typeof fault>[0], status: number, headers: HeadersInit = {}) =>
  Response.json(fault(code, status), { status, headers });
const proofOf = ({ request }: { request: Request }) => verified(request.headers.get('dpop'));
const keysOf = async (asked: { request: Request }[]) =>
  (await Promise.all(asked.map(proofOf))).map(({ header }) => header.jwk.x);

describe('a proof', () => {
  it('says all that it is about, and nothing of the private key', async () => {
    const key = await createKey();
    expect(key.privateKey.extractable).toBe(false);
    const fingerprint = 'sha-256 AB:CD';
    const about = { method: 'POST', url: 'https://live.example/whip/e', token: 't', nonce: 'n', fingerprint };
    const { header, claims } = await verified(await prove(key, about));
    expect(header).toEqual({ typ: 'dpop+jwt', alg: 'ES256', jwk: expect.anything() });
    expect(Object.keys(header.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
    expect(claims).toEqual({
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      htm: 'POST',
      htu: 'https://live.example/whip/e',
      iat: expect.closeTo(Date.now() / 1000, -2),
      nonce: 'n',
      ath: await hashed('t'),
      dtls_fingerprint: fingerprint,
    });
  });

  it('is a new one every time, and says nothing where there is nothing to say', async () => {
    const key = await createKey();
    const about = { method: 'GET', url: 'https://live.example/ws' };
    const [one, two] = [await verified(await prove(key, about)), await verified(await prove(key, about))];
    expect(one.claims.jti).not.toBe(two.claims.jti);
    expect(Object.keys(one.claims).sort()).toEqual(['htm', 'htu', 'iat', 'jti']);
    expect(one.header.jwk).toEqual(two.header.jwk);
  });

  it('cannot be made where there is no cryptography, and says so', async () => {
    vi.stubGlobal('crypto', {});
    await expect(createKey()).rejects.toMatchObject({ code: 'unsupported', fatal: true });
  });
});

describe('calls', () => {
  const access = (): Access => guestAccess('https://calls.example', event, new FakeClock());

  it('ask again with the nonce of the answer, once, and keep it for the next', async () => {
    const first = refusal('proof-nonce', 401, { 'dpop-nonce': 'one' });
    const asked = server(first, pass('t', { 'dpop-nonce': 'two' }), Response.json({ ok: true }));
    const me = access();
    expect(await me.token(false)).toBe('t');
    await callWith(me, new Request('https://calls.example/api/v1/x?y=1#z'), () => null);
    const proofs = await Promise.all(asked.map(proofOf));
    expect(proofs.map(({ claims }) => claims.nonce)).toEqual([undefined, 'one', 'two']);
    expect(new Set(proofs.map(({ claims }) => claims.jti)).size).toBe(3);
    expect(asked.map(({ request }) => request.headers.get('authorization'))).toEqual([null, null, 'DPoP t']);
    expect(proofs[2]?.claims).toMatchObject({
      htm: 'GET',
      htu: 'https://calls.example/api/v1/x',
      ath: await hashed('t'),
    });
  });

  it('ask for a nonce before they prove anything, and again when it may be old', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const given = (nonce: string) => async () =>
      Response.json({ ready: true }, { headers: { 'dpop-nonce': nonce } });
    open.mockImplementationOnce(given('early')).mockImplementationOnce(given('later'));
    const asked = server(pass('a'), pass('b'), pass('c'));
    const from = (name: string) => guestAccess('https://nonces.example', `${event}-${name}`).token(false);
    await from('a');
    vi.advanceTimersByTime(49_000);
    await from('b');
    vi.advanceTimersByTime(2_000);
    await from('c');
    const proofs = await Promise.all(asked.map(proofOf));
    expect(proofs.map(({ claims }) => claims.nonce)).toEqual(['early', 'early', 'later']);
    expect(open.mock.calls.map(([request]) => [request.url, request.credentials])).toEqual(
      Array(2).fill(['https://nonces.example/api/v1/instance', 'omit']),
    );
  });

  it('wait for what the page asks anyway, and use the nonce of that answer', async () => {
    let answer: (response: Response) => void = () => {};
    open.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    const asked = server(pass('t'));
    const shown = call(new Request('https://shown.example/api/v1/events/e'), () => 'shown');
    const token = guestAccess('https://shown.example', event).token(false);
    await settle();
    expect(asked).toHaveLength(0);
    answer(Response.json({}, { headers: { 'dpop-nonce': 'by the way' } }));
    expect(await shown).toBe('shown');
    expect(await token).toBe('t');
    expect((await Promise.all(asked.map(proofOf))).map(({ claims }) => claims.nonce)).toEqual(['by the way']);
    expect(open).toHaveBeenCalledOnce();
  });

  it('keep the nonces of servers apart', async () => {
    const asked = server(pass('t', { 'dpop-nonce': 'here' }), pass('t'), pass('t'));
    await guestAccess('https://here.example', event, new FakeClock()).token(false);
    await guestAccess('https://there.example', event, new FakeClock()).token(false);
    await guestAccess('https://here.example', `${event}-b`, new FakeClock()).token(false);
    const proofs = await Promise.all(asked.map(proofOf));
    expect(proofs.map(({ claims }) => claims.nonce)).toEqual([undefined, undefined, 'here']);
  });

  it('understand the words of the token endpoint, and send the body again', async () => {
    const words = { error: 'use_dpop_nonce', error_description: 'Use the nonce.' };
    const asked = server(Response.json(words, { status: 400, headers: { 'dpop-nonce': 'one' } }), pass('t'));
    await invitedAccess('https://words.example', event, 'CODE').token(false);
    expect(asked.map(({ body }) => body)).toEqual(Array(2).fill('{"invitation":"CODE"}'));
  });

  it('give up when the nonce of the answer is not taken either', async () => {
    const old = () => refusal('proof-nonce', 401, { 'dpop-nonce': 'old' });
    const asked = server(old(), old(), pass('too late'));
    await expect(access().token(false)).rejects.toMatchObject({ code: 'proof-nonce', fatal: false });
    expect(asked).toHaveLength(2);
  });

  it('fetch a token that ran out on the way anew, once', async () => {
    const expired = () => refusal('token-expired', 401);
    const asked = server(pass('one'), expired(), pass('two'), expired(), pass('three'));
    const me = access();
    const asking = callWith(me, new Request('https://calls.example/api/v1/x'), () => null);
    await expect(asking).rejects.toMatchObject({ code: 'token-expired' });
    expect(asked.map(({ request }) => request.headers.get('authorization'))).toEqual([
      null,
      'DPoP one',
      null,
      'DPoP two',
    ]);
  });
});

describe('guests', () => {
  const guest = (clock = new FakeClock()) => guestAccess('https://live.example', event, clock);

  it('ask once, and again with the same key when half of the pass is over', async () => {
    const clock = new FakeClock();
    const asked = server(pass('one'), pass('two'));
    const { token } = guest(clock);
    expect(await token(false)).toBe('one');
    await clock.pass(149_000);
    expect(await token(false)).toBe('one');
    await clock.pass(2_000);
    expect(await token(false)).toBe('two');
    const address = `https://live.example/api/v1/events/${event}/guest`;
    expect(asked.map(({ request }) => request.url)).toEqual([address, address]);
    expect(asked[0]?.request.credentials).toBe('omit');
    expect(asked[0]?.body).toBe('');
    expect(asked[1]?.request.headers.get('authorization')).toBeNull();
    const [first, second] = await Promise.all(asked.map(proofOf));
    expect(first?.claims).toMatchObject({ htm: 'POST', htu: address });
    expect(second?.header.jwk).toEqual(first?.header.jwk);
  });

  it('are the same guest when they try again, and nobody known at another event', async () => {
    const asked = server(pass('a'), pass('b'), pass('c'));
    await guest().token(false);
    await guest().token(false);
    await guestAccess('https://live.example', `${event}-b`).token(false);
    const [first, again, elsewhere] = await keysOf(asked);
    expect(again).toBe(first);
    expect(elsewhere).not.toBe(first);
    expect(storage.databases.size).toBe(0);
  });

  it('ask anew for a pass that was refused before its time', async () => {
    server(pass('one'), pass('two'));
    const { token } = guest();
    expect(await token(false)).toBe('one');
    expect(await token(true)).toBe('two');
  });

  it('ask once for all who wait', async () => {
    const asked = server(pass('one'), pass('two'));
    const { token } = guest();
    expect(await Promise.all([token(false), token(false), token(true)])).toEqual(['one', 'one', 'one']);
    expect(asked).toHaveLength(1);
  });

  it('hear the server’s refusal in its own words', async () => {
    server(refusal('event-private', 403));
    await expect(guest().token(false)).rejects.toMatchObject({
      code: 'event-private',
      remedy: 'What to do.',
      fatal: true,
    });
  });

  it('take a proxy’s error page for an unreachable server', async () => {
    server(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await expect(guest().token(false)).rejects.toMatchObject({ code: 'unreachable', fatal: false });
  });
});

describe('people of somebody else’s site', () => {
  const codes = (...list: string[]) => vi.fn(async () => list.shift() ?? 'no more');
  const granted = (grant: () => Promise<string>) =>
    grantedAccess('https://live.example', event, grant, new FakeClock());

  it('get one grant and come again with it and the same key', async () => {
    const asked = server(pass('one'), pass('two'));
    const grant = codes('A', 'B');
    const me = granted(grant);
    expect([await me.token(false), await me.token(true)]).toEqual(['one', 'two']);
    expect(grant).toHaveBeenCalledTimes(1);
    expect(asked.map(({ body }) => body)).toEqual(Array(2).fill('{"invitation":"A"}'));
    expect(new Set(await keysOf(asked)).size).toBe(1);
    expect(storage.databases.get('veilcast')?.size ?? 0).toBe(0);
  });

  it('ask for another when theirs is over, once', async () => {
    const over = () => refusal('invitation-invalid', 403);
    const asked = server(pass('one'), over(), pass('two'), over(), over());
    const grant = codes('A', 'B', 'C');
    const me = granted(grant);
    await me.token(false);
    expect(await me.token(true)).toBe('two');
    await expect(me.token(true)).rejects.toMatchObject({ code: 'invitation-invalid' });
    expect(asked.map(({ body }) => JSON.parse(body).invitation)).toEqual(['A', 'A', 'B', 'B', 'C']);
  });

  it('hear what their own site says', async () => {
    const grant = vi.fn(async () => Promise.reject(new Error('not enrolled')));
    await expect(granted(grant).token(false)).rejects.toThrow('not enrolled');
  });

  it.each(['invitation-used', 'invitation-invalid'] as const)('do not insist after %s', async (code) => {
    const asked = server(refusal(code, 403));
    const grant = codes('A', 'B');
    await expect(granted(grant).token(false)).rejects.toMatchObject({ code });
    expect([asked.length, grant.mock.calls.length]).toEqual([1, 1]);
  });
});

describe('invited people', () => {
  const invited = (purpose?: 'watch' | 'broadcast') =>
    invitedAccess('https://live.example', event, 'CODE', purpose, new FakeClock());

  it('show the code and a key, the same after a reload', async () => {
    const asked = server(pass('one'), pass('two'));
    await invited().token(false);
    await invited().token(false);
    expect(asked[0]?.request.url).toBe(`https://live.example/api/v1/events/${event}/join`);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ invitation: 'CODE' });
    expect(asked[0]?.request.headers.get('content-type')).toBe('application/json');
    const [first, reloaded] = await keysOf(asked);
    expect(reloaded).toBe(first);
  });

  it('have a key for each purpose and event', async () => {
    const asked = server(pass('a'), pass('b'), pass('c'));
    await invited('watch').token(false);
    await invited('broadcast').token(false);
    await invitedAccess('https://live.example', `${event}-b`, 'CODE').token(false);
    expect(new Set(await keysOf(asked)).size).toBe(3);
  });

  it('leave no key when the event is over', async () => {
    const asked = server(pass('a'), pass('b'));
    const me = invited();
    await me.token(false);
    expect(storage.databases.get('veilcast')?.size).toBe(1);
    me.ended?.();
    await settle();
    expect(storage.databases.get('veilcast')?.size).toBe(0);
    await invited().token(false);
    const [before, after] = await keysOf(asked);
    expect(after).not.toBe(before);
  });

  it('get in for as long as the page is open where nothing is kept', async () => {
    storage.closed = true;
    const asked = server(pass('a'), pass('b'));
    await invited().token(false);
    await invited().token(false);
    const [first, again] = await keysOf(asked);
    expect(again).toBe(first);
  });

  it.each(['invitation-used', 'invitation-invalid'] as const)(
    'are told of %s once and for all',
    async (code) => {
      server(refusal(code, 403));
      await expect(invited().token(false)).rejects.toMatchObject({
        code,
        title: 'What happened.',
        fatal: true,
      });
    },
  );
});

describe('kept keys', () => {
  const same = async (one: CryptoKeyPair, two: CryptoKeyPair) => {
    const [a, b] = await Promise.all([one, two].map((key) => crypto.subtle.exportKey('jwk', key.publicKey)));
    return a?.x === b?.x;
  };

  it('are one key for two pages that open at once, and cannot be taken away', async () => {
    const [one, two] = await Promise.all([keptKey('n'), keptKey('n')]);
    expect(await same(one, two)).toBe(true);
    await expect(crypto.subtle.exportKey('jwk', one.privateKey)).rejects.toThrow();
  });

  it('go after thirty-one days', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const first = await keptKey('n');
    vi.setSystemTime(Date.now() + 30 * DAY_MS);
    expect(await same(first, await keptKey('n'))).toBe(true);
    vi.setSystemTime(Date.now() + 2 * DAY_MS);
    await keptKey('other');
    expect([...(storage.databases.get('veilcast')?.keys() ?? [])]).toEqual(['other']);
    vi.setSystemTime(Date.now() + 32 * DAY_MS);
    await forgetOldKeys();
    expect(storage.databases.get('veilcast')?.size).toBe(0);
  });

  it('leave nothing in a browser that never had one', async () => {
    await forgetOldKeys();
    expect(storage.databases.size).toBe(0);
  });
});
