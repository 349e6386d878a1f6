import type { ChatListed, ChatMessage, ChatRole, ChatSum } from '../protocol/index.js';
import { REACTIONS } from './chat.js';
import { count, type Fields, type Incoming, list, Malformed, object, oneOf, string } from './parse.js';

const ROLES: readonly ChatRole[] = ['viewer', 'host', 'moderator'];

/** What a socket says of a chat. */
export const CHAT_READERS: readonly [string, (fields: Fields) => Incoming][] = [['chat', parseNews]];

function parseNews(fields: Fields): Incoming {
  const reader = NEWS.get(string(fields, 'news'));
  if (reader === undefined) throw new Malformed('news');
  return reader(fields);
}

const NEWS: ReadonlyMap<string, (fields: Fields) => Incoming> = new Map([
  ['begin', (): Incoming => ({ type: 'chat', news: 'begin' })],
  ['message', (f: Fields): Incoming => ({ type: 'chat', news: 'message', ...parseMessage(f) })],
  ['removed', (f: Fields): Incoming => ({ type: 'chat', news: 'removed', messages: strings(f, 'messages') })],
  [
    'sums',
    (f: Fields): Incoming => ({
      type: 'chat',
      news: 'sums',
      message: string(f, 'message'),
      sums: list(f, 'sums').map(parseSum),
    }),
  ],
  [
    'board',
    (f: Fields): Incoming => ({
      type: 'chat',
      news: 'board',
      pinned: optional(f, 'pinned'),
      slow: count(f, 'slow'),
    }),
  ],
  [
    'own',
    (f: Fields): Incoming => ({
      type: 'chat',
      news: 'own',
      author: string(f, 'author'),
      name: string(f, 'name'),
    }),
  ],
  ['end', (): Incoming => ({ type: 'chat', news: 'end' })],
  [
    'listed',
    (f: Fields): Incoming => ({ type: 'chat', news: 'listed', people: list(f, 'people').map(parseListed) }),
  ],
]);

function parseMessage(fields: Fields): ChatMessage {
  return {
    id: string(fields, 'id'),
    author: string(fields, 'author'),
    role: oneOf(fields, 'role', ROLES),
    name: string(fields, 'name'),
    generation: count(fields, 'generation'),
    text: string(fields, 'text'),
    reply: optional(fields, 'reply'),
  };
}

function parseSum(value: unknown): ChatSum {
  const fields = object(value);
  return { reaction: oneOf(fields, 'reaction', REACTIONS), count: count(fields, 'count') };
}

function parseListed(value: unknown): ChatListed {
  const fields = object(value);
  return { name: string(fields, 'name'), generation: count(fields, 'generation') };
}

function optional(fields: Fields, key: string): string | null {
  return fields[key] === null ? null : string(fields, key);
}

function strings(fields: Fields, key: string): string[] {
  return list(fields, key).map((value) => {
    if (typeof value !== 'string') throw new Malformed(key);
    return value;
  });
}
