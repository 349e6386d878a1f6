import { describe, expect, it } from 'vitest';
import type { ClientMessage, ConsentStanding, LocatedPerson } from '../src/protocol/index.js';
import { AREA_REST_MS, type Fix, type Grid, type Precision } from '../src/sdk/coarse.js';
import { Consents } from '../src/sdk/consents.js';
import { earthFor } from '../src/sdk/earth.js';
import type { VeilcastError } from '../src/sdk/errors.js';
import { Lookout } from '../src/sdk/lookout.js';
import { parseServerMessage } from '../src/sdk/parse.js';
import { Sharer } from '../src/sdk/sharer.js';
import { Whereabouts } from '../src/sdk/whereabouts.js';
import { FakeClock, fault, settle } from './fakes.js';

const VIENNA: Fix = { latitude: 48.208_174_3, longitude: 16.373_819_7 };
const GRAZ: Fix = { latitude: 47.070_714_2, longitude: 15.439_503_8 };

function sharing(grid: (precision: Precision) => Promise<Grid> = earthFor) {
  const clock = new FakeClock();
  const sent: ClientMessage[] = [];
  const failures: VeilcastError[] = [];
  const consents = new Consents((message) => sent.push(message) > 0, clock);
  const lookout = new Lookout((message) => sent.push(message), clock);
  const whereabouts = new Whereabouts((message) => sent.push(message), consents, lookout);
  const device = { fix: VIENNA, looks: 0 };
  const locate = async (): Promise<Fix> => {
    device.looks += 1;
    return device.fix;
  };
  const failed = (error: VeilcastError): void => void failures.push(error);
  const sharer = new Sharer({ consents, whereabouts, clock, random: () => 0.5, locate, grid, failed });
  const hear = (message: object): void => {
    const parsed = parseServerMessage(JSON.stringify(message));
    if (parsed === null) throw new Error('is known');
    if (parsed.type === 'synced') lookout.synced(parsed);
    else if (!consents.take(parsed)) whereabouts.take(parsed);
  };
  const stand = (standing: ConsentStanding, generation: number | null = null): void =>
    hear({ type: 'consent', purposes: [{ purpose: 'location', standing, generation, expires_in: null }] });
  return { clock, sent, failures, consents, whereabouts, lookout, device, sharer, hear, stand };
}

const areas = (sent: readonly ClientMessage[]): string[] =>
  sent.flatMap((message) => (message.type === 'share-location' ? [message.area] : []));

describe('sharing where one is', () => {
  it('finds the area first, asks then, and says it once the person has agreed', async () => {
    const { sent, sharer, stand, device } = sharing();
    await sharer.begin('city');
    expect([sent, device.looks]).toEqual([[{ type: 'request-consent', purpose: 'location' }], 1]);
    stand('granted', 1);
    expect(areas(sent)).toEqual(['861e15b47ffffff']);
  });

  it('says nothing to whoever was refused, and looks no more', async () => {
    const { sent, sharer, stand, clock, device } = sharing();
    await sharer.begin('city');
    stand('refused');
    await clock.pass(10 * AREA_REST_MS);
    expect([areas(sent), device.looks]).toEqual([[], 1]);
  });

  it.each<Precision>(['region', 'city', 'precise'])('lets no coordinate out (%s)', async (precision) => {
    const { sent, sharer, stand, clock, device } = sharing();
    await sharer.begin(precision);
    stand('granted', 1);
    for (const fix of [GRAZ, VIENNA, GRAZ]) {
      device.fix = fix;
      await clock.pass(3 * AREA_REST_MS);
    }
    sharer.stop();
    expect(new Set(areas(sent)).size).toBe(2);
    const wire = JSON.stringify(sent);
    for (const number of [VIENNA, GRAZ].flatMap(({ latitude, longitude }) => [latitude, longitude])) {
      for (const digits of [1, 2, 3, 4, 5, 6, 7]) expect(wire).not.toContain(number.toFixed(digits));
    }
    // And no cell that is finer than was chosen: its resolution stands in the second digit.
    const resolution = { country: '', region: '4', city: '6', precise: '9' }[precision];
    for (const area of areas(sent)) expect(area[1]).toBe(resolution);
  });

  it('looks for the device every five minutes or more, and keeps to an area until it is left', async () => {
    const { sent, sharer, stand, clock, device } = sharing();
    await sharer.begin('city');
    stand('granted', 1);
    await clock.pass(AREA_REST_MS);
    expect(device.looks).toBe(1);
    await clock.pass(60 * 60_000);
    expect(device.looks).toBeLessThanOrEqual(12);
    expect(new Set(areas(sent)).size).toBe(1);
  });

  it('stops at once', async () => {
    const { sent, sharer, stand, clock, device } = sharing();
    await sharer.begin('city');
    stand('granted', 1);
    sharer.stop();
    expect(sent.at(-1)).toEqual({ type: 'withdraw-consent', purpose: 'location' });
    const before = [sent.length, device.looks];
    await clock.pass(10 * AREA_REST_MS);
    expect([sent.length, device.looks]).toEqual(before);
  });

  it('goes on in another page of the same person, from the area that is shown', async () => {
    const { sent, sharer, stand, hear, clock, device } = sharing();
    stand('granted', 3);
    hear({
      type: 'own-location',
      generation: 3,
      precision: 'city',
      area: '861e15b77ffffff',
      changes_in: 100,
    });
    await settle();
    expect([areas(sent), device.looks]).toEqual([[], 0]);
    await clock.pass(100_000 + 60_000);
    // The next cell's person is within a fifth of it: the old one stays.
    expect([areas(sent), device.looks]).toEqual([['861e15b77ffffff'], 1]);
    sharer.dispose();
  });

  it('tries again where the server says that it was too soon, and tells of other faults', async () => {
    const { sent, sharer, stand, hear, clock, failures } = sharing();
    await sharer.begin('city');
    stand('granted', 1);
    hear({ type: 'fault', fault: fault('location-too-soon') });
    expect(failures).toEqual([]);
    await clock.pass(AREA_REST_MS / 10);
    expect(areas(sent)).toHaveLength(2);
    hear({ type: 'fault', fault: fault('location-too-fine') });
    expect(failures.map(({ code }) => code)).toEqual(['location-too-fine']);
  });
});

