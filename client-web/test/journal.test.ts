import { describe, expect, it } from 'vitest';
import { breakGlassWords, entryWords } from '../src/app/journal-words.js';
import { parseEvent } from '../src/sdk/parse.js';
import { parseBreakGlassList, parseSessionLog } from '../src/sdk/parse-journal.js';

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
    expect(entryWords(entry)).toBe('Came (firefox, high)');
    expect(words('joined', 'other')).toBe('Came, as too few others did');
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
