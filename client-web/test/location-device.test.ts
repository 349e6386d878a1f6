import { latLngToCell } from 'h3-js';
import { describe, expect, it } from 'vitest';
import { AREA_REST_MS, BEYOND, Coarse, type Fix, type Precision } from '../src/sdk/coarse.js';
import { type Earth, earthFor } from '../src/sdk/earth.js';

/** SplitMix64, so that a run can be told by its number. */
class Dice {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed);
  }

  /** Uniform in [0, 1). */
  next(): number {
    const mask = (1n << 64n) - 1n;
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & mask;
    let bits = this.#state;
    bits = ((bits ^ (bits >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    bits = ((bits ^ (bits >> 27n)) * 0x94d049bb133111ebn) & mask;
    return Number((bits ^ (bits >> 31n)) >> 11n) / 2 ** 53;
  }

  /** Normal, with a spread of one. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

/** What an attacker learns is printed, beside being bounded. */
function print(words: string): void {
  // biome-ignore lint/suspicious/noConsole: it is what the test is read for
  console.log(words);
}

const KM = 1 / 111.2;
const RESOLUTION: Readonly<Record<string, number>> = { region: 4, city: 6, precise: 9 };
const WIDTH_KM: Readonly<Record<string, number>> = { region: 45, city: 6.5, precise: 0.3 };
const CELLS: readonly Precision[] = ['region', 'city', 'precise'];
const MINUTE = 60_000;

const somewhere = (dice: Dice): Fix => ({
  latitude: 47 + dice.next() * 3,
  longitude: 9 + dice.next() * 7,
});

const moved = ({ latitude, longitude }: Fix, northKm: number, eastKm: number): Fix => ({
  latitude: latitude + northKm * KM,
  longitude: longitude + (eastKm * KM) / Math.cos((latitude * Math.PI) / 180),
});

/** On the border of two cells, to a metre, found by halving a way that crosses one. */
function atBorder(dice: Dice, precision: Precision): Fix {
  const resolution = RESOLUTION[precision] ?? 6;
  const cell = (fix: Fix): string => latLngToCell(fix.latitude, fix.longitude, resolution);
  let from = somewhere(dice);
  let to = moved(from, 2 * (WIDTH_KM[precision] ?? 1), 0);
  while (Math.abs(to.latitude - from.latitude) > 1e-5) {
    const middle = { latitude: (from.latitude + to.latitude) / 2, longitude: from.longitude };
    if (cell(middle) === cell(from)) from = middle;
    else to = middle;
  }
  return from;
}

/** Without memory: what the same places would have told. */
class Forgetful {
  constructor(
    private readonly earth: Earth,
    private readonly precision: Precision,
  ) {}

  take(fix: Fix): string | null {
    return this.earth.areaAt(this.precision, fix);
  }
}

/** How often what is said changes. */
const changes = (said: readonly (string | null)[]): number =>
  said.filter((area, at) => at > 0 && area !== said[at - 1]).length;

describe('an attacker who averages', () => {
  it.each(CELLS)(
    'learns nothing from a hundred inexact places of somebody at a border (%s)',
    async (precision) => {
      const earth = await earthFor(precision);
      const flickers = { remembering: 0, forgetful: 0 };
      for (let seed = 0; seed < 40; seed += 1) {
        const dice = new Dice(seed);
        const home = atBorder(dice, precision);
        const noise = (WIDTH_KM[precision] ?? 1) / 30;
        const fixes = Array.from({ length: 100 }, () =>
          moved(home, dice.normal() * noise, dice.normal() * noise),
        );
        const coarse = new Coarse(earth, precision);
        const forgetful = new Forgetful(earth, precision);
        flickers.remembering += changes(fixes.map((fix, at) => coarse.take(fix, at * 6 * MINUTE)));
        flickers.forgetful += changes(fixes.map((fix) => forgetful.take(fix)));
      }
      print(
        `averaging, ${precision}: ${flickers.remembering} changes to average, ${flickers.forgetful} without memory`,
      );
      expect(flickers.remembering).toBe(0);
      expect(flickers.forgetful).toBeGreaterThan(40 * 20);
    },
  );
});

describe('an attacker who waits for crossings', () => {
  it.each(CELLS)('sees nothing of somebody who goes to and fro across a border (%s)', async (precision) => {
    const earth = await earthFor(precision);
    let seen = { remembering: 0, forgetful: 0 };
    for (let seed = 0; seed < 20; seed += 1) {
      const dice = new Dice(seed);
      const home = atBorder(dice, precision);
      const swing = (WIDTH_KM[precision] ?? 1) * 0.15;
      const walk = Array.from({ length: 60 }, (_, at) => moved(home, Math.sin(at) * swing, 0));
      const coarse = new Coarse(earth, precision);
      const forgetful = new Forgetful(earth, precision);
      seen = {
        remembering: seen.remembering + changes(walk.map((fix, at) => coarse.take(fix, at * 6 * MINUTE))),
        forgetful: seen.forgetful + changes(walk.map((fix) => forgetful.take(fix))),
      };
    }
    print(`to and fro, ${precision}: ${seen.remembering} crossings seen, ${seen.forgetful} without memory`);
    expect(seen.remembering).toBe(0);
    expect(seen.forgetful).toBeGreaterThan(100);
  });

  it.each(CELLS)('learns at a crossing no more than a strip of the new cell (%s)', async (precision) => {
    const earth = await earthFor(precision);
    const width = WIDTH_KM[precision] ?? 1;
    const [depths, naive, perHour]: [number[], number[], number[]] = [[], [], []];
    for (let seed = 0; seed < 60; seed += 1) {
      const dice = new Dice(seed);
      // From a stroll to a train, as they fit the cell: it is crossed within half an hour to three hours.
      const speed = (width / 60) * (0.33 + dice.next() * 1.67);
      const heading = dice.next() * 2 * Math.PI;
      let place = somewhere(dice);
      let last = place;
      const coarse = new Coarse(earth, precision);
      const said: (string | null)[] = [];
      // The device is looked for every five to seven minutes.
      for (let minute = 0; minute < 360; ) {
        const before = said.at(-1);
        const area = coarse.take(place, minute * MINUTE);
        if (before !== undefined && area !== before && typeof before === 'string') {
          depths.push(earth.beyond(precision, before, place));
        }
        const under = earth.areaAt(precision, place);
        if (under !== earth.areaAt(precision, last)) naive.push(1);
        said.push(area);
        last = place;
        const step = 5 + dice.next() * 2;
        minute += step;
        const turn = heading + dice.normal() * 0.3;
        place = moved(place, Math.cos(turn) * speed * step, Math.sin(turn) * speed * step);
      }
      perHour.push(changes(said) / 6);
    }
    depths.sort((a, b) => a - b);
    const [least = 0, most = 0] = [depths[0], depths.at(-1)];
    const [low = 0, high = 0] = [
      depths[Math.floor(depths.length * 0.1)],
      depths[Math.floor(depths.length * 0.9)],
    ];
    print(
      `crossing, ${precision}: ${depths.length} seen of ${naive.length}; four fifths of them ${low.toFixed(2)} to ${high.toFixed(2)} ` +
        `of a cell beyond the border, all ${least.toFixed(2)} to ${most.toFixed(2)}; at most ${Math.max(...perHour).toFixed(1)} an hour`,
    );
    expect(depths.length).toBeGreaterThan(50);
    expect(least).toBeGreaterThanOrEqual(BEYOND);
    // The strip in which four of five are found is no line.
    expect(high - low).toBeGreaterThan(0.05);
    expect(Math.max(...perHour)).toBeLessThanOrEqual(12);
  });
});

describe('an area with memory', () => {
  const grid = (at: (fix: Fix) => string | null) => ({
    areaAt: (_: Precision, fix: Fix) => at(fix),
    beyond: (_: Precision, area: string, fix: Fix) => (at(fix) === area ? 0 : fix.longitude % 1),
  });
  const cells = grid(({ longitude }) => (longitude < 0 ? null : String(Math.floor(longitude))));
  const fix = (longitude: number): Fix => ({ latitude: 0, longitude });

  it('changes a fifth of a cell beyond the border and five minutes after the last, not before', () => {
    const coarse = new Coarse(cells, 'city');
    expect(coarse.take(fix(0.5), 0)).toBe('0');
    expect(coarse.take(fix(1.19), AREA_REST_MS)).toBe('0');
    expect(coarse.take(fix(1.21), AREA_REST_MS - 1)).toBe('0');
    expect(coarse.take(fix(1.21), AREA_REST_MS)).toBe('1');
    expect(coarse.take(fix(2.5), 2 * AREA_REST_MS - 1)).toBe('1');
    expect(coarse.take(fix(2.5), 2 * AREA_REST_MS)).toBe('2');
  });

  it('stays where it was where there is no area, and remembers over a reload', () => {
    const coarse = new Coarse(cells, 'city', { area: '3', since: 0 });
    expect(coarse.take(fix(-1), AREA_REST_MS)).toBe('3');
    expect(coarse.take(fix(4.1), AREA_REST_MS)).toBe('3');
    expect(new Coarse(cells, 'city').take(fix(-1), 0)).toBeNull();
  });
});

/** The outline is read as a module here, which takes a while on a busy machine. */
const PATIENCE_MS = 60_000;

describe('countries', () => {
  it(
    'are found on the device, small ones too',
    async () => {
      const earth = await earthFor('country');
      const places: [string, number, number][] = [
        ['AT', 48.2, 16.4],
        ['DE', 52.5, 13.4],
        ['FR', 48.9, 2.4],
        ['GB', 51.5, -0.1],
        ['RU', 64.7, 177.5],
        ['US', 40.7, -74.0],
        ['NZ', -41.3, 174.8],
        ['ZA', -26.2, 28.0],
        ['LS', -29.6, 28.2],
        ['LU', 49.6, 6.1],
        ['LI', 47.15, 9.55],
        ['XK', 42.6, 20.9],
        ['BR', -15.8, -47.9],
        ['JP', 35.7, 139.7],
      ];
      for (const [letters, latitude, longitude] of places) {
        expect([letters, earth.areaAt('country', { latitude, longitude })]).toEqual([letters, letters]);
      }
      expect(earth.areaAt('country', { latitude: 0, longitude: -30 })).toBeNull();
    },
    PATIENCE_MS,
  );

  it(
    'are left well beyond the border',
    async () => {
      const earth = await earthFor('country');
      const coarse = new Coarse(earth, 'country');
      expect(coarse.take({ latitude: 48.2, longitude: 16.4 }, 0)).toBe('AT');
      // Bratislava is a few kilometres beyond, Trnava forty.
      expect(coarse.take({ latitude: 48.15, longitude: 17.11 }, AREA_REST_MS)).toBe('AT');
      expect(coarse.take({ latitude: 48.38, longitude: 17.59 }, AREA_REST_MS)).toBe('SK');
    },
    PATIENCE_MS,
  );
});
