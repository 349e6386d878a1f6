import type { SessionLogEntry } from '../protocol/index.js';
import { purposeName } from './receipt-words.js';

const LEFT: Record<string, string> = {
  'own-will': 'Left',
  'line-lost': 'Lost the line',
  'put-out': 'Was put out',
  'event-ended': 'Stayed to the end',
  fault: 'Left after a fault',
};

/** One line of the session log. What this version does not know is shown as it is. */
export function entryWords({ what, detail }: SessionLogEntry): string {
  switch (what) {
    case 'joined':
      return `Came${attributes(detail)}`;
    case 'left':
      return LEFT[detail] ?? `Left: ${detail}`;
    case 'quality':
      return `The picture changed${attributes(detail)}`;
    case 'consent':
      return choice(detail);
    case 'moderated':
      return detail === 'for-good' ? 'Was put out for good' : 'Was put out for now';
    case 'fault':
      return `Was shown: ${detail}`;
    case 'totals':
      return `Too few to tell apart: ${totals(detail)}`;
    case 'revealed':
      return detail === 'guest'
        ? 'Break-glass: a guest, of whom nothing is known'
        : `Break-glass: account ${detail}`;
    default:
      return `${what} ${detail}`;
  }
}

const CHOSE: Record<string, string> = {
  granted: 'Said yes',
  refused: 'Said no',
  withdrawn: 'Took it back',
};

function choice(detail: string): string {
  const [purpose = '', decision = ''] = detail.split(' ');
  return `${CHOSE[decision] ?? decision}: ${purposeName(purpose)}`;
}

const ATTRIBUTES: Record<string, string> = {
  chromium: 'Chromium',
  firefox: 'Firefox',
  safari: 'Safari',
  program: 'a program',
  unknown: 'another browser',
  high: 'the best picture',
  medium: 'the middle picture',
  low: 'the smallest picture',
  'sound-only': 'sound alone',
  paused: 'a picture that stands still',
};

function attributes(detail: string): string {
  if (detail === 'other') return ' (too few alike to say more)';
  const parts = detail.split(':').filter((part) => part !== '-' && part !== '');
  const told = parts.map((part) => ATTRIBUTES[part] ?? part);
  return told.length === 0 ? '' : ` (${told.join(', ')})`;
}

const SUMS = ['came', 'left', 'changes of quality', 'choices', 'put out', 'faults'];

function totals(detail: string): string {
  const told = detail
    .split(' ')
    .flatMap((sum, at) => (sum === '0' ? [] : [`about ${sum} ${SUMS[at] ?? ''}`]));
  return told.length === 0 ? 'fewer than five of anything' : told.join(', ');
}
