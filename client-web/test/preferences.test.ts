import { describe, expect, it } from 'vitest';
import { Preferences } from '../src/app/preferences.js';

const DAY = 24 * 3_600_000;

function device(signal = false) {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const world = { now: 1_800_000_000_000, signal };
  const preferences = new Preferences(storage, { now: () => world.now }, () => world.signal);
  return { kept, world, preferences };
}

const QUIET = { volume: 0.3, max: 'low' as const };

describe('what is remembered of a person', () => {
  it('is nothing before they have agreed', () => {
    const { kept, preferences } = device();
    preferences.note(QUIET);
    expect([preferences.read(), kept.size]).toEqual([null, 0]);
  });

  it('is what they chose last, until they turn it off', () => {
    const { kept, preferences } = device();
    preferences.begin({ volume: 1, max: 'high' });
    preferences.note(QUIET);
    expect(preferences.read()).toEqual(QUIET);
    preferences.forget();
    expect([preferences.read(), kept.size]).toEqual([null, 0]);
  });

  it('lasts ninety days after a visit', () => {
    const { kept, world, preferences } = device();
    preferences.begin(QUIET);
    world.now += 89 * DAY;
    expect(preferences.read()).toEqual(QUIET);
    world.now += 89 * DAY;
    expect(preferences.read()).toEqual(QUIET);
    world.now += 90 * DAY;
    expect([preferences.read(), kept.size]).toEqual([null, 0]);
  });

  it('rests while the privacy signal is on, unless they said yes all the same', () => {
    const { kept, world, preferences } = device();
    preferences.begin(QUIET);
    world.signal = true;
    expect([preferences.read(), kept.size]).toEqual([null, 1]);
    preferences.note({ volume: 1, max: 'high' });
    world.signal = false;
    expect(preferences.read()).toEqual(QUIET);
    world.signal = true;
    preferences.begin(QUIET);
    expect(preferences.read()).toEqual(QUIET);
  });

  it.each([
    '{}',
    'no',
    '[]',
    'null',
    '{"version":1,"until":9e15,"volume":7,"max":"high"}',
    '{"version":2,"until":9e15,"volume":1,"max":"high"}',
  ])('is nothing that somebody else wrote or that was agreed to in other words (%s)', (text) => {
    const { kept, preferences } = device();
    kept.set('veilcast-preferences', text);
    expect([preferences.read(), kept.size]).toEqual([null, 0]);
  });
});
