/** The earth in H3's cells and in countries. Large, and so loaded only when somebody opens what needs it. */

import { cellToBoundary, cellToLatLng, latLngToCell } from 'h3-js';
import type { Fix, Grid, Precision } from './coarse.js';
import { type Corner, type Country, isIn, readOutline, toBorder, toLine } from './outline.js';

const RESOLUTION: Readonly<Record<Exclude<Precision, 'country'>, number>> = {
  region: 4,
  city: 6,
  precise: 9,
};

/** The outline is simplified: whoever stands on a coast may be in the sea by it. */
const COAST_KM = 25;

/** A border between countries is kept like one between regions. */
const COUNTRY_WIDTH_KM = 45;

export class Earth implements Grid {
  /** `fine`: an outline that knows small countries, for whoever is to be found in one. */
  constructor(private readonly fine: readonly Country[]) {}

  areaAt(precision: Precision, fix: Fix): string | null {
    if (precision !== 'country') return latLngToCell(fix.latitude, fix.longitude, RESOLUTION[precision]);
    return this.#countryAt(corner(fix));
  }

  /** The country that the middle of a cell is in; `null` in the sea. */
  countryOf(cell: string): string | null {
    return this.#countryAt(cellCentre(cell));
  }

  #countryAt(place: Corner): string | null {
    const known = this.fine.filter(({ letters }) => letters !== null);
    const around = known.find((country) => isIn(country, place));
    if (around !== undefined) return around.letters;
    const [nearest] = known
      .map((country) => ({ letters: country.letters, away: toBorder(country, place) }))
      .sort((one, other) => one.away - other.away);
    return nearest !== undefined && nearest.away <= COAST_KM ? nearest.letters : null;
  }

  beyond(precision: Precision, area: string, fix: Fix): number {
    if (precision === 'country') {
      const country = this.fine.find(({ letters }) => letters === area);
      if (country === undefined || isIn(country, corner(fix))) return 0;
      return toBorder(country, corner(fix)) / COUNTRY_WIDTH_KM;
    }
    if (this.areaAt(precision, fix) === area) return 0;
    const ring = cellRing(area);
    const edges = ring.slice(1).map((to, at) => [ring[at] as Corner, to] as const);
    const nearest = Math.min(...edges.map(([from, to]) => toLine(corner(fix), from, to)));
    const [latitude, longitude] = cellToLatLng(area);
    const centre: Corner = [longitude, latitude];
    // Twice the way from the centre to a side; a pentagon's sides differ.
    const ways = edges.map(([from, to]) => toLine(centre, from, to));
    return nearest / ((2 * ways.reduce((sum, way) => sum + way, 0)) / ways.length);
  }
}

/** With the outline that a precision needs. */
export async function earthFor(precision: Precision): Promise<Earth> {
  if (precision !== 'country') return new Earth([]);
  const file = await import('world-atlas/countries-50m.json');
  return new Earth(readOutline(file.default));
}

/** The outline of a map. */
export async function worldOutline(): Promise<Country[]> {
  const file = await import('world-atlas/countries-110m.json');
  return readOutline(file.default);
}

/** A cell's border, closed, without a jump where the date changes. */
export function cellRing(cell: string): Corner[] {
  const ring = cellToBoundary(cell, true).map(([x, y]): Corner => [x, y]);
  const first = ring[0]?.[0] ?? 0;
  return ring.map(([x, y]): Corner => [x - first > 180 ? x - 360 : first - x > 180 ? x + 360 : x, y]);
}

export function cellCentre(cell: string): Corner {
  const [latitude, longitude] = cellToLatLng(cell);
  return [longitude, latitude];
}

function corner({ latitude, longitude }: Fix): Corner {
  return [longitude, latitude];
}
