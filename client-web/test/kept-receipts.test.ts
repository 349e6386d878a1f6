import { describe, expect, it } from 'vitest';
import { KeptReceipts, readFile } from '../src/sdk/kept-receipts.js';
import { receiptFile } from '../src/sdk/receipt.js';
import { made } from './made-receipt.js';

const DAY = 24 * 3_600_000;
const PLACE = 'veilcast-receipts';

function device() {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  const world = { now: 1_800_000_000_000, changes: 0, full: false };
  const place = {
    ...storage,
    setItem: (key: string, value: string) => {
      if (world.full) throw new Error('QuotaExceededError');
      storage.setItem(key, value);
    },
  };
  const receipts = new KeptReceipts(place, { now: () => world.now }, () => {
    world.changes += 1;
  });
  return { kept, world, receipts };
}

const key = (x: string) => ({ kty: 'EC', crv: 'P-256', x, y: 'y', d: 'd' });
const [FIRST, SECOND] = [made({}), made({ record_id: 'r2' })];

describe('receipts on a device', () => {
  it('are none before somebody asks for it', () => {
    const { kept, world, receipts } = device();
    expect([receipts.list(), receipts.has([FIRST])]).toEqual([[], false]);
    expect([kept.size, world.changes]).toEqual([0, 0]);
  });

  it('are those of each visit, until that one or all are forgotten', () => {
    const { kept, world, receipts } = device();
    expect(receipts.keep('e1', [FIRST], key('a'))).toBe(true);
    expect(receipts.keep('e1', [FIRST, SECOND], key('a'))).toBe(true);
    expect(receipts.keep('e1', [SECOND], key('b'))).toBe(true);
    expect(receipts.list().map((visit) => [visit.key.x, visit.receipts.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect(receipts.has([FIRST, SECOND])).toBe(true);
    const [first] = receipts.list();
    if (first === undefined) throw new Error('is kept');
    receipts.forget(first);
    expect([receipts.list().length, receipts.has([FIRST])]).toEqual([1, false]);
    receipts.forgetAll();
    expect([receipts.list(), kept.size, world.changes]).toEqual([[], 0, 5]);
  });

  it('go after two years, each of its own, when somebody looks', () => {
    const { kept, world, receipts } = device();
    receipts.keep('e1', [FIRST], key('a'));
    world.now += 400 * DAY;
    receipts.keep('e2', [SECOND], key('b'));
    world.now += 330 * DAY - 1;
    expect(receipts.list()).toHaveLength(2);
    world.now += 1;
    expect(receipts.list().map(({ event }) => event)).toEqual(['e2']);
    expect(kept.get(PLACE)).not.toContain('e1');
    world.now += 400 * DAY;
    expect([receipts.list(), kept.size]).toEqual([[], 0]);
  });

  it('are not more than there is room for, and nothing old makes room by itself', () => {
    const { kept, world, receipts } = device();
    const many = Array.from({ length: 200 }, () => FIRST);
    expect(receipts.keep('e1', many, key('a'))).toBe(true);
    const before = kept.get(PLACE);
    expect(receipts.keep('e2', [SECOND], key('b'))).toBe(false);
    expect(kept.get(PLACE)).toBe(before);
    expect(receipts.keep('e1', [SECOND], key('a'))).toBe(true);
    world.full = true;
    expect(receipts.keep('e2', [SECOND], key('b'))).toBe(false);
    expect(receipts.list()).toHaveLength(1);
  });

  it.each([
    'no',
    'null',
    '{}',
    '[null]',
    '[7]',
    `[{"event":"e","receipts":[],"key":${JSON.stringify(key('a'))},"until":9e15}]`,
    `[{"event":"e","receipts":["x"],"key":${JSON.stringify(key('a'))},"until":9e15}]`,
    `[{"event":"e","receipts":["${FIRST}"],"key":null,"until":9e15}]`,
    `[{"event":"e","receipts":["${FIRST}"],"key":{"x":"a"},"until":9e15}]`,
    `[{"event":"e","receipts":["${FIRST}"],"key":${JSON.stringify(key('a'))}}]`,
  ])('are not what somebody else wrote there (%s)', (text) => {
    const { kept, receipts } = device();
    kept.set(PLACE, text);
    expect([receipts.list(), kept.size]).toEqual([[], 0]);
  });

  it('are read from the file that they were saved in, and from no other', () => {
    const file = receiptFile([FIRST, SECOND], key('a'));
    expect(readFile(file)).toMatchObject({ event: 'e1', receipts: [FIRST, SECOND], key: key('a') });
    for (const other of [
      '',
      'null',
      '[]',
      '{}',
      receiptFile([FIRST]),
      receiptFile([], key('a')),
      receiptFile(['a.b.c'], key('a')),
    ])
      expect(readFile(other)).toBeNull();
  });
});
