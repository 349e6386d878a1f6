import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '../src/app/api.js';
import { completeSignIn, forgetOperator, leaveForSignIn, member, signedIn } from '../src/app/auth.js';
import { hashed } from '../src/sdk/encoding.js';
import { keptKey, storedKey } from '../src/sdk/keys.js';
import { FakeIndexedDb } from './fake-indexeddb.js';
import { fault } from './fakes.js';
import { verified } from './proofs.js';

const ORIGIN = 'https://live.example';

/** Requests with a proof, in order, and what they are answered. */
let asked: { request: Request; body: string }[];
let answers: Response[];
/** Where the page went, and what it left behind for its tab. */
let left: URL[];
let tab: Map<string, string>;

beforeEach(async () => {
  vi.stubGlobal('indexedDB', new FakeIndexedDb());
  await forgetOperator();
  [asked, answers, left, tab] = [[], [], [], new Map()];
  const assign = (address: URL): number => left.push(address);
  vi.stubGlobal('location', { origin: ORIGIN, pathname: '/studio/e', assign });
  vi.stubGlobal('sessionStorage', {
    getItem: (name: string) => tab.get(name) ?? null,
    setItem: (name: string, value: string) => tab.set(name, value),
    removeItem: (name: string) => tab.delete(name),
  });
  vi.stubGlobal('fetch', async (request: Request) => {
    if (!request.headers.has('dpop')) return Response.json({ ready: true });
    asked.push({ request, body: await request.text() });
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError('no more answers');
    return answer;
  });
  // Somebody who has signed in here.
  await keptKey('account');
});

afterEach(() => vi.unstubAllGlobals());

const granted = (access_token: string) =>
  Response.json({ access_token, token_type: 'DPoP', expires_in: 300, scope: 'admin' });
const refusal = (error: string, code: string) => {
  const { type, title, remedy } = fault('sign-in-required', 400);
  return Response.json({ error, type, code, title, remedy, status: 400 }, { status: 400 });
};
const proofs = () => Promise.all(asked.map(({ request }) => verified(request.headers.get('dpop'))));
const forms = () => asked.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

describe('somebody who has signed in', () => {
  it('renews by a cookie, and each scope has a token of its own', async () => {
    answers = [granted('account'), granted('admin')];
    expect(await member.token(false)).toBe('account');
    expect(await signedIn.token(false)).toBe('admin');
    expect(await member.token(false)).toBe('account');
    const renewal = { grant_type: 'refresh_token', client_id: 'veilcast-web' };
    expect(forms()).toEqual([
      { ...renewal, scope: 'account' },
      { ...renewal, scope: 'admin' },
    ]);
    expect(asked.map(({ request }) => request.credentials)).toEqual(['same-origin', 'same-origin']);
  });

  it('has the same key after a reload, and asks nothing without one', async () => {
    answers = [granted('admin')];
    await signedIn.token(false);
    vi.resetModules();
    const reloaded = await import('../src/app/auth.js');
    answers = [granted('admin')];
    await reloaded.signedIn.token(false);
    const [before, after] = await proofs();
    expect(after?.header.jwk).toEqual(before?.header.jwk);
    await forgetOperator();
    await expect(signedIn.token(false)).rejects.toMatchObject({ code: 'signed-out', fatal: true });
    expect(asked).toHaveLength(2);
    expect(await storedKey('account')).toBeNull();
  });

  it('is told when it may not administer, and sent round in no circle', async () => {
    answers = [refusal('invalid_scope', 'scope-missing')];
    await expect(signedIn.token(false)).rejects.toMatchObject({ code: 'not-operator' });
    const answer = new URLSearchParams({ error: 'access_denied' });
    await expect(completeSignIn(answer)).rejects.toMatchObject({ code: 'not-operator' });
    expect(left).toEqual([]);
  });

  it('is asked for one tab at a time', async () => {
    const names: string[] = [];
    let before: Promise<unknown> = Promise.resolve();
    const request = (name: string, work: () => Promise<unknown>) => {
      names.push(name);
      before = before.then(work);
      return before;
    };
    vi.stubGlobal('navigator', { locks: { request } });
    answers = [granted('one'), granted('two')];
    expect(await Promise.all([member.token(false), signedIn.token(false)])).toEqual(['one', 'two']);
    expect(names).toEqual(['veilcast-refresh', 'veilcast-refresh']);
  });
});

