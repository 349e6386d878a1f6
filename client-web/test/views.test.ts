import { describe, expect, it } from 'vitest';
import {
  columns,
  cover,
  isLive,
  type PlaceModel,
  type PlayerModel,
  poster,
  remark,
  spoken,
  tileLabel,
} from '../src/elements/player-view.js';
import {
  airWords,
  duration,
  healthAdvice,
  healthRows,
  layersWords,
  restWords,
  statsWords,
  uplinkRows,
  uplinkWarning,
  viewersWords,
} from '../src/elements/studio-view.js';
import { VeilcastError } from '../src/sdk/errors.js';
import { ABSENT, fault, LIVE, stage } from './fakes.js';

const model = (part: Partial<PlayerModel>): PlayerModel => ({
  session: 'connected',
  stage: LIVE,
  places: [],
  playing: true,
  wish: 'high',
  quality: 'high',
  returning: false,
  unplayable: null,
  ended: null,
  error: null,
  ...part,
});

describe('poster', () => {
  it.each<[string | null, Partial<PlayerModel>]>([
    [null, {}],
    ['connecting', { session: 'idle' }],
    ['connecting', { session: 'connecting' }],
    ['connecting', { playing: false }],
    ['waiting', { stage: ABSENT }],
    ['paused', { stage: stage({ audio: 'muted', video: 'muted' }) }],
    ['paused', { stage: stage({ audio: 'absent', video: 'muted' }) }],
    ['sound-only', { stage: stage({ audio: 'live', video: 'muted' }) }],
    ['sound-only', { stage: stage({ audio: 'live', video: 'absent' }) }],
    ['unplayable', { unplayable: { place: 0, codec: 'H264', title: 'No.' } }],
    ['reconnecting', { session: 'reconnecting' }],
    [null, { quality: 'low' }],
    ['sound-only', { wish: 'off' }],
    ['sound-only', { wish: 'off', stage: stage({ audio: 'live', video: 'muted' }) }],
    ['slow', { quality: 'paused' }],
    ['connecting', { quality: 'off' }],
    ['connecting', { playing: false, returning: true }],
    [null, { returning: true }],
    ['ended', { session: 'ended' }],
    ['failed', { session: 'failed' }],
  ])('%s', (kind, part) => {
    expect(poster(model(part))?.kind ?? null).toBe(kind);
  });

  it('says why there is no picture, and whose it is to bring it back', () => {
    expect(poster(model({ wish: 'off' }))).toMatchObject({
      text: 'You switched the picture off.',
      chosen: true,
    });
    const camera = poster(model({ stage: stage({ audio: 'live', video: 'absent' }), wish: 'off' }));
    expect(camera).toMatchObject({ text: 'The broadcaster’s camera is off.' });
    expect(camera?.chosen).toBeUndefined();
    expect(poster(model({ quality: 'paused' }))?.text).toBe(
      'Your connection is too slow for the picture just now; sound goes on.',
    );
    expect(poster(model({ quality: 'off' }))?.title).toBe('The picture is coming…');
  });

  it('offers another try only where it can help', () => {
    const failed = (code: 'event-private' | 'fingerprint-mismatch') =>
      poster(model({ session: 'failed', error: VeilcastError.refused(fault(code)) }))?.retry;
    expect(failed('event-private')).toBe(false);
    expect(failed('fingerprint-mismatch')).toBe(true);
  });

  it('speaks to viewers of invitations, not of tokens', () => {
    const error = VeilcastError.refused(fault('token-expired'));
    expect(poster(model({ session: 'failed', error }))).toMatchObject({
      title: 'Your invitation has run out',
      retry: false,
    });
  });

  it('passes on why an invitation lets nobody in, and offers no second try with it', () => {
    for (const code of ['invitation-used', 'invitation-invalid'] as const) {
      const error = VeilcastError.refused(fault(code, 403));
      expect(poster(model({ session: 'failed', error }))).toMatchObject({
        title: 'What happened',
        text: 'What to do.',
        retry: false,
      });
    }
  });

  it('says what keeps it from connecting', () => {
    const shown = poster(model({ session: 'connecting', error: VeilcastError.local('unreachable') }));
    expect(shown?.title).toBe('The server cannot be reached');
  });
});

describe('the live badge', () => {
  it('is true only of something that arrives', () => {
    expect(isLive(model({}))).toBe(true);
    expect(isLive(model({ session: 'reconnecting' }))).toBe(false);
    expect(isLive(model({ stage: stage({ audio: 'muted', video: 'muted' }) }))).toBe(false);
  });

  it('is joined by a remark when the sound is off', () => {
    expect(remark(model({ stage: stage({ audio: 'muted', video: 'live' }) }))).toContain('microphone');
    expect(remark(model({}))).toBeNull();
  });
});

