import { describe, expect, it } from 'vitest';
import { counterWords, figuresWords, offBy, valueWords } from '../src/app/figure-words.js';
import { entryWords } from '../src/app/journal-words.js';
import { breakGlassWords } from '../src/elements/break-glass.js';
import { parseEvent } from '../src/sdk/parse.js';
import { parseBreakGlassList, parseFigures, parseSessionLog } from '../src/sdk/parse-journal.js';

const entry = { written: 60, event: 'e', who: 'w', what: 'joined', detail: 'firefox:high' };
const log = { epoch: { begins: 0, ends: 86_400, on_disk: false }, entries: [entry] };
const glass = { from: 3_600, until: 7_200, by_two: false };

describe('the session log', () => {
  it('is what the server says, or nothing', () => {
    expect(parseSessionLog(log)).toEqual(log);
    expect(parseSessionLog({ epoch: null, entries: [] })).toEqual({ epoch: null, entries: [] });
    for (const wrong of [{ who: 3 }, { written: -1 }, { detail: null }])
      expect(() => parseSessionLog({ ...log, entries: [{ ...entry, ...wrong }] })).toThrow('malformed');
  });

  it('is told in plain words', () => {
    const words = (what: string, detail: string): string => entryWords({ ...entry, what, detail });
    expect(entryWords(entry)).toBe('Came (Firefox, the best picture)');
    expect(words('quality', 'unknown:-')).toBe('The picture changed (another browser)');
    expect(words('consent', 'chat withdrawn')).toBe('Took it back: Chat');
    expect(words('joined', 'other')).toBe('Came (too few alike to say more)');
    expect(words('left', 'line-lost')).toBe('Lost the line');
    expect(words('totals', '15 0 0 0 0 5')).toBe('Too few to tell apart: about 15 came, about 5 faults');
    expect(words('totals', '0 0 0 0 0 0')).toBe('Too few to tell apart: fewer than five of anything');
    expect(words('revealed', 'guest')).toContain('nothing is known');
    expect(words('later', 'thing')).toBe('later thing');
  });
});

describe('break-glass', () => {
  it('comes with its event and with the privacy page', () => {
    expect(parseBreakGlassList({ break_glass: [glass] })).toEqual([glass]);
    const event = {
      id: 'a',
      title: 't',
      state: 'live',
      admission: 'public',
      listed: false,
      broadcasters: 1,
      latency: 'interactive',
      starts_at: null,
    };
    expect(parseEvent(event).break_glass).toBeUndefined();
    expect(parseEvent({ ...event, break_glass: glass }).break_glass).toEqual(glass);
  });

  it('says who asked, from when and until when', () => {
    expect(breakGlassWords(glass, 0)).toMatch(/^The operator of this server has asked .* From .* to /);
    expect(breakGlassWords({ ...glass, by_two: true }, 4_000)).toMatch(/^Two operators .* Until /);
  });
});

describe('the figures of an event', () => {
  const told = {
    unit: 'one account or one guest’s token',
    epsilon: 1,
    counters_each: 5,
    noise: 'discrete Laplace',
    suppressed_below: 25,
    figures: [
      { counter: 'took-part', value: 90 },
      { counter: 'saw-low', value: null },
    ],
  };

  it('are what the server says', () => {
    expect(parseFigures(told)).toEqual(told);
    expect(parseFigures({ ...told, figures: [] }).figures).toEqual([]);
    for (const wrong of [
      { epsilon: 'one' },
      { figures: [{ counter: 'took-part' }] },
      { figures: [{ value: 3 }] },
    ])
      expect(() => parseFigures({ ...told, ...wrong })).toThrow('malformed');
  });

  it('say of themselves what they are', () => {
    expect(told.figures.map(({ counter, value }) => [counterWords(counter), valueWords(value)])).toEqual([
      ['Took part', 'about 90'],
      ['Had the smallest picture', 'too few to tell'],
    ]);
    expect(counterWords('later')).toBe('later');
    const words = figuresWords(told).join(' ');
    expect(words).toContain('the 5 that one can be in come to 1 together');
    expect(words).toContain('fewer than could be told without telling of one person');
    expect(words).toContain('nine in ten are off by 11 at most');
  });

  it('are off by what the distribution says', () => {
    // The chance of each draw, added up by hand.
    const chance = (epsilon: number, each: number, most: number): number => {
      const q = Math.exp(-epsilon / each);
      const of = (k: number): number => ((1 - q) / (1 + q)) * q ** Math.abs(k);
      return Array.from({ length: 2 * most + 1 }, (_, at) => of(at - most)).reduce(
        (sum, each) => sum + each,
        0,
      );
    };
    for (const [epsilon, each] of [
      [1, 5],
      [1, 1],
      [2, 7],
    ] as const) {
      const most = offBy(epsilon, each);
      expect(chance(epsilon, each, most)).toBeGreaterThanOrEqual(0.9);
      if (most > 0) expect(chance(epsilon, each, most - 1)).toBeLessThan(0.9);
    }
  });
});
