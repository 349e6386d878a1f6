import type { PurposeTerms } from '../src/protocol/index.js';
import { base64url } from '../src/sdk/encoding.js';

const part = (fields: object): string => base64url(new TextEncoder().encode(JSON.stringify(fields)));

const STATEMENT = `h.${part({ origin: 'https://friend.example' })}.s`;

/** What looks like a receipt; nobody has signed it. */
export function made(changed: object): string {
  const said = {
    record_id: 'r1',
    event: 'e1',
    purpose: 'chat',
    version: 2,
    event_state: 'given',
    event_time: 1_800_000_000,
    statement: STATEMENT,
  };
  return `h.${part({ ...said, ...changed })}.s`;
}

/** The words that it is about. */
export const TERMS: PurposeTerms = {
  purpose: 'chat',
  version: 2,
  since: '2026-11-22',
  title: 'Take part in the chat?',
  what: 'What you write.',
  who: 'Everybody here.',
  how_long: 'A while.',
  refusing: 'Nothing changes.',
  remains: null,
  yields_to_signal: false,
};
