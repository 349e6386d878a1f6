import type { Ban, BanReach, KnockSummary, Removal } from '../protocol/index.js';
import type { Access } from './access.js';
import { callWith } from './http.js';
import { boolean, count, list, object, oneOf, string } from './parse.js';

/** What whoever looks after an event may do there: a moderator of it, or an operator. Whoever broadcasts to it answers knocks, too. */
export interface Moderation {
  /** Puts out whoever is at this place on stage, from 0, in this turn; they may come back. */
  remove(whom: Removal): Promise<void>;
  /** The same, and keeps them out. The answer says how far that reaches. */
  keepOut(whom: Removal): Promise<Ban>;
  /** Who is kept out: not who that is, but since when and what it holds for. The last first. */
  bans(): Promise<Ban[]>;
  /** Lets somebody back in. */
  letBackIn(ban: string): Promise<void>;
  /** Who waits to be let in, and who was turned away, where the host decides about each person. */
  knocks(): Promise<KnockSummary[]>;
  /** Lets one of them in, or turns them away. It holds until the event is over. */
  answerKnock(number: number, letIn: boolean): Promise<void>;
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
    remove: (whom) => ask('POST', 'removals', nothing, whom),
    keepOut: (whom) => ask('POST', 'bans', parseBan, whom),
    bans: () => ask('GET', 'bans', parseBanList),
    knocks: () => ask('GET', 'knocks', parseKnockList),
    answerKnock: (number, letIn) => ask('POST', `knocks/${number}`, nothing, { let_in: letIn }),
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

export function parseKnockList(value: unknown): KnockSummary[] {
  return list(object(value), 'knocks').map(parseKnock);
}

function parseKnock(value: unknown): KnockSummary {
  const fields = object(value);
  const knock: KnockSummary = {
    number: count(fields, 'number'),
    signed_in: boolean(fields, 'signed_in'),
    minutes: count(fields, 'minutes'),
    turned_away: boolean(fields, 'turned_away'),
  };
  return typeof fields.name === 'string' ? { ...knock, name: fields.name } : knock;
}

function nothing(): void {}
