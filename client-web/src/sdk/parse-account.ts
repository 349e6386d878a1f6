import type {
  Account,
  AccountActivity,
  AccountRole,
  AccountSession,
  ActivityKind,
  Factor,
  FactorKind,
  PasskeyQuestion,
  TotpSecret,
} from '../protocol/index.js';
import { boolean, count, list, Malformed, object, oneOf, string } from './parse.js';

const ROLES: readonly AccountRole[] = ['operator', 'member'];
const FACTORS: readonly FactorKind[] = ['password', 'passkey', 'totp'];
const ACTIVITIES: readonly ActivityKind[] = [
  'sign-in',
  'step-up',
  'session-ended',
  'not-me',
  'factor-added',
  'factor-replaced',
  'factor-removed',
  'recovered',
  'code-wrong',
  'code-missing',
  'refresh-copied',
  'journal-read',
  'break-glass',
];

export function parseAccount(value: unknown): Account {
  const fields = object(value);
  return {
    role: oneOf(fields, 'role', ROLES),
    name: fields.name === null ? null : string(fields, 'name'),
    factors: list(fields, 'factors').map(parseFactor),
    recovery_codes: count(fields, 'recovery_codes'),
    sessions: list(fields, 'sessions').map(parseSession),
  };
}

function parseFactor(value: unknown): Factor {
  const fields = object(value);
  return {
    id: string(fields, 'id'),
    kind: oneOf(fields, 'kind', FACTORS),
    label: string(fields, 'label'),
    created: count(fields, 'created'),
    last_used: fields.last_used === null ? null : count(fields, 'last_used'),
  };
}

function parseSession(value: unknown): AccountSession {
  const fields = object(value);
  return {
    id: string(fields, 'id'),
    label: string(fields, 'label'),
    opened: count(fields, 'opened'),
    current: boolean(fields, 'current'),
  };
}

/** What this client has no words for is left out: servers may be newer. */
export function parseActivity(value: unknown): AccountActivity[] {
  return list(object(value), 'activity').flatMap((each) => {
    const fields = object(each);
    const kind = ACTIVITIES.find((known) => known === fields.kind);
    if (kind === undefined) return [];
    const [id, label, at] = [string(fields, 'id'), string(fields, 'label'), count(fields, 'at')];
    return [{ id, kind, label, at }];
  });
}

export function parseQuestion(value: unknown): PasskeyQuestion {
  const fields = object(value);
  return { ceremony: string(fields, 'ceremony'), options: object(fields.options) };
}

export function parseTotpSecret(value: unknown): TotpSecret {
  const fields = object(value);
  const link = string(fields, 'link');
  // It becomes the address of a link.
  if (!link.startsWith('otpauth://totp/')) throw new Malformed('link');
  return { ceremony: string(fields, 'ceremony'), secret: string(fields, 'secret'), link };
}

export function parseRecoveryCodes(value: unknown): string[] {
  const fields = object(value);
  return list(fields, 'codes').map((code) => {
    if (typeof code !== 'string') throw new Malformed('codes');
    return code;
  });
}
