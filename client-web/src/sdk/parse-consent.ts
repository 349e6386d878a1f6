import type { ConsentStanding, Purpose, PurposeState } from '../protocol/index.js';
import { count, type Fields, type Incoming, list, object, oneOf, string } from './parse.js';

const PURPOSES: readonly Purpose[] = ['chat', 'presence', 'location', 'analytics', 'personalisation'];
const STANDINGS: readonly ConsentStanding[] = [
  'open',
  'changed',
  'refused',
  'suspended',
  'left-out',
  'granted',
];

/** What a socket says about consent. */
export const CONSENT_READERS: readonly [string, (fields: Fields) => Incoming][] = [
  ['consent', (f) => ({ type: 'consent', purposes: list(f, 'purposes').map(parseState) })],
  [
    'retracted',
    (f) => ({
      type: 'retracted',
      purpose: oneOf(f, 'purpose', PURPOSES),
      generation: count(f, 'generation'),
    }),
  ],
  [
    'consent-question',
    (f) => ({
      type: 'consent-question',
      question: string(f, 'question'),
      purpose: oneOf(f, 'purpose', PURPOSES),
    }),
  ],
];

function parseState(value: unknown): PurposeState {
  const fields = object(value);
  return {
    purpose: oneOf(fields, 'purpose', PURPOSES),
    standing: oneOf(fields, 'standing', STANDINGS),
    generation: fields.generation === null ? null : count(fields, 'generation'),
    expires_in: fields.expires_in === null ? null : count(fields, 'expires_in'),
  };
}
