import type {
  EventChange,
  EventSummary,
  EventToken,
  Instance,
  NewEvent,
  Setup,
  SignIn,
  TokenRequest,
} from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { call } from '../sdk/http.js';
import { parseEvent, parseEventList, parseEventToken, parseInstance } from '../sdk/parse.js';
import { forgetToken, operatorToken } from './auth.js';

/** The REST calls of the app, one line each. */
export const api = {
  instance: (): Promise<Instance> => call(plain('GET', '/api/v1/instance'), parseInstance),
  listedEvents: (): Promise<EventSummary[]> => call(plain('GET', '/api/v1/events'), parseEventList),
  event: (id: string, invitation: string | null): Promise<EventSummary> =>
    call(plain('GET', eventPath(id), invitation), parseEvent),
  setup: (setup: Setup): Promise<void> => call(withCookie('/api/v1/setup', setup), nothing),
  signIn: (signIn: SignIn): Promise<void> => call(withCookie('/oauth/sign-in', signIn), nothing),
  signOut: (): Promise<void> => call(withCookie('/oauth/sign-out', {}), nothing),

  events: (): Promise<EventSummary[]> => asOperator('GET', '/api/v1/events', undefined, parseEventList),
  ownEvent: (id: string): Promise<EventSummary> => asOperator('GET', eventPath(id), undefined, parseEvent),
  createEvent: (event: NewEvent): Promise<EventSummary> =>
    asOperator('POST', '/api/v1/events', event, parseEvent),
  eventToken: (id: string, request: TokenRequest): Promise<EventToken> =>
    asOperator('POST', `${eventPath(id)}/token`, request, parseEventToken),
  changeEvent: (id: string, change: EventChange): Promise<EventSummary> =>
    asOperator('PATCH', eventPath(id), change, parseEvent),
  endEvent: (id: string): Promise<void> => asOperator('POST', `${eventPath(id)}/end`, undefined, nothing),
};

function eventPath(id: string): string {
  return `/api/v1/events/${encodeURIComponent(id)}`;
}

/** Without cookies: what anyone may ask, the server answers the same for everyone. */
function plain(method: string, path: string, token: string | null = null): Request {
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  return new Request(path, { method, credentials: 'omit', headers });
}

function withCookie(path: string, body: object): Request {
  return json('POST', path, body, { credentials: 'same-origin' });
}

/** A token may expire between its check here and its use there: once, with a fresh one, again. */
async function asOperator<T>(
  method: string,
  path: string,
  body: object | undefined,
  parse: (value: unknown) => T,
): Promise<T> {
  const send = async (): Promise<T> => {
    const headers = { authorization: `Bearer ${await operatorToken()}` };
    return call(json(method, path, body, { credentials: 'omit', headers }), parse);
  };
  try {
    return await send();
  } catch (thrown) {
    if (!(thrown instanceof VeilcastError) || thrown.fault?.status !== 401) throw thrown;
    forgetToken();
    return send();
  }
}

function json(method: string, path: string, body: object | undefined, init: RequestInit): Request {
  const headers = new Headers(init.headers);
  if (body === undefined) return new Request(path, { ...init, method, headers });
  headers.set('content-type', 'application/json');
  return new Request(path, { ...init, method, headers, body: JSON.stringify(body) });
}

function nothing(): void {}
