import { describe, expect, it } from 'vitest';
import { askedWords, chosenWords, lifetimeWords, purposeName } from '../src/app/receipt-words.js';
import { parseAccountReceipts, parseReceipts, readReceipt } from '../src/sdk/receipt.js';
import { made, TERMS } from './made-receipt.js';

describe('a receipt', () => {
  it('is read as it stands', () => {
    expect(readReceipt(made({}))).toEqual({
      id: 'r1',
      event: 'e1',
      purpose: 'chat',
      version: 2,
      chosen: 'given',
      at: 1_800_000_000,
      origin: 'https://friend.example',
    });
    const tap = readReceipt(made({ event_state: 'withdrawn', statement: undefined }));
    expect([tap.chosen, tap.origin]).toEqual(['withdrawn', null]);
    expect(readReceipt(made({ event: 'Zoë’s' })).event).toBe('Zoë’s');
  });

  it.each([
    '',
    'a.b',
    'a.!!!.c',
    'a.bm8.c',
    made({ event_state: 'maybe' }),
    made({ event_time: -1 }),
    made({ purpose: 7 }),
    made({ statement: 'nothing' }),
  ])('that cannot be read is none (%s)', (text) => {
    expect(() => readReceipt(text)).toThrow();
  });

  it('comes from the server with the time when it goes', () => {
    const receipt = made({});
    const told = { id: 'r1', receipt, kept_until: 1_863_072_000 };
    expect(parseAccountReceipts({ receipts: [told], more: true })).toEqual({
      receipts: [{ receipt, said: readReceipt(receipt), keptUntil: 1_863_072_000 }],
      more: true,
    });
    expect(parseAccountReceipts({ receipts: [], more: false })).toEqual({ receipts: [], more: false });
    for (const wrong of [{ kept_until: 'soon' }, { receipt: 'no' }, { receipt: 7 }])
      expect(() => parseAccountReceipts({ receipts: [{ ...told, ...wrong }], more: false })).toThrow();
    expect(() => parseReceipts({ receipts: [7] })).toThrow();
  });

  it('is told in the words that were signed, if they are known here', () => {
    const said = readReceipt(made({}));
    expect(askedWords(said, [TERMS])).toBe('Take part in the chat?');
    expect(askedWords({ ...said, version: 1 }, [TERMS])).toBe('Chat (in earlier words, version 1)');
    expect(askedWords({ ...said, purpose: 'x-season-letter' }, [TERMS])).toContain('Season letter');
    expect([purposeName('location'), purposeName('later')]).toEqual(['Where you are', 'Later']);
    const words = (['given', 'refused', 'withdrawn'] as const).map(chosenWords);
    expect(words).toEqual(['You said yes', 'You said no', 'You took it back']);
    expect([1_825, 730, 365, 31].map((days) => lifetimeWords(days * 86_400))).toEqual([
      '5 years',
      'two years',
      'a year',
      '31 days',
    ]);
  });
});