describe('seeing where others are', () => {
  const person = (generation: number, area = '861e15b47ffffff'): LocatedPerson => ({
    generation,
    precision: 'city',
    area,
    broadcaster: false,
  });

  it('shows people until they stop, and nothing of a grant that has ended', () => {
    const { whereabouts, hear } = sharing();
    hear({ type: 'locations', people: [person(1), person(2), person(3)] });
    hear({ type: 'retracted', purpose: 'location', generation: 2 });
    hear({ type: 'retracted', purpose: 'chat', generation: 3 });
    hear({ type: 'locations', people: [person(1, '861e10a17ffffff'), person(2)] });
    expect(whereabouts.people.map(({ generation, area }) => [generation, area])).toEqual([
      [1, '861e10a17ffffff'],
      [3, '861e15b47ffffff'],
    ]);
    hear({ type: 'location-gone', generation: 1 });
    hear({ type: 'locations', people: [person(1)] });
    expect(whereabouts.people).toHaveLength(2);
  });

  it('forgets all of it with the connection, and takes nothing that is no area', () => {
    const { whereabouts, hear } = sharing();
    hear({ type: 'locations', people: [person(1), person(2, '<b>'), person(4, '48.2082')] });
    hear({
      type: 'location-map',
      areas: [
        { area: 'AT', shade: 'light' },
        { area: '16.37', shade: 'strong' },
      ],
    });
    expect(whereabouts.people).toHaveLength(1);
    expect(whereabouts.map).toEqual([{ area: 'AT', shade: 'light' }]);
    whereabouts.begin();
    expect([whereabouts.people, whereabouts.map]).toEqual([[], []]);
  });

  it('shows nothing while nobody looks, after a sleep, and before it has caught up', async () => {
    const { whereabouts, hear, lookout, sent, clock } = sharing();
    const told: number[] = [];
    whereabouts.on('people', (people) => told.push(people.length));
    lookout.begin();
    lookout.look(false);
    lookout.look(true);
    expect(sent).toEqual([]);
    hear({ type: 'locations', people: [person(1), person(2)] });
    hear({ type: 'location-map', areas: [{ area: 'AT', shade: 'light' }] });
    lookout.look(false);
    expect([whereabouts.people, whereabouts.map]).toEqual([[], []]);
    hear({ type: 'locations', people: [person(3)] });
    lookout.look(true);
    expect([whereabouts.people, sent]).toEqual([[], [{ type: 'sync', number: 1 }]]);
    hear({ type: 'retracted', purpose: 'location', generation: 2 });
    hear({ type: 'synced', number: 1 });
    expect(whereabouts.people.map(({ generation }) => generation)).toEqual([1, 3]);
    expect(whereabouts.map).toHaveLength(1);
    // The machine has slept for a minute, and told nobody.
    const real = Date.now;
    Date.now = () => real() + 60_000;
    await clock.pass(1_000);
    Date.now = real;
    expect([whereabouts.people, sent.at(-1)]).toEqual([[], { type: 'sync', number: 2 }]);
    expect(told).toEqual([0, 0, 2, 0, 0, 0, 2, 0]);
    lookout.stop();
  });

  it('shows nothing of one’s own that has ended', () => {
    const { whereabouts, hear } = sharing();
    const own = {
      type: 'own-location',
      generation: 1,
      precision: 'city',
      area: '861e15b47ffffff',
      changes_in: 300,
    };
    hear(own);
    expect(whereabouts.own?.area).toBe('861e15b47ffffff');
    hear({ type: 'retracted', purpose: 'location', generation: 1 });
    hear(own);
    expect(whereabouts.own).toBeNull();
  });
});
