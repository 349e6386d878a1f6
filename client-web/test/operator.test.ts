import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '../src/app/api.js';
import { completeSignIn, forgetOperator, member, signedIn } from '../src/app/auth.js';
import { hashed } from '../src/sdk/encoding.js';
import { fault } from './fakes.js';
import { verified } from './proofs.js';

const ORIGIN = 'https://live.example';

/** Where a request to be let in without a question ends. */
let landing: (asked: URL) => string;
/** Requests with a proof, in order, and what they are answered. */
let asked: { request: Request; body: string }[];
let answers: Response[];

beforeEach(() => {
  forgetOperator();
  [asked, answers] = [[], []];
  landing = (address) => `${ORIGIN}/callback?code=CODE&state=${address.searchParams.get('state')}`;
  vi.stubGlobal('location', { origin: ORIGIN });
  vi.stubGlobal('fetch', async (request: Request | URL) => {
    if (request instanceof URL) return { url: landing(request) };
    if (!request.headers.has('dpop')) return Response.json({ ready: true });
    asked.push({ request, body: await request.text() });
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError('no more answers');
    return answer;
  });
});

afterEach(() => vi.unstubAllGlobals());

const granted = (access_token: string) =>
  Response.json({ access_token, token_type: 'DPoP', expires_in: 300, scope: 'admin' });
const proofs = () => Promise.all(asked.map(({ request }) => verified(request.headers.get('dpop'))));

describe('somebody who has signed in', () => {
  it('is asked for by a scope of its own, and its token is not the operator’s', async () => {
    const scopes: (string | null)[] = [];
    const land = landing;
    landing = (address) => {
      scopes.push(address.searchParams.get('scope'));
      return land(address);
    };
    answers = [granted('account'), granted('admin')];
    expect(await member.token(false)).toBe('account');
    expect(await signedIn.token(false)).toBe('admin');
    expect(await member.token(false)).toBe('account');
    expect(scopes).toEqual(['account', 'admin']);
  });

  it('is told when it may not administer, and sent round in no circle', async () => {
    landing = (address) =>
      `${ORIGIN}/callback?error=access_denied&state=${address.searchParams.get('state')}`;
    await expect(signedIn.token(false)).rejects.toMatchObject({ code: 'not-operator' });
    vi.stubGlobal('sessionStorage', { getItem: () => null, removeItem: () => {} });
    const answer = new URLSearchParams({ error: 'access_denied' });
    await expect(completeSignIn(answer)).rejects.toMatchObject({ code: 'not-operator' });
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

  it('keeps its code for the second try when the token endpoint wants a nonce', async () => {
    const nonce = { status: 400, headers: { 'dpop-nonce': 'n' } };
    answers = [Response.json({ error: 'use_dpop_nonce' }, nonce), granted('admin')];
    expect(await signedIn.token(false)).toBe('admin');
    expect(asked.map(({ body }) => new URLSearchParams(body).get('code'))).toEqual(['CODE', 'CODE']);
    expect((await proofs()).map(({ claims }) => claims.nonce)).toEqual([undefined, 'n']);
  });

  it('has another key after signing out', async () => {
    answers = [granted('one'), granted('two')];
    await signedIn.token(false);
    forgetOperator();
    await signedIn.token(false);
    const [before, after] = await proofs();
    expect(after?.header.jwk.x).not.toBe(before?.header.jwk.x);
  });

  it('is told when the session is over, and not when a proxy stands in', async () => {
    landing = () => `${ORIGIN}/sign-in?client_id=veilcast-web`;
    await expect(signedIn.token(false)).rejects.toMatchObject({ code: 'signed-out', fatal: true });
    landing = (address) => address.href;
    await expect(signedIn.token(false)).rejects.toMatchObject({ code: 'unreachable', fatal: false });
    landing = () => `${ORIGIN}/callback?code=CODE&state=another`;
    await expect(signedIn.token(false)).rejects.toMatchObject({ code: 'unreachable' });
    expect(asked).toEqual([]);
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
    const seen = { id: 'k/1', expires_in: 86_000, used_minutes_ago: 3 };
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
