import { PURPOSE_NAMES } from '../elements/choices.js';
import type { PurposeTerms } from '../protocol/index.js';
import type { Chosen, ReceiptText } from '../sdk/receipt.js';

export function purposeName(purpose: string): string {
  const known = Object.entries(PURPOSE_NAMES).find(([name]) => name === purpose);
  if (known !== undefined) return known[1];
  const words = purpose.replace(/^x-/, '').replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The question as it was put, where its words are still in force; else what it was about. */
export function askedWords({ purpose, version }: ReceiptText, terms: readonly PurposeTerms[]): string {
  const asked = terms.find((each) => each.purpose === purpose && each.version === version);
  return asked?.title ?? `${purposeName(purpose)} (in earlier words, version ${version})`;
}

const CHOSEN: Readonly<Record<Chosen, string>> = {
  given: 'You said yes',
  refused: 'You said no',
  withdrawn: 'You took it back',
};

export const chosenWords = (chosen: Chosen): string => CHOSEN[chosen];

/** The day alone, from seconds since 1970. */
export function day(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleDateString(undefined, { dateStyle: 'medium' });
}

const DAY = 86_400;
const YEARS: Readonly<Record<number, string>> = { 1: 'a year', 2: 'two years', 3: 'three years' };

/** How long something is kept, from the table of retention. */
export function lifetimeWords(seconds: number): string {
  const days = Math.round(seconds / DAY);
  if (days % 365 !== 0) return `${days} days`;
  const years = days / 365;
  return YEARS[years] ?? `${years} years`;
}
