import type {
  SecurityEvent,
  SecurityKind,
  WebhookKind,
  WebhookOutcome,
  WebhookSecret,
  WebhookSummary,
} from '../protocol/index.js';
import { boolean, count, list, object, oneOf, string } from './parse.js';

/** In the order in which a person chooses from them. */
export const WEBHOOK_KINDS: readonly WebhookKind[] = [
  'event.started',
  'event.ended',
  'broadcast.live',
  'broadcast.off',
  'security.raised',
];

export const OUTCOMES: readonly WebhookOutcome[] = [
  'delivered',
  'gone',
  'redirected',
  'refused',
  'failing',
  'unreachable',
  'certificate',
  'address',
];

const SECURITY_KINDS: readonly SecurityKind[] = [
  'proof-replayed',
  'code-replayed',
  'refresh-replayed',
  'invitation-reused',
  'sign-ins-failed',
  'sign-ins-failed-widely',
  'joins-by-one',
  'export-burst',
  'foreign-probe',
  'address-refused',
];

export function parseWebhookSecret(value: unknown): WebhookSecret {
  const fields = object(value);
  return { id: string(fields, 'id'), secret: string(fields, 'secret') };
}

export function parseWebhookTested(value: unknown): WebhookOutcome {
  return oneOf(object(value), 'outcome', OUTCOMES);
}

export function parseWebhookList(value: unknown): WebhookSummary[] {
  return list(object(value), 'webhooks').map(parseWebhook);
}

function parseWebhook(value: unknown): WebhookSummary {
  const fields = object(value);
  const perhaps = (key: string): number | null => (fields[key] === null ? null : count(fields, key));
  return {
    id: string(fields, 'id'),
    origin: string(fields, 'origin'),
    kinds: list(fields, 'kinds').map((kind) => oneOf({ kind }, 'kind', WEBHOOK_KINDS)),
    expires_in: count(fields, 'expires_in'),
    delivered_minutes_ago: perhaps('delivered_minutes_ago'),
    tried_minutes_ago: perhaps('tried_minutes_ago'),
    outcome: fields.outcome === null ? null : oneOf(fields, 'outcome', OUTCOMES),
    waiting: count(fields, 'waiting'),
    dropped: count(fields, 'dropped'),
    rotating: boolean(fields, 'rotating'),
    ended: boolean(fields, 'ended'),
  };
}

export function parseSecurityEvents(value: unknown): SecurityEvent[] {
  return list(object(value), 'security_events').map((row) => {
    const fields = object(row);
    return {
      kind: oneOf(fields, 'kind', SECURITY_KINDS),
      event: fields.event === null ? null : string(fields, 'event'),
      hours_ago: count(fields, 'hours_ago'),
      count: count(fields, 'count'),
    };
  });
}
