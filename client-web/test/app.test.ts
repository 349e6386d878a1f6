import { describe, expect, it } from 'vitest';
import { newerThanThis } from '../src/app/newest.js';
import { createPkce } from '../src/app/pkce.js';
import { match, type Route } from '../src/app/router.js';
import { strength } from '../src/app/strength.js';
import { activityWords, factorWords, invitationWords, span, streamKeyWords } from '../src/app/words.js';
import { hashed, randomText } from '../src/sdk/encoding.js';
import { parseAccount, parseActivity, parseTotpSecret } from '../src/sdk/parse-account.js';

describe('PKCE', () => {
  it('hashes as RFC 7636 appendix B does', async () => {
    expect(await hashed('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  it('makes verifiers of the least length that is allowed, never the same twice', async () => {
    const { verifier, challenge } = await createPkce();
    expect(verifier).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(challenge).toBe(await hashed(verifier));
    expect(randomText(256)).not.toBe(randomText(256));
  });
});

describe('router', () => {
  const route = (pattern: string): Route => ({ pattern, tag: 'x', title: '', load: async () => {} });
  const routes = [route('/'), route('/studio'), route('/studio/:id'), route('/watch/:id')];
  const found = (path: string) => match(routes, path)?.route.pattern ?? null;

  it.each([
    ['/', '/'],
    ['', '/'],
    ['/studio', '/studio'],
    ['/studio/', '/studio'],
    ['/studio/abc', '/studio/:id'],
    ['/watch/abc', '/watch/:id'],
    ['/watch', null],
    ['/watch/abc/more', null],
    ['/nowhere', null],
  ])('%s → %s', (path, pattern) => {
    expect(found(path)).toBe(pattern);
  });

  it('hands over the parameter', () => {
    expect(match(routes, '/watch/abc')?.params).toEqual({ id: 'abc' });
  });
});

describe('password hint', () => {
  it.each([
    ['', 'short'],
    ['eleven char', 'short'],
    ['aaaaaaaaaaaaaaaa', 'weak'],
    ['blue kettle r', 'good'],
    ['blue kettle river stone', 'strong'],
  ])('%j is %s', (password, level) => {
    expect(strength(password).level).toBe(level);
  });

  it('counts what is missing', () => {
    expect(strength('eleven char').words).toBe('1 more character to go.');
  });
});

describe('invitations', () => {
  it('are listed with their purpose, their use and their end', () => {
    const invitation = { id: 'a', role: 'viewer', used: false, expires_in: 3 * 3_600 } as const;
    expect(invitationWords(invitation)).toEqual({
      purpose: 'To watch',
      state: 'Not used yet · ends in 3 hours',
    });
    const taken = { ...invitation, role: 'broadcaster', used: true, expires_in: 86_400 } as const;
    expect(invitationWords(taken)).toEqual({ purpose: 'To broadcast', state: 'Used · ends in 1 day' });
  });

  it.each([
    [12, 'less than a minute'],
    [60, '1 minute'],
    [3_540, '59 minutes'],
    [3_600, '1 hour'],
    [43_200, '12 hours'],
    [604_800, '7 days'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(span(seconds)).toBe(words);
  });
});

describe('stream keys', () => {
  it.each([
    [null, 'Not used yet · ends in 30 days'],
    [0, 'Used just now · ends in 30 days'],
    [1, 'Last used 1 minute ago · ends in 30 days'],
    [3 * 60, 'Last used 3 hours ago · ends in 30 days'],
  ])('used %j minutes ago', (used_minutes_ago, state) => {
    const key = { id: 'abcdefgh', expires_in: 30 * 86_400, idle: false, used_minutes_ago };
    expect(streamKeyWords(key)).toEqual({ name: 'Stream key abcd', state });
    const idle = state.replace('ends', 'unless it is used, ends');
    expect(streamKeyWords({ ...key, idle: true, owner: 'Crew' }).state).toBe(`Crew · ${idle}`);
  });
});

describe('an account in words', () => {
  const at = 1_800_000_000;

  it('says once what a factor is', () => {
    const factor = { id: 'a', kind: 'passkey', created: at, last_used: null } as const;
    expect(factorWords({ ...factor, label: 'Passkey' })).toMatch(/^Added .*, not used since$/);
    expect(factorWords({ ...factor, label: 'Phone' })).toMatch(/^Passkey · added /);
  });

  it.each([
    ['sign-in', 'Signed in with “Phone”'],
    ['factor-removed', 'Removed “Phone”'],
    ['session-ended', 'Ended a sign-in'],
    ['code-wrong', 'Somebody entered your password and a wrong code. If it was not you, change the password'],
    ['code-missing', 'Somebody entered your password and no code. If it was not you, change the password'],
  ] as const)('tells of %s', (kind, words) => {
    expect(activityWords({ id: 'a', kind, label: 'Phone', at })).toBe(words);
  });

  it('finds the newest sign-in since this one', () => {
    const session = (id: string, opened: number, current = false) => ({ id, label: id, opened, current });
    const mine = session('mine', at, true);
    expect(newerThanThis([session('later', at + 60), mine, session('earlier', at - 60)])?.id).toBe('later');
    expect(newerThanThis([session('same minute, later', at), mine])?.id).toBe('same minute, later');
    expect(newerThanThis([mine, session('same minute, before', at)])).toBeNull();
    expect(newerThanThis([session('whose is asking is not known', at)])).toBeNull();
  });
});

describe('an account on the wire', () => {
  const whole = {
    role: 'operator',
    name: null,
    factors: [{ id: 'f', kind: 'passkey', label: 'Phone', created: 60, last_used: null }],
    recovery_codes: 10,
    sessions: [{ id: 's', label: 'Phone', opened: 60, current: true }],
  };

  it('is read whole', () => {
    expect(parseAccount(whole)).toEqual(whole);
  });

  it.each([
    ['a role', { ...whole, role: 'emperor' }],
    ['a name', { ...whole, name: 7 }],
    ['a factor', { ...whole, factors: [{}] }],
    ['sessions', { ...whole, sessions: null }],
  ])('is refused for %s that is none', (_, wrong) => {
    expect(() => parseAccount(wrong)).toThrow();
  });

  it('leaves out what this client has no words for', () => {
    const known = { id: 'a', kind: 'sign-in', label: 'Phone', at: 60 };
    expect(parseActivity({ activity: [known, { ...known, kind: 'teleported' }] })).toEqual([known]);
  });

  it('opens no address but that of an app', () => {
    const offer = { ceremony: 'c', secret: 'S', link: 'otpauth://totp/Veilcast:localhost?secret=S' };
    expect(parseTotpSecret(offer)).toEqual(offer);
    expect(() => parseTotpSecret({ ...offer, link: 'javascript:alert(1)' })).toThrow();
  });
});
