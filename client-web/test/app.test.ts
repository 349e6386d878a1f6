import { describe, expect, it } from 'vitest';
import { createPkce } from '../src/app/pkce.js';
import { match, type Route } from '../src/app/router.js';
import { strength } from '../src/app/strength.js';
import { invitationWords, span, streamKeyWords } from '../src/app/words.js';
import { hashed, randomText } from '../src/sdk/encoding.js';

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
    const key = { id: 'abcdefgh', expires_in: 30 * 86_400, used_minutes_ago };
    expect(streamKeyWords(key)).toEqual({ name: 'Stream key abcd', state });
  });
});