describe('studio words', () => {
  const stats = {
    bitrate: 2_449_000,
    framesPerSecond: 29.6,
    width: 1280,
    height: 720,
    layers: 1,
    roundTripMs: 18.4,
    loss: null,
  };

  it('speaks of time, people and numbers as people do', () => {
    expect([duration(65_000), duration(3_605_000), duration(-1)]).toEqual(['1:05', '1:00:05', '0:00']);
    expect([null, 5, 1200].map(viewersWords)).toEqual([
      'Fewer than 5 are watching',
      'About 5 are watching',
      'About 1,200 are watching',
    ]);
    expect(statsWords(stats)).toBe('1280 × 720 · 30 frames/s · 2.4 Mbit/s · 18 ms to the server');
    expect(statsWords({ ...stats, bitrate: 48_000, width: null, framesPerSecond: null })).toBe(
      '48 kbit/s · 18 ms to the server',
    );
  });

  it('tells of lighter versions, and of rest that is nothing to worry about', () => {
    expect(statsWords({ ...stats, layers: 3 })).toContain('1280 × 720 and 2 lighter versions · ');
    expect(statsWords({ ...stats, layers: 2 })).toContain('1280 × 720 and a lighter version · ');
    const layers = (...active: boolean[]) => active.map((on, index) => ({ rid: `${index}`, active: on }));
    expect(restWords([])).toBeNull();
    expect(restWords(layers(true, true, true))).toBeNull();
    expect(restWords(layers(false, true, true))).toBeNull();
    expect(restWords(layers(true, false, false))).toContain('full size');
    expect(restWords(layers(false, false, false))).toContain('while nobody watches');
  });

  it('speaks of an audience, not of persons', () => {
    const few = { high: null, medium: null, low: null, sound_only: null, paused: null };
    expect(healthRows(few)).toBeNull();
    const counts = healthRows({ ...few, high: 1_230, paused: 5 })?.map(({ count }) => count);
    expect(counts).toEqual(['1,230+', '<5', '<5', '<5', '5+']);
    expect(healthAdvice({ ...few, high: 10, paused: 5 })).toBeNull();
    expect(healthAdvice({ ...few, paused: 5 })).toContain('smaller picture');
  });

  it('shows the line and what the server needs of it', () => {
    expect(uplinkRows({ ...stats, loss: 0.012 }).map(([, value]) => value)).toEqual([
      '2.4 Mbit/s',
      '1.2 %',
      '18 ms',
    ]);
    expect(uplinkRows({ ...stats, roundTripMs: null }).map(([, value]) => value)).toContain('not known yet');
    const layers = (...active: boolean[]) =>
      active.map((on, index) => ({ rid: ['l', 'm', 'h'][index] ?? '', active: on }));
    expect(layersWords([])).toBeNull();
    expect(layersWords(layers(true, true, true))).toBe('all 3');
    expect(layersWords(layers(true, true, false))).toBe('small, medium (not needed now: full)');
    expect(layersWords(layers(true, false))).toBe('small (not needed now: full)');
    expect(layersWords(layers(false, false, false))).toBe('none while nobody watches');
  });

  it('warns when there is something to do', () => {
    expect(uplinkWarning({ ...stats, loss: 0.01 })).toBeNull();
    expect(uplinkWarning({ ...stats, loss: 0.2 })).toContain('losing packets');
  });

  it('knows on air from off', () => {
    expect(airWords('connected', true)).toBe('You are on air.');
    expect(airWords('failed', false)).toBe('You are off air.');
  });
});

describe('several pictures', () => {
  const place = (part: Partial<PlaceModel>): PlaceModel => ({
    tenure: 1,
    place: 0,
    audio: 'live',
    video: 'live',
    quality: 'high',
    ...part,
  });
  const two = [place({}), place({ place: 1 })];

  it('have words of their own, unless nothing is to be seen at all', () => {
    expect(poster(model({ places: two }))).toBeNull();
    expect(poster(model({ places: two, playing: false }))).toBeNull();
    expect(poster(model({ places: two, unplayable: { place: 1, codec: 'H264', title: 'No.' } }))).toBeNull();
    expect(poster(model({ places: two, wish: 'off' }))?.chosen).toBe(true);
    expect(poster(model({ places: two, session: 'reconnecting' }))?.kind).toBe('reconnecting');
    expect(remark(model({ places: two, stage: stage({ audio: 'muted', video: 'live' }) }))).toBeNull();
  });

  it.each<[string | null, Partial<PlaceModel>]>([
    [null, {}],
    [null, { audio: 'muted' }],
    [null, { quality: 'low' }],
    ['Sound only', { video: 'muted' }],
    ['Sound only', { video: 'absent' }],
    ['Paused', { audio: 'muted', video: 'muted' }],
    ['Picture paused: slow connection', { quality: 'paused' }],
  ])('%s', (words, part) => {
    expect(cover(place(part), null)?.words ?? null).toBe(words);
  });

  it('say whose picture cannot be played', () => {
    const unplayable = { place: 1, codec: 'H264', title: 'No.' };
    expect(two.map((place) => cover(place, unplayable)?.words)).toEqual([undefined, 'Cannot be played here']);
  });

  it('are named by their place and state', () => {
    const label = (part: Partial<PlaceModel>) => tileLabel(place(part), cover(place(part), null));
    expect(label({})).toBe('Host');
    expect(label({ place: 1, audio: 'muted' })).toBe('Co-host 2, microphone off');
    expect(label({ place: 2, video: 'muted' })).toBe('Co-host 3, Sound only');
    expect(label({ audio: 'muted', video: 'muted' })).toBe('Host, Paused');
    expect(spoken(null, two)).toBe('Live: Host and Co-host 2');
    expect(spoken(null, [...two, place({ place: 4 })])).toBe('Live: Host, Co-host 2 and Co-host 5');
    expect(spoken(null, two.slice(1))).toBe('Live');
  });

  it('stand in a grid that is as even as it can be, or below each other', () => {
    expect([1, 2, 3, 4, 5, 9, 10, 16].map((count) => columns(count, false))).toEqual([
      1, 2, 2, 2, 3, 3, 4, 4,
    ]);
    expect([1, 2, 4, 5, 16].map((count) => columns(count, true))).toEqual([1, 1, 1, 2, 2]);
  });
});
