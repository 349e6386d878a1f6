import type { PrivacyRow } from '../protocol/index.js';

/** Under which heading people look for something, in the order of the page. */
export const HEADINGS: readonly (readonly [about: string, heading: string])[] = [
  ['everybody', 'Whoever you are'],
  ['viewers', 'When you watch'],
  ['accounts', 'When you sign in'],
  ['broadcasters', 'When you broadcast'],
  ['operators', 'When you run this server'],
  ['nobody', 'About nobody: the server’s own'],
];

const PLACES: Readonly<Record<string, string>> = {
  table: 'On this server’s disk',
  file: 'On this server’s disk',
  memory: 'In this server’s memory',
  cookie: 'In your browser, as a cookie',
  'session-storage': 'In your browser, in this tab',
  'local-storage': 'In your browser',
  'indexed-db': 'In your browser',
  'cache-storage': 'In your browser',
};

/** What goes soonest comes first: memory, then the person's own browser, then the disk. */
export function inOrder(rows: readonly PrivacyRow[]): PrivacyRow[] {
  const rank = ({ place }: PrivacyRow): number => (place === 'memory' ? 0 : BROWSER.has(place) ? 1 : 2);
  return rows.toSorted((one, other) => rank(one) - rank(other));
}

export const placeWords = (place: string): string => PLACES[place] ?? place;

const BROWSER = new Set(['cookie', 'session-storage', 'local-storage', 'indexed-db', 'cache-storage']);

/** Devices are people's own: there, either it is strictly necessary or somebody was asked (ePrivacy directive, article 5(3)). */
export function permission(row: PrivacyRow): string {
  if (!BROWSER.has(row.place)) return BASES[row.basis] ?? row.basis;
  return row.basis === '6(1)(a)'
    ? 'Only if you agreed to it.'
    : 'Strictly necessary for what you asked for, so that nobody asks you about it.';
}

const BASES: Readonly<Record<string, string>> = {
  '6(1)(a)': 'You agreed to it (GDPR, article 6(1)(a)).',
  '6(1)(b)': 'It is part of what you asked for (GDPR, article 6(1)(b)).',
  '6(1)(c)': 'The law demands it (GDPR, article 6(1)(c)).',
  '6(1)(f)': 'An interest that weighs more; you may object, see below (GDPR, article 6(1)(f)).',
};

export const basisWords = (basis: string): string => BASES[basis] ?? basis;

/** The name of a row and the rest: what stands before a colon of its first sentence is its name, or else that sentence. */
export function named(what: string): { name: string; rest: string } {
  const [at, end] = [what.indexOf(': '), what.indexOf('. ')];
  if (at < 0 || at > 80 || (end >= 0 && end < at)) return firstSentence(what);
  const rest = what.slice(at + 2);
  return { name: what.slice(0, at), rest: rest.charAt(0).toUpperCase() + rest.slice(1) };
}

function firstSentence(what: string): { name: string; rest: string } {
  const end = what.indexOf('. ');
  return end < 0 ? { name: what, rest: '' } : { name: what.slice(0, end + 1), rest: what.slice(end + 2) };
}

/** The version of the table and its day, as the server writes them into every page. */
export interface Edition {
  version: number;
  date: string;
}

export function edition(content: string | null): Edition | null {
  const found = /^(\d+) (\d{4}-\d\d-\d\d)$/.exec(content ?? '');
  return found === null ? null : { version: Number(found[1]), date: found[2] ?? '' };
}

/** As long as `NOTICE_DAYS` in signaling/retention. */
const NOTICE_MS = 31 * 24 * 3_600_000;

/**
 * Whether every page tells what changed. Nothing says who was told: everybody is, for as long as a browser keeps anything of us. The
 * first version changes nothing.
 */
export function isNews({ version, date }: Edition, now: number): boolean {
  const since = now - Date.parse(date);
  return version > 1 && since < NOTICE_MS && since > -NOTICE_MS;
}

export function dateWords(date: string): string {
  const day = new Date(`${date}T12:00:00Z`);
  return day.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
}
