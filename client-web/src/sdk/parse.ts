import {
  type Activity,
  type Admission,
  type AudienceHealth,
  type BreakGlass,
  type Departure,
  type EventState,
  type EventSummary,
  type EventToken,
  FAULT_CODES,
  type Fault,
  type IceServer,
  type Instance,
  type Invitation,
  type InvitationSummary,
  type Latency,
  type LayerState,
  type LocationCap,
  type LocationPrecision,
  type PlaceState,
  type PushedAuthorization,
  type Quality,
  type Role,
  type ServerMessage,
  type SignInProvider,
  type StageState,
  type StreamKey,
  type StreamKeySummary,
  type TokenResponse,
} from '../protocol/index.js';
import { CHAT_READERS } from './parse-chat.js';
import { CONSENT_READERS } from './parse-consent.js';
import { LOCATION_READERS } from './parse-location.js';

/** What arrived is not what the protocol says. */
export class Malformed extends Error {
  constructor(what: string) {
    super(`malformed: ${what}`);
  }
}

/** A message of the server that this client knows. */
export type Incoming = ServerMessage;

export type Fields = Readonly<Record<string, unknown>>;

const ACTIVITIES: readonly Activity[] = ['absent', 'muted', 'live'];
const ADMISSIONS: readonly Admission[] = ['public', 'approval', 'sign-in', 'invitation'];
const EVENT_STATES: readonly EventState[] = ['scheduled', 'live', 'ended'];
const LATENCIES: readonly Latency[] = ['interactive', 'balanced'];
const QUALITIES: readonly Quality[] = ['off', 'paused', 'low', 'medium', 'high'];
const ROLES: readonly Role[] = ['broadcaster', 'viewer', 'moderator'];
const PRECISIONS: readonly LocationPrecision[] = ['none', 'country', 'region', 'city', 'precise'];
/** More than any server has; a list that is longer tells nothing that could be shown. */
const MAX_PLACES = 16;

/** One WebSocket message. `null` for a kind that this client does not know: servers may be newer. */
export function parseServerMessage(text: string): Incoming | null {
  const fields = parseJson(text);
  const type = string(fields, 'type');
  return READERS.get(type)?.(fields) ?? null;
}

const READERS: ReadonlyMap<string, (fields: Fields) => Incoming> = new Map([
  ['challenge', (f: Fields): Incoming => ({ type: 'challenge', nonce: string(f, 'nonce') })],
  ['waiting', (f: Fields): Incoming => ({ type: 'waiting', expires_in: count(f, 'expires_in') })],
  ['let-in', (): Incoming => ({ type: 'let-in' })],
  ['welcome', readWelcome],
  ['renewed', (f: Fields): Incoming => ({ type: 'renewed', expires_in: count(f, 'expires_in') })],
  [
    'answer',
    (f: Fields): Incoming => ({ type: 'answer', number: count(f, 'number'), sdp: string(f, 'sdp') }),
  ],
  ['connected', (): Incoming => ({ type: 'connected' })],
  [
    'break-glass',
    (f: Fields): Incoming => ({
      type: 'break-glass',
      break_glass: f.break_glass === null ? null : parseBreakGlass(f.break_glass),
    }),
  ],
  ['synced', (f: Fields): Incoming => ({ type: 'synced', number: count(f, 'number') })],
  ['disconnected', readDisconnected],
  ['stage', (f: Fields): Incoming => ({ type: 'stage', ...parseStage(f) })],
  ['place', (f: Fields): Incoming => ({ type: 'place', place: f.place === null ? null : count(f, 'place') })],
  ['unplayable', readUnplayable],
  ['quality', readQuality],
  ['layers', (f: Fields): Incoming => ({ type: 'layers', layers: list(f, 'layers').map(parseLayer) })],
  [
    'audience',
    (f: Fields): Incoming => ({ type: 'audience', viewers: f.viewers === null ? null : count(f, 'viewers') }),
  ],
  ['health', (f: Fields): Incoming => ({ type: 'health', ...parseHealth(f) })],
  ['ended', (f: Fields): Incoming => ({ type: 'ended', title: string(f, 'title') })],
  ['draining', (f: Fields): Incoming => ({ type: 'draining', retry_after_ms: count(f, 'retry_after_ms') })],
  ['fault', (f: Fields): Incoming => ({ type: 'fault', fault: parseFault(f.fault) })],
  ...CONSENT_READERS,
  ...CHAT_READERS,
  ...LOCATION_READERS,
]);

