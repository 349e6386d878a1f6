import { describe, expect, it } from 'vitest';
import { parseBan, parseBanList } from '../src/sdk/moderation.js';
import {
  Malformed,
  parseDeparture,
  parseEventList,
  parseFault,
  parseInstance,
  parseInvitation,
  parseInvitationList,
  parseJson,
  parseServerMessage,
  parseStreamKey,
  parseStreamKeyList,
} from '../src/sdk/parse.js';
import { ABSENT, EVENT, fault } from './fakes.js';

const WELCOME = { type: 'welcome', role: 'viewer', event: EVENT, stage: ABSENT, expires_in: 300 };

const say = (message: unknown) => parseServerMessage(JSON.stringify(message));

describe('parseServerMessage', () => {
  it.each([
    {
      type: 'welcome',
      role: 'viewer',
      event: EVENT,
      stage: { audio: 'live', video: 'muted', places: [{ audio: 'live', video: 'muted' }] },
      ice_servers: [
        { url: 'stun:a.example:3478' },
        { url: 'turn:a.example', username: 'u', credential: 'c' },
      ],
      expires_in: 300,
    },
    { type: 'challenge', nonce: 'n' },
    { type: 'renewed', expires_in: 300 },
    { type: 'answer', number: 1, sdp: 'v=0' },
    { type: 'connected' },
    { type: 'disconnected', fault: null },
    { type: 'disconnected', fault: fault('connection-lost') },
    {
      type: 'stage',
      audio: 'live',
      video: 'live',
      places: [
        { audio: 'absent', video: 'absent' },
        { audio: 'live', video: 'live' },
      ],
    },
    { type: 'place', place: 3 },
    { type: 'place', place: null },
    { type: 'unplayable', place: 1, codec: 'AV1', title: 'No.' },
    { type: 'quality', video: 'medium', places: ['paused', null, 'medium'] },
    { type: 'layers', layers: [] },
    { type: 'layers', layers: [{ rid: 'h', active: false }] },
    { type: 'audience', viewers: 0 },
    { type: 'health', high: 3_000, medium: null, low: 5, sound_only: null, paused: null },
    { type: 'ended', title: 'Over.' },
    { type: 'draining', retry_after_ms: 100 },
    { type: 'fault', fault: fault('too-many', 429) },
  ])('reads $type as it was written', (message) => {
    expect(say(message)).toEqual(message);
  });

  it('takes a welcome without ICE servers for one with none', () => {
    expect(say(WELCOME)).toEqual({ ...WELCOME, ice_servers: [] });
  });

  it('takes a server that speaks of one broadcaster for one with a single place', () => {
    const live = { audio: 'live', video: 'live' };
    expect(say({ type: 'stage', ...live })).toEqual({ type: 'stage', ...live, places: [live] });
    const absent = { audio: 'absent', video: 'absent' };
    expect(say({ type: 'stage', ...absent })).toEqual({ type: 'stage', ...absent, places: [] });
    const quality = { type: 'quality', video: 'low' };
    expect(say(quality)).toEqual({ ...quality, places: ['low'] });
    expect(say({ type: 'unplayable', codec: 'AV1', title: 'No.' })).toMatchObject({ place: 0 });
    const { broadcasters: _, ...event } = EVENT;
    expect(say({ ...WELCOME, event })).toMatchObject({ event: EVENT });
  });

  it('asks for no place that is empty, and for no more than there can be', () => {
    const [live, absent] = [
      { audio: 'live', video: 'live' },
      { audio: 'absent', video: 'absent' },
    ];
    const read = (places: object[]) => say({ type: 'stage', ...live, places });
    expect(read([absent, live, absent, absent])).toMatchObject({ places: [absent, live] });
    expect(read(Array(99).fill(live))).toMatchObject({ places: Array(16).fill(live) });
  });

  it('passes over kinds that a newer server may have', () => {
    expect(say({ type: 'confetti' })).toBeNull();
  });

  it('drops what nobody asked for', () => {
    expect(say({ type: 'audience', viewers: 1, names: ['x'] })).toEqual({ type: 'audience', viewers: 1 });
  });

  it.each([
    'nonsense',
    '[]',
    'null',
    '{}',
    '{"type":7}',
    '{"type":"answer","number":1.5,"sdp":""}',
    '{"type":"answer","number":-1,"sdp":""}',
    '{"type":"stage","audio":"live"}',
    '{"type":"stage","audio":"live","video":"LIVE"}',
    '{"type":"stage","audio":"live","video":"live","places":[{"audio":"live"}]}',
    '{"type":"stage","audio":"live","video":"live","places":{}}',
    '{"type":"place"}',
    '{"type":"quality","video":"best"}',
    '{"type":"quality","video":"low","places":["best"]}',
    '{"type":"layers","layers":{}}',
    '{"type":"layers","layers":[{"rid":"h","active":1}]}',
    '{"type":"welcome","role":"king","event":{},"stage":{}}',
    '{"type":"fault","fault":{"code":"internal"}}',
    '{"type":"challenge"}',
    '{"type":"renewed","expires_in":"300"}',
    JSON.stringify({ ...WELCOME, expires_in: undefined }),
    JSON.stringify({ ...WELCOME, ice_servers: {} }),
    JSON.stringify({ ...WELCOME, ice_servers: [{ username: 'u', credential: 'c' }] }),
    JSON.stringify({ ...WELCOME, ice_servers: [{ url: 'turn:a.example', username: 'u' }] }),
  ])('refuses %s', (text) => {
    expect(() => parseServerMessage(text)).toThrow(Malformed);
  });

  it('is not fooled by the names of object methods', () => {
    expect(say({ type: 'constructor' })).toBeNull();
    expect(say({ type: '__proto__' })).toBeNull();
  });
});

