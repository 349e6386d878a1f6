/** A simplified outline of the countries, from a TopoJSON file: shared borders are stored once, as steps on a grid. */

import { countryLetters } from './countries.js';
import { Malformed } from './parse.js';

/** Longitude and latitude in degrees. */
export type Corner = readonly [number, number];

export interface Country {
  /** ISO 3166-1. */
  readonly letters: string | null;
  readonly name: string;
  /** Closed rings; what lies in an odd number of them is inside. */
  readonly rings: readonly (readonly Corner[])[];
}

interface Topology {
  transform: { scale: Corner; translate: Corner };
  arcs: Corner[][];
  countries: { id: string | undefined; name: string; rings: number[][] }[];
}

/** Reads such a file. */
export function readOutline(file: unknown): Country[] {
  const { transform, arcs, countries } = topology(file);
  const lines = arcs.map((arc) => unfolded(arc, transform));
  const line = (at: number): readonly Corner[] =>
    at < 0 ? [...(lines[~at] ?? [])].reverse() : (lines[at] ?? []);
  const ring = (parts: number[]): Corner[] =>
    parts.flatMap((at, index) => line(at).slice(index === 0 ? 0 : 1));
  return countries.map(({ id, name, rings }) => ({
    letters: countryLetters(id, name),
    name,
    rings: rings.map(ring),
  }));
}

/** Steps become places. */
function unfolded(arc: readonly Corner[], { scale, translate }: Topology['transform']): Corner[] {
  let [x, y] = [0, 0];
  return arc.map(([dx, dy]): Corner => {
    x += dx;
    y += dy;
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
}

/** Whether a place is in a country. The outline is cut where the world's map is, so that plain degrees do. */
export function isIn({ rings }: Country, [x, y]: Corner): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let at = 0; at + 1 < ring.length; at += 1) {
      const [x0, y0] = ring[at] as Corner;
      const [x1, y1] = ring[at + 1] as Corner;
      if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) inside = !inside;
    }
  }
  return inside;
}

/** How far a place is from a country's border, in kilometres. */
export function toBorder({ rings }: Country, place: Corner): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const ring of rings) {
    for (let at = 0; at + 1 < ring.length; at += 1) {
      nearest = Math.min(nearest, toLine(place, ring[at] as Corner, ring[at + 1] as Corner));
    }
  }
  return nearest;
}

const KM_PER_DEGREE = 111.2;

/** From a place to a piece of a line, in kilometres, on a plane that touches the earth there. */
export function toLine([x, y]: Corner, from: Corner, to: Corner): number {
  const narrow = Math.cos((y * Math.PI) / 180);
  const flat = ([a, b]: Corner): Corner => [around(a - x) * narrow * KM_PER_DEGREE, (b - y) * KM_PER_DEGREE];
  const [ax, ay] = flat(from);
  const [bx, by] = flat(to);
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.min(1, Math.max(0, -(ax * dx + ay * dy) / length));
  return Math.hypot(ax + part * dx, ay + part * dy);
}

/** The shorter way round. */
function around(degrees: number): number {
  return ((((degrees + 180) % 360) + 360) % 360) - 180;
}

function topology(file: unknown): Topology {
  const { transform, arcs, objects } = file as {
    transform: Topology['transform'];
    arcs: Corner[][];
    objects: { countries: { geometries: Geometry[] } };
  };
  if (!Array.isArray(arcs) || !Array.isArray(objects?.countries?.geometries)) throw new Malformed('outline');
  const countries = objects.countries.geometries.map(({ id, type, arcs: of, properties }) => ({
    id,
    name: properties.name,
    rings: type === 'Polygon' ? (of as number[][]) : (of as number[][][]).flat(),
  }));
  return { transform, arcs, countries };
}

/** As the file has it; it is bundled, and so is what this was built with. */
interface Geometry {
  type: 'Polygon' | 'MultiPolygon';
  id?: string;
  arcs: number[][] | number[][][];
  properties: { name: string };
}