function readWelcome(fields: Fields): Incoming {
  return {
    type: 'welcome',
    role: oneOf(fields, 'role', ROLES),
    event: parseEvent(fields.event),
    stage: parseStage(fields.stage),
    ice_servers: parseIceServers(fields.ice_servers),
    expires_in: count(fields, 'expires_in'),
  };
}

/** Servers before this field send none. */
function parseIceServers(value: unknown): IceServer[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Malformed('ice_servers');
  return value.map(parseIceServer);
}

function parseIceServer(value: unknown): IceServer {
  const fields = object(value);
  const url = string(fields, 'url');
  if (fields.username === undefined && fields.credential === undefined) return { url };
  return { url, username: string(fields, 'username'), credential: string(fields, 'credential') };
}

/** Servers before several broadcasters name no place: it is the first. */
function readUnplayable(fields: Fields): Incoming {
  const place = fields.place === undefined ? 0 : count(fields, 'place');
  return { type: 'unplayable', place, codec: string(fields, 'codec'), title: string(fields, 'title') };
}

function readQuality(fields: Fields): Incoming {
  const video = oneOf(fields, 'video', QUALITIES);
  if (fields.places === undefined) return { type: 'quality', video, places: [video] };
  const places = list(fields, 'places').slice(0, MAX_PLACES);
  return {
    type: 'quality',
    video,
    places: places.map((place) => (place === null ? null : known(place, QUALITIES))),
  };
}

function readDisconnected(fields: Fields): Incoming {
  const fault = fields.fault ?? null;
  return { type: 'disconnected', fault: fault === null ? null : parseFault(fault) };
}

function parseLayer(value: unknown): LayerState {
  const fields = object(value);
  return { rid: string(fields, 'rid'), active: boolean(fields, 'active') };
}

function parseHealth(fields: Fields): AudienceHealth {
  const rough = (key: string): number | null => (fields[key] === null ? null : count(fields, key));
  return {
    high: rough('high'),
    medium: rough('medium'),
    low: rough('low'),
    sound_only: rough('sound_only'),
    paused: rough('paused'),
  };
}

/** A fault from either wire. Its code must be one we know: an unknown one counts as `internal`. */
export function parseFault(value: unknown): Fault {
  const fields = object(value);
  const code = FAULT_CODES.find((known) => known === fields.code) ?? 'internal';
  const fault: Fault = {
    type: `/problems/${code}`,
    code,
    title: string(fields, 'title'),
    remedy: string(fields, 'remedy'),
    status: count(fields, 'status'),
  };
  return typeof fields.detail === 'string' ? { ...fault, detail: fields.detail } : fault;
}

/** Servers before several broadcasters speak of one. */
export function parseStage(value: unknown): StageState {
  const fields = object(value);
  const whole = parsePlace(value);
  const places =
    fields.places === undefined ? [whole] : list(fields, 'places').slice(0, MAX_PLACES).map(parsePlace);
  const stage = { ...whole, places: places.slice(0, places.findLastIndex(isTaken) + 1) };
  // Servers before turns were numbered.
  if (fields.tenures === undefined) return stage;
  const tenures = list(fields, 'tenures').slice(0, MAX_PLACES);
  return { ...stage, tenures: tenures.map((tenure) => count({ tenure }, 'tenure')) };
}

function parsePlace(value: unknown): PlaceState {
  const fields = object(value);
  return { audio: oneOf(fields, 'audio', ACTIVITIES), video: oneOf(fields, 'video', ACTIVITIES) };
}

/** Whether a broadcaster has a place. */
export function isTaken({ audio, video }: PlaceState): boolean {
  return audio !== 'absent' || video !== 'absent';
}

export function parseEvent(value: unknown): EventSummary {
  const fields = object(value);
  return {
    id: string(fields, 'id'),
    title: string(fields, 'title'),
    state: oneOf(fields, 'state', EVENT_STATES),
    admission: oneOf(fields, 'admission', ADMISSIONS),
    listed: boolean(fields, 'listed'),
    broadcasters: fields.broadcasters === undefined ? 1 : count(fields, 'broadcasters'),
    // Servers before there was a choice.
    latency: fields.latency === undefined ? 'interactive' : oneOf(fields, 'latency', LATENCIES),
    location: parseLocationCap(fields.location),
    // Servers before there was one.
    starts_at:
      fields.starts_at === undefined || fields.starts_at === null ? null : count(fields, 'starts_at'),
    asks_nothing: fields.asks_nothing === true,
    ...(fields.break_glass === undefined ? {} : { break_glass: parseBreakGlass(fields.break_glass) }),
  };
}

