import type {
  AddedPurpose,
  ConsentStanding,
  Purpose,
  PurposeState,
  PurposeTerms,
} from '../protocol/index.js';
import {
  boolean,
  count,
  type Fields,
  type Incoming,
  list,
  Malformed,
  object,
  oneOf,
  string,
} from './parse.js';

const PURPOSES: readonly Purpose[] = ['chat', 'presence', 'location', 'analytics', 'personalisation'];
const STANDINGS: readonly ConsentStanding[] = [
  'open',
  'changed',
  'refused',
  'suspended',
  'left-out',
  'granted',
];

/** One of those that every server has, or one that whoever runs this server has added. */
export function isPurpose(value: unknown): value is Purpose {
  return PURPOSES.some((one) => one === value) || (typeof value === 'string' && value.startsWith('x-'));
}

function purposeOf(fields: Fields): Purpose {
  if (!isPurpose(fields.purpose)) throw new Malformed('purpose');
  return fields.purpose;
}

/** What the server says about consent. */
export const CONSENT_READERS: readonly [string, (fields: Fields) => Incoming][] = [
  ['consent', (f) => ({ type: 'consent', purposes: list(f, 'purposes').map(parseState) })],
  [
    'consent-question',
    (f) => ({
      type: 'consent-question',
      question: string(f, 'question'),
      purpose: purposeOf(f),
      longest: f.longest === null ? null : count(f, 'longest'),
      ...(f.despite_signal === true && { despite_signal: true }),
    }),
  ],
  ['consent-receipt', (f) => ({ type: 'consent-receipt', receipt: string(f, 'receipt') })],
  [
    'retracted',
    (f) => ({
      type: 'retracted',
      purpose: purposeOf(f),
      generation: count(f, 'generation'),
    }),
  ],
];

function parseState(value: unknown): PurposeState {
  const fields = object(value);
  return {
    purpose: purposeOf(fields),
    standing: oneOf(fields, 'standing', STANDINGS),
    generation: fields.generation === null ? null : count(fields, 'generation'),
    expires_in: fields.expires_in === null ? null : count(fields, 'expires_in'),
    ...(fields.added === undefined ? {} : { added: parseAdded(fields.added) }),
  };
}

function parseAdded(value: unknown): AddedPurpose {
  const fields = object(value);
  return { title: string(fields, 'title'), yields_to_signal: boolean(fields, 'yields_to_signal') };
}

/** `GET /api/v1/purposes`. */
export function parsePurposes(value: unknown): PurposeTerms[] {
  return list(object(value), 'purposes').map(parseTerms);
}

function parseTerms(value: unknown): PurposeTerms {
  const fields = object(value);
  return {
    purpose: purposeOf(fields),
    version: count(fields, 'version'),
    since: string(fields, 'since'),
    title: string(fields, 'title'),
    what: string(fields, 'what'),
    who: string(fields, 'who'),
    how_long: string(fields, 'how_long'),
    refusing: string(fields, 'refusing'),
    remains: fields.remains === null ? null : string(fields, 'remains'),
    yields_to_signal: fields.yields_to_signal === true,
  };
}

/** `POST /api/v1/consent`. */
export function parseReceipt(value: unknown): string {
  return string(object(value), 'receipt');
}
