import type { LocationPrecision } from '../protocol/index.js';

/** Degrees. Never leaves the device: what does is an area. */
export interface Fix {
  readonly latitude: number;
  readonly longitude: number;
}

export type Precision = Exclude<LocationPrecision, 'none'>;

/** The earth in areas. */
export interface Grid {
  /** The area of that size around a place; `null` where there is none, at sea. */
  areaAt(precision: Precision, fix: Fix): string | null;
  /** How far a place is beyond the border of an area: 1 is as far as a cell is wide; 0 inside. */
  beyond(precision: Precision, area: string, fix: Fix): number;
}

/** The server takes another area no sooner. */
export const AREA_REST_MS = 300_000;

/** So far beyond the border, as a part of a cell's width, somebody has left it. */
export const BEYOND = 0.2;

/**
 * Says in which area somebody is, and remembers what it said: whoever stands at a border, or goes to and fro across it, stays
 * where they were. Without that, an area that flickers would tell that its person is at the border, and many inexact places put
 * together where exactly.
 */
export class Coarse {
  #area: string | null;
  #since: number;

  /** `known`: what was said before this page was loaded, and when. */
  constructor(
    private readonly grid: Grid,
    private readonly precision: Precision,
    known: { area: string; since: number } | null = null,
  ) {
    this.#area = known?.area ?? null;
    this.#since = known?.since ?? Number.NEGATIVE_INFINITY;
  }

  /** The last that was said. */
  get area(): string | null {
    return this.#area;
  }

  /** Takes a place at a time in milliseconds. Returns what is to be said: the same as before, mostly. */
  take(fix: Fix, now: number): string | null {
    const area = this.grid.areaAt(this.precision, fix);
    if (area !== null && area !== this.#area && this.#leaves(fix, now)) {
      this.#area = area;
      this.#since = now;
    }
    return this.#area;
  }

  #leaves(fix: Fix, now: number): boolean {
    if (this.#area === null) return true;
    if (now - this.#since < AREA_REST_MS) return false;
    return this.grid.beyond(this.precision, this.#area, fix) >= BEYOND;
  }
}