export function parseBreakGlass(value: unknown): BreakGlass {
  const fields = object(value);
  return { from: count(fields, 'from'), until: count(fields, 'until'), by_two: boolean(fields, 'by_two') };
}

/** Servers before it have none, which allows nothing. */
function parseLocationCap(value: unknown): LocationCap {
  if (value === undefined) return { finest: 'none', minutes: 0 };
  const fields = object(value);
  return { finest: oneOf(fields, 'finest', PRECISIONS), minutes: count(fields, 'minutes') };
}

export function parseEventList(value: unknown): EventSummary[] {
  return list(object(value), 'events').map(parseEvent);
}

export function parseEventToken(value: unknown): EventToken {
  const fields = object(value);
  return { token: string(fields, 'token'), expires_in: count(fields, 'expires_in') };
}

export function parseInvitation(value: unknown): Invitation {
  const fields = object(value);
  return { id: string(fields, 'id'), code: string(fields, 'code'), expires_in: count(fields, 'expires_in') };
}

export function parseInvitationList(value: unknown): InvitationSummary[] {
  return list(object(value), 'invitations').map((each) => {
    const fields = object(each);
    return {
      id: string(fields, 'id'),
      role: oneOf(fields, 'role', ROLES),
      expires_in: count(fields, 'expires_in'),
      used: boolean(fields, 'used'),
    };
  });
}

export function parseStreamKey(value: unknown): StreamKey {
  const fields = object(value);
  return { id: string(fields, 'id'), key: string(fields, 'key'), expires_in: count(fields, 'expires_in') };
}

export function parseStreamKeyList(value: unknown): StreamKeySummary[] {
  return list(object(value), 'stream_keys').map((each) => {
    const fields = object(each);
    return {
      id: string(fields, 'id'),
      expires_in: count(fields, 'expires_in'),
      // Servers before keys ended without use.
      idle: fields.idle === true,
      ...(typeof fields.owner === 'string' ? { owner: fields.owner } : {}),
      used_minutes_ago: fields.used_minutes_ago === null ? null : count(fields, 'used_minutes_ago'),
    };
  });
}

export function parseTokenResponse(value: unknown): TokenResponse {
  const fields = object(value);
  return {
    access_token: string(fields, 'access_token'),
    token_type: string(fields, 'token_type'),
    expires_in: count(fields, 'expires_in'),
    scope: string(fields, 'scope'),
  };
}

export function parsePushedAuthorization(value: unknown): PushedAuthorization {
  const fields = object(value);
  return { request_uri: string(fields, 'request_uri'), expires_in: count(fields, 'expires_in') };
}

export function parseInstance(value: unknown): Instance {
  const fields = object(value);
  // Servers before them know of neither.
  const providers = fields.providers === undefined ? [] : list(fields, 'providers').map(parseProvider);
  return { ready: boolean(fields, 'ready'), providers, passkeys: fields.passkeys === true };
}

function parseProvider(value: unknown): SignInProvider {
  const fields = object(value);
  return { number: count(fields, 'number'), name: string(fields, 'name') };
}

/** Only http and https: the address is gone to. */
export function parseDeparture(value: unknown): Departure {
  const location = string(object(value), 'location');
  if (!/^https?:\/\//.test(location)) throw new Malformed('location');
  return { location };
}

export function parseJson(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Malformed('JSON');
  }
  return object(value);
}

export function object(value: unknown): Fields {
  if (!isFields(value)) throw new Malformed('object');
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function string(fields: Fields, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string') throw new Malformed(key);
  return value;
}

export function boolean(fields: Fields, key: string): boolean {
  const value = fields[key];
  if (typeof value !== 'boolean') throw new Malformed(key);
  return value;
}

export function list(fields: Fields, key: string): unknown[] {
  const value = fields[key];
  if (!Array.isArray(value)) throw new Malformed(key);
  return value;
}

export function count(fields: Fields, key: string): number {
  const value = fields[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Malformed(key);
  return value;
}

export function oneOf<T extends string>(fields: Fields, key: string, words: readonly T[]): T {
  return known(fields[key], words, key);
}

function known<T extends string>(value: unknown, words: readonly T[], what = 'word'): T {
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) throw new Malformed(what);
  return found;
}