describe('the way to sign in', () => {
  const pushed = () => Response.json({ request_uri: 'urn:x', expires_in: 60 }, { status: 201 });

  it('shows nothing in the address bar, and comes back with a code for this key', async () => {
    answers = [pushed(), granted('admin')];
    await leaveForSignIn('admin');
    expect(left.map(({ href }) => href)).toEqual([
      `${ORIGIN}/oauth/authorize?client_id=veilcast-web&request_uri=urn%3Ax`,
    ]);
    const [wanted] = forms();
    expect(wanted).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', scope: 'admin' });
    const back = new URLSearchParams({ code: 'CODE', state: wanted?.state ?? '' });
    expect(await completeSignIn(back)).toBe('/studio/e');
    const [, exchange] = forms();
    expect(await hashed(exchange?.code_verifier ?? '')).toBe(wanted?.code_challenge);
    expect(exchange).toMatchObject({ grant_type: 'authorization_code', code: 'CODE' });
    const [first, second] = await proofs();
    expect(first?.claims).toMatchObject({ htm: 'POST', htu: `${ORIGIN}/oauth/par` });
    expect(second?.header.jwk).toEqual(first?.header.jwk);
    expect(await signedIn.token(false)).toBe('admin');
  });

  it('is asked about once: neither a way that was not gone to its end nor an ended session is, again and again', async () => {
    await forgetOperator();
    answers = [pushed()];
    await leaveForSignIn('account');
    await expect(member.token(false)).rejects.toMatchObject({ code: 'signed-out' });
    expect(asked).toHaveLength(1);
    answers = [granted('account'), refusal('invalid_grant', 'sign-in-required')];
    await completeSignIn(new URLSearchParams({ code: 'CODE', state: forms()[0]?.state ?? '' }));
    await expect(member.token(true)).rejects.toMatchObject({ code: 'signed-out' });
    await expect(member.token(true)).rejects.toMatchObject({ code: 'signed-out' });
    expect(asked).toHaveLength(3);
    const [first, , last] = await proofs();
    expect(last?.header.jwk).toEqual(first?.header.jwk);
  });

  it('takes no answer that it has not asked for', async () => {
    answers = [pushed()];
    await leaveForSignIn('admin', '/account');
    expect(await completeSignIn(new URLSearchParams({ code: 'CODE', state: 'another' }))).toBe('/studio');
    expect(asked).toHaveLength(1);
  });

  it('begins again when signing in took too long', async () => {
    answers = [pushed(), pushed()];
    await leaveForSignIn('account', '/watch/e');
    void completeSignIn(new URLSearchParams({ error: 'invalid_request_uri' }));
    await vi.waitFor(() => expect(left).toHaveLength(2));
    expect(forms().map(({ scope }) => scope)).toEqual(['account', 'account']);
    expect(JSON.parse(tab.get('veilcast-sign-in') ?? '')).toMatchObject({ returnTo: '/watch/e' });
  });
});