describe('signing in elsewhere', () => {
  it('lists the providers, and none where a server knows of none', () => {
    const providers = [{ number: 0, name: 'University' }];
    expect(parseInstance({ ready: true, providers, passkeys: true })).toEqual({
      ready: true,
      providers,
      passkeys: true,
    });
    expect(parseInstance({ ready: true })).toEqual({ ready: true, providers: [], passkeys: false });
    expect(() => parseInstance({ ready: true, providers: [{ number: 0 }] })).toThrow(Malformed);
  });

  it('goes to web addresses only', () => {
    expect(parseDeparture({ location: 'https://id.example/auth?x' })).toEqual({
      location: 'https://id.example/auth?x',
    });
    for (const location of ['javascript:alert(1)', 'data:text/html,x', '/auth', '', 7, ' https://a']) {
      expect(() => parseDeparture({ location })).toThrow(Malformed);
    }
  });
});

describe('the rest of the wire', () => {
  it('takes a fault code it does not know for an internal one, and keeps the words', () => {
    expect(parseFault({ ...fault('internal'), code: 'brand-new' })).toEqual(fault('internal'));
  });

  it('keeps the detail where there is one', () => {
    expect(parseFault({ ...fault('sdp-invalid'), detail: 'line 3' }).detail).toBe('line 3');
  });

  it('reads lists, and refuses anything else in their place', () => {
    expect(parseEventList({ events: [EVENT] })).toEqual([EVENT]);
    expect(() => parseEventList({ events: {} })).toThrow(Malformed);
    const { latency, ...older } = EVENT;
    expect(parseEventList({ events: [older] })).toEqual([{ ...older, latency }]);
    expect(() => parseEventList({ events: [{ ...EVENT, latency: 'none' }] })).toThrow(Malformed);
    const { location, ...before } = EVENT;
    expect(parseEventList({ events: [before] })).toEqual([{ ...before, location }]);
    const capped = { ...EVENT, location: { finest: 'city', minutes: 30 } };
    expect(parseEventList({ events: [capped] })).toEqual([capped]);
    expect(() =>
      parseEventList({ events: [{ ...EVENT, location: { finest: 'street', minutes: 1 } }] }),
    ).toThrow(Malformed);
    expect(() => parseJson('7')).toThrow(Malformed);
  });

  it('reads bans, which name nobody', () => {
    const ban = { id: 'a', made: 1_800_000_000, holds_for: 'guest', title: 'T' };
    expect(parseBanList({ bans: [{ ...ban, name: 'Eve' }] })).toEqual([ban]);
    expect(parseBan({ ...ban, remedy: 'R' })).toEqual({ ...ban, remedy: 'R' });
    for (const wrong of [{ holds_for: 'ever' }, { made: 'now' }, { id: 7 }]) {
      expect(() => parseBan({ ...ban, ...wrong })).toThrow(Malformed);
    }
  });

  it('reads stream keys, with the key once and without it ever after', () => {
    const made = { id: 'a', key: 'vk_b', expires_in: 60 };
    expect(parseStreamKey(made)).toEqual(made);
    expect(() => parseStreamKey({ ...made, key: undefined })).toThrow(Malformed);
    const [unused, used] = [null, 7].map((used_minutes_ago) => ({
      id: 'a',
      expires_in: 60,
      idle: false,
      used_minutes_ago,
    }));
    expect(parseStreamKeyList({ stream_keys: [unused, { ...used, key: 'vk_b' }] })).toEqual([unused, used]);
    for (const wrong of [undefined, -1, 'soon']) {
      expect(() => parseStreamKeyList({ stream_keys: [{ ...used, used_minutes_ago: wrong }] })).toThrow(
        Malformed,
      );
    }
  });

  it('reads invitations, with their code once and without it ever after', () => {
    const made = { id: 'a', code: 'b', expires_in: 60 };
    expect(parseInvitation(made)).toEqual(made);
    expect(() => parseInvitation({ ...made, code: undefined })).toThrow(Malformed);
    const listed = { id: 'a', role: 'viewer', expires_in: 60, used: false };
    expect(parseInvitationList({ invitations: [listed] })).toEqual([listed]);
    expect(() => parseInvitationList({ invitations: [{ ...listed, used: 'no' }] })).toThrow(Malformed);
    expect(() => parseInvitationList({ invitations: [{ ...listed, role: 'king' }] })).toThrow(Malformed);
  });
});
