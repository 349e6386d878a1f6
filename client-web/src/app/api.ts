import type {
  Departure,
  EventChange,
  EventSummary,
  EventToken,
  Fault,
  Instance,
  Invitation,
  InvitationSummary,
  NewEvent,
  NewInvitation,
  NewStreamKey,
  Setup,
  SignIn,
  StreamKey,
  StreamKeySummary,
  TokenRequest,
} from '../protocol/index.js';
import type { Access } from '../sdk/access.js';
import { call, callWith } from '../sdk/http.js';
import {
  parseDeparture,
  parseEvent,
  parseEventList,
  parseEventToken,
  parseFault,
  parseInstance,
  parseInvitation,
  parseInvitationList,
  parseStreamKey,
  parseStreamKeyList,
} from '../sdk/parse.js';
import { member, operator, signedIn } from './auth.js';

/** The REST calls of the app, one line each. */
export const api = {
  instance: (): Promise<Instance> => call(plain('GET', '/api/v1/instance'), parseInstance),
  listedEvents: (): Promise<EventSummary[]> => call(plain('GET', '/api/v1/events'), parseEventList),
  /** An event as it shows itself to anybody, or to whoever has `access`. */
  event: (id: string, access: Access | null): Promise<EventSummary> => {
    const request = plain('GET', eventPath(id));
    return access === null ? call(request, parseEvent) : callWith(access, request, parseEvent);
  },
  setup: (setup: Setup): Promise<void> => call(withCookie('/api/v1/setup', setup), nothing),
  signIn: (signIn: SignIn): Promise<void> => call(withCookie('/oauth/sign-in', signIn), nothing),
  /** Where to sign in at a provider; this browser is told apart by a cookie that goes nowhere else. */
  startAtProvider: (provider: number): Promise<Departure> =>
    call(withCookie('/oauth/provider/start', { provider }), parseDeparture),
  /** What a fault is in words, by its code. */
  fault: (code: string): Promise<Fault> => call(asJson(`/problems/${encodeURIComponent(code)}`), parseFault),
  signOut: (): Promise<void> => call(withCookie('/oauth/sign-out', {}), nothing),

  events: (): Promise<EventSummary[]> => callWith(operator, plain('GET', '/api/v1/events'), parseEventList),
  ownEvent: (id: string): Promise<EventSummary> =>
    callWith(operator, plain('GET', eventPath(id)), parseEvent),
  createEvent: (event: NewEvent): Promise<EventSummary> =>
    callWith(operator, plain('POST', '/api/v1/events', event), parseEvent),
  changeEvent: (id: string, change: EventChange): Promise<EventSummary> =>
    callWith(operator, plain('PATCH', eventPath(id), change), parseEvent),
  endEvent: (id: string): Promise<void> => callWith(operator, plain('POST', `${eventPath(id)}/end`), nothing),
  invite: (id: string, invitation: NewInvitation): Promise<Invitation> =>
    callWith(operator, plain('POST', `${eventPath(id)}/invitations`, invitation), parseInvitation),
  revokeInvitation: (id: string, invitation: string): Promise<void> => {
    const path = `${eventPath(id)}/invitations/${encodeURIComponent(invitation)}`;
    return callWith(operator, plain('DELETE', path), nothing);
  },
  makeStreamKey: (id: string, key: NewStreamKey): Promise<StreamKey> =>
    callWith(operator, plain('POST', `${eventPath(id)}/stream-keys`, key), parseStreamKey),
  revokeStreamKey: (id: string, key: string): Promise<void> => {
    const path = `${eventPath(id)}/stream-keys/${encodeURIComponent(key)}`;
    return callWith(operator, plain('DELETE', path), nothing);
  },

  // These happen by themselves, while a broadcast may be on air: they lead nobody away from the page.
  eventToken: (id: string, request: TokenRequest): Promise<EventToken> =>
    callWith(signedIn, plain('POST', `${eventPath(id)}/token`, request), parseEventToken),
  /** For a viewer who has signed in. */
  memberToken: (id: string): Promise<EventToken> =>
    callWith(member, plain('POST', `${eventPath(id)}/token`, { role: 'viewer' }), parseEventToken),
  invitations: (id: string): Promise<InvitationSummary[]> =>
    callWith(signedIn, plain('GET', `${eventPath(id)}/invitations`), parseInvitationList),
  streamKeys: (id: string): Promise<StreamKeySummary[]> =>
    callWith(signedIn, plain('GET', `${eventPath(id)}/stream-keys`), parseStreamKeyList),
};

function eventPath(id: string): string {
  return `/api/v1/events/${encodeURIComponent(id)}`;
}

/** Without cookies: what anyone may ask, the server answers the same for everyone; the others show a token. */
function plain(method: string, path: string, body?: object): Request {
  return json(method, path, body, { credentials: 'omit' });
}

/** What an address shows people as text. */
function asJson(path: string): Request {
  const headers = { accept: 'application/json' };
  return new Request(new URL(path, location.origin), { credentials: 'omit', headers });
}

function withCookie(path: string, body: object): Request {
  return json('POST', path, body, { credentials: 'same-origin' });
}

function json(method: string, path: string, body: object | undefined, init: RequestInit): Request {
  const address = new URL(path, location.origin);
  if (body === undefined) return new Request(address, { ...init, method });
  const headers = { 'content-type': 'application/json' };
  return new Request(address, { ...init, method, headers, body: JSON.stringify(body) });
}

function nothing(): void {}
