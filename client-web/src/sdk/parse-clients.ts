import type {
  ClientKeySummary,
  ClientScope,
  ClientSummary,
  HeldStreamKey,
  ThirdParties,
} from '../protocol/index.js';
import { boolean, count, list, Malformed, object, string } from './parse.js';

const SCOPES: readonly ClientScope[] = ['events:read', 'events:manage', 'grants:issue'];

type Fields = ReturnType<typeof object>;

/** What an operator reviews of others. */
export function parseThirdParties(value: unknown): ThirdParties {
  const fields = object(value);
  return {
    clients: list(fields, 'clients').map(parseClient),
    stream_keys: list(fields, 'stream_keys').map(parseStreamKey),
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
    last_used: perhaps(fields, 'last_used'),
  };
}

function perhaps(fields: Fields, key: string): number | null {
  return fields[key] === null ? null : count(fields, key);
}
