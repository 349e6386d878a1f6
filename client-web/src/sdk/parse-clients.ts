import type {
  ClientKeySummary,
  ClientScope,
  ClientSummary,
  HeldStreamKey,
  HeldWebhook,
  ThirdParties,
} from '../protocol/index.js';
import { boolean, count, list, Malformed, object, oneOf, string } from './parse.js';
import { OUTCOMES, WEBHOOK_KINDS } from './parse-webhooks.js';

const SCOPES: readonly ClientScope[] = ['events:read', 'events:manage', 'grants:issue'];

type Fields = ReturnType<typeof object>;

/** What an operator reviews of others. */
export function parseThirdParties(value: unknown): ThirdParties {
  const fields = object(value);
  return {
    clients: list(fields, 'clients').map(parseClient),
    stream_keys: list(fields, 'stream_keys').map(parseStreamKey),
    webhooks: list(fields, 'webhooks').map(parseWebhook),
  };
}

/** The id of a program that was registered. */
export function parseRegistered(value: unknown): string {
  return string(object(value), 'id');
}

function parseClient(value: unknown): ClientSummary {
  const fields = object(value);
  return {
    id: string(fields, 'id'),
    label: string(fields, 'label'),
    owner: string(fields, 'owner'),
    scopes: list(fields, 'scopes').map(parseScope),
    last_used: perhaps(fields, 'last_used'),
    ends: count(fields, 'ends'),
    idle: boolean(fields, 'idle'),
    soon: boolean(fields, 'soon'),
    events: count(fields, 'events'),
    grants: count(fields, 'grants'),
    keys: list(fields, 'keys').map(parseKey),
  };
}

function parseScope(value: unknown): ClientScope {
  const scope = SCOPES.find((known) => known === value);
  if (scope === undefined) throw new Malformed('scopes');
  return scope;
}

function parseKey(value: unknown): ClientKeySummary {
  const fields = object(value);
  return { thumbprint: string(fields, 'thumbprint'), ends: perhaps(fields, 'ends') };
}

function parseStreamKey(value: unknown): HeldStreamKey {
  const fields = object(value);
  return {
    id: string(fields, 'id'),
    event: string(fields, 'event'),
    title: string(fields, 'title'),
    ends: count(fields, 'ends'),
    idle: boolean(fields, 'idle'),
    soon: boolean(fields, 'soon'),
    last_used: perhaps(fields, 'last_used'),
    ...owned(fields),
  };
}

function parseWebhook(value: unknown): HeldWebhook {
  const fields = object(value);
  return {
    id: string(fields, 'id'),
    origin: string(fields, 'origin'),
    kinds: list(fields, 'kinds').map((kind) => oneOf({ kind }, 'kind', WEBHOOK_KINDS)),
    ends: count(fields, 'ends'),
    idle: boolean(fields, 'idle'),
    soon: boolean(fields, 'soon'),
    last_used: perhaps(fields, 'last_used'),
    taken: count(fields, 'taken'),
    dropped: count(fields, 'dropped'),
    outcome: fields.outcome === null ? null : oneOf(fields, 'outcome', OUTCOMES),
    ended: boolean(fields, 'ended'),
    ...owned(fields),
  };
}

function owned(fields: Fields): { owner?: string } {
  return typeof fields.owner === 'string' ? { owner: fields.owner } : {};
}

function perhaps(fields: Fields, key: string): number | null {
  return fields[key] === null ? null : count(fields, key);
}
