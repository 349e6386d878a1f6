import { describe, expect, it } from 'vitest';
import { pageTitle } from '../src/app/page-title.js';
import { dateWords, edition, isNews, named, permission, placeWords } from '../src/app/privacy-words.js';
import { parsePrivacyTable } from '../src/sdk/parse-privacy.js';

const DAY = 24 * 3_600_000;
const at = (date: string): number => Date.parse(date);

const row = {
  kind: 'veilcast-issuer',
  place: 'cookie',
  about: 'accounts',
  what: 'The cookie of your sign-in: a random number.',
  why: 'You asked.',
  until: 'You sign out.',
  longest: null,
  purpose: 'access',
  basis: '6(1)(b)',
  forgotten_by: 'clock',
};

describe('the news of a change', () => {
  it('is told to everybody for a month', () => {
    const change = { version: 2, date: '2026-11-22' };
    expect(isNews(change, at('2026-11-22'))).toBe(true);
    expect(isNews(change, at('2026-11-22') + 30 * DAY)).toBe(true);
    expect(isNews(change, at('2026-11-22') + 31 * DAY)).toBe(false);
    expect(isNews({ ...change, version: 1 }, at('2026-11-22'))).toBe(false);
  });

  it('is read from the page, and from nothing else', () => {
    expect(edition('12 2026-11-22')).toEqual({ version: 12, date: '2026-11-22' });
    for (const content of [null, '', '2026-11-22', '1 22.11.2026', '1 2026-11-22 <b>']) {
      expect(edition(content)).toBeNull();
    }
    expect(dateWords('2026-11-02')).toBe('2 November 2026');
  });
});

describe('the table', () => {
  it('is parsed', () => {
    const purpose = {
      name: 'access',
      version: 1,
      since: '2026-11-22',
      title: null,
      who: 'You.',
      how_long: null,
      words: 'In.',
      basis: '6(1)(b)',
      objection: '',
      asked: false,
    };
    const change = { version: 1, date: '2026-11-22', what: 'The first.' };
    const table = {
      version: 1,
      last_update: '2026-11-22',
      purposes: [purpose],
      rows: [row],
      changes: [change],
    };
    expect(parsePrivacyTable(table)).toEqual(table);
    expect(parsePrivacyTable({ ...table, rows: [{ ...row, longest: 60 }] }).rows[0]?.longest).toBe(60);
    expect(() => parsePrivacyTable({ ...table, rows: [{ ...row, why: 1 }] })).toThrow();
  });

  it('has names before colons', () => {
    expect(named(row.what)).toEqual({ name: 'The cookie of your sign-in', rest: 'A random number.' });
    expect(named('One hour.')).toEqual({ name: 'One hour.', rest: '' });
    expect(named('Your address. Nobody else gets it.')).toEqual({
      name: 'Your address.',
      rest: 'Nobody else gets it.',
    });
    expect(named('Your volume. Nobody: it stays here.')).toEqual({
      name: 'Your volume.',
      rest: 'Nobody: it stays here.',
    });
  });

  it('says what permits a key on a device', () => {
    expect(permission(row)).toContain('Strictly necessary');
    expect(permission({ ...row, basis: '6(1)(a)' })).toBe('Only if you agreed to it.');
    expect(permission({ ...row, place: 'memory', basis: '6(1)(f)' })).toContain('you may object');
    expect(placeWords('cookie')).toContain('browser');
  });
});

describe('the title of a page', () => {
  it('names an event only if it is listed', () => {
    expect(pageTitle({ title: 'Evening lecture', listed: true }, 'Watch')).toBe(
      'Evening lecture · Watch · Veilcast',
    );
    expect(pageTitle({ title: 'Evening lecture', listed: false }, 'Watch')).toBe('Watch · Veilcast');
  });
});
