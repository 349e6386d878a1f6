import { describe, expect, it } from 'vitest';
import { challengeOf, createPkce, randomText } from '../src/app/pkce.js';
import { match, type Route } from '../src/app/router.js';
import { strength } from '../src/app/strength.js';

describe('PKCE', () => {
  it('hashes as RFC 7636 appendix B does', async () => {
    expect(await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
  });

  it('makes verifiers of the least length that is allowed, never the same twice', async () => {
    const { verifier, challenge } = await createPkce();
    expect(verifier).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(challenge).toBe(await challengeOf(verifier));
    expect(randomText()).not.toBe(randomText());
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
