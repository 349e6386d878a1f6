import type { Ban, BanReach } from '../protocol/index.js';
import type { Access } from './access.js';
import { callWith } from './http.js';
import { count, list, object, oneOf, string } from './parse.js';

/** What whoever looks after an event may do there: a moderator of it, or an operator. */
export interface Moderation {
  /** Puts out whoever is at this place on stage, from 0; they may come back. */
  remove(place: number): Promise<void>;
  /** The same, and keeps them out. The answer says how far that reaches. */
  keepOut(place: number): Promise<Ban>;
  /** Who is kept out: not who that is, but since when and what it holds for. The last first. */
  bans(): Promise<Ban[]>;
  /** Lets somebody back in. */
  letBackIn(ban: string): Promise<void>;
}

/** For an event on the server at `url`, by somebody whose `access` lets them. */
export function moderation(url: string, event: string, access: Access): Moderation {
  const address = (rest: string): URL => new URL(`/api/v1/events/${encodeURIComponent(event)}/${rest}`, url);
  const ask = <T>(method: string, rest: string, parse: (value: unknown) => T, body?: object): Promise<T> => {
    const init: RequestInit = { method, credentials: 'omit' };
    const headers = { 'content-type': 'application/json' };
    const full = body === undefined ? init : { ...init, headers, body: JSON.stringify(body) };
    return callWith(access, new Request(address(rest), full), parse);
  };
  return {
    remove: (place) => ask('POST', 'removals', nothing, { place }),
    keepOut: (place) => ask('POST', 'bans', parseBan, { place }),
    bans: () => ask('GET', 'bans', parseBanList),
    letBackIn: (ban) => ask('DELETE', `bans/${encodeURIComponent(ban)}`, nothing),
  };
}

const REACHES: readonly BanReach[] = ['account', 'provider', 'invitation', 'stream-key', 'token', 'guest'];

export function parseBan(value: unknown): Ban {
  const fields = object(value);
  const ban: Ban = {
    id: string(fields, 'id'),
    made: count(fields, 'made'),
    holds_for: oneOf(fields, 'holds_for', REACHES),
    title: string(fields, 'title'),
  };
  return typeof fields.remedy === 'string' ? { ...ban, remedy: fields.remedy } : ban;
}

export function parseBanList(value: unknown): Ban[] {
  return list(object(value), 'bans').map(parseBan);
}

function nothing(): void {}