describe('an operator', () => {
  it('has a token that is bound to a key, and proves both with every call', async () => {
    answers = [granted('admin'), Response.json({ events: [] }), Response.json({ events: [] })];
    await api.events();
    await api.events();
    expect(asked.map(({ request }) => request.url)).toEqual([
      `${ORIGIN}/oauth/token`,
      `${ORIGIN}/api/v1/events`,
      `${ORIGIN}/api/v1/events`,
    ]);
    expect(asked.map(({ request }) => request.headers.get('authorization'))).toEqual([
      null,
      'DPoP admin',
      'DPoP admin',
    ]);
    const [token, first, second] = await proofs();
    expect(token?.claims).toMatchObject({ htm: 'POST', htu: `${ORIGIN}/oauth/token` });
    expect(token?.claims).not.toHaveProperty('ath');
    expect(first?.claims).toMatchObject({ htm: 'GET', ath: await hashed('admin') });
    expect([first?.header.jwk, second?.header.jwk]).toEqual(Array(2).fill(token?.header.jwk));
  });

  it('asks once more when the token endpoint wants a nonce', async () => {
    const nonce = { status: 400, headers: { 'dpop-nonce': 'n' } };
    answers = [Response.json({ error: 'use_dpop_nonce' }, nonce), granted('admin')];
    expect(await signedIn.token(false)).toBe('admin');
    expect((await proofs()).map(({ claims }) => claims.nonce)).toEqual([undefined, 'n']);
  });

  it('has another key after signing out', async () => {
    answers = [granted('one'), granted('two')];
    await signedIn.token(false);
    await forgetOperator();
    await keptKey('account');
    await signedIn.token(false);
    const [before, after] = await proofs();
    expect(after?.header.jwk.x).not.toBe(before?.header.jwk.x);
  });

  it('is told when the session is over, and not when a proxy stands in', async () => {
    const proxy = () => new Response('<p>busy</p>', { status: 502 });
    answers = [proxy(), proxy(), proxy()];
    await expect(signedIn.token(false)).rejects.toMatchObject({ code: 'unreachable', fatal: false });
    answers = [proxy(), granted('admin')];
    expect(await signedIn.token(false)).toBe('admin');
    answers = [refusal('invalid_grant', 'sign-in-required')];
    await expect(signedIn.token(true)).rejects.toMatchObject({ code: 'signed-out', fatal: true });
  });

  it('makes invitations, sees them and takes them back', async () => {
    const made = { id: 'i/1', code: 'CODE', expires_in: 3_600 };
    const seen = { id: 'i/1', role: 'viewer', expires_in: 3_000, used: true };
    answers = [
      granted('admin'),
      Response.json(made, { status: 201 }),
      Response.json({ invitations: [seen] }),
      new Response(null, { status: 204 }),
    ];
    expect(await api.invite('e', { role: 'viewer', expires_in: 3_600 })).toEqual(made);
    expect(await api.invitations('e')).toEqual([seen]);
    await api.revokeInvitation('e', 'i/1');
    const path = `${ORIGIN}/api/v1/events/e/invitations`;
    expect(asked.slice(1).map(({ request }) => `${request.method} ${request.url}`)).toEqual([
      `POST ${path}`,
      `GET ${path}`,
      `DELETE ${path}/i%2F1`,
    ]);
    expect(JSON.parse(asked[1]?.body ?? '')).toEqual({ role: 'viewer', expires_in: 3_600 });
  });

  it('makes stream keys, sees them and takes them back', async () => {
    const made = { id: 'k/1', key: 'vk_KEY', expires_in: 86_400 };
    const seen = { id: 'k/1', expires_in: 86_000, idle: false, used_minutes_ago: 3 };
    answers = [
      granted('admin'),
      Response.json(made, { status: 201 }),
      Response.json({ stream_keys: [seen] }),
      new Response(null, { status: 204 }),
    ];
    expect(await api.makeStreamKey('e', { expires_in: 86_400 })).toEqual(made);
    expect(await api.streamKeys('e')).toEqual([seen]);
    await api.revokeStreamKey('e', 'k/1');
    const path = `${ORIGIN}/api/v1/events/e/stream-keys`;
    expect(asked.slice(1).map(({ request }) => `${request.method} ${request.url}`)).toEqual([
      `POST ${path}`,
      `GET ${path}`,
      `DELETE ${path}/k%2F1`,
    ]);
    expect(JSON.parse(asked[1]?.body ?? '')).toEqual({ expires_in: 86_400 });
  });

  it('gets a fresh token where the old one is not taken, once', async () => {
    const refused = () => Response.json(fault('token-expired', 401), { status: 401 });
    answers = [granted('one'), refused(), granted('two'), refused()];
    await expect(api.events()).rejects.toMatchObject({ code: 'token-expired' });
    expect(asked.map(({ request }) => request.headers.get('authorization'))).toEqual([
      null,
      'DPoP one',
      null,
      'DPoP two',
    ]);
  });
});
