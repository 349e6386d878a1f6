import type { LocatedPerson, LocationPrecision, MapArea, Shade } from '../protocol/index.js';
import { boolean, count, type Fields, type Incoming, list, object, oneOf, string } from './parse.js';

const PRECISIONS: readonly LocationPrecision[] = ['none', 'country', 'region', 'city', 'precise'];
const SHADES: readonly Shade[] = ['light', 'medium', 'strong'];

/** What a socket says of where people are. */
export const LOCATION_READERS: readonly [string, (fields: Fields) => Incoming][] = [
  ['locations', (f) => ({ type: 'locations', people: list(f, 'people').map(parsePerson) })],
  ['location-gone', (f) => ({ type: 'location-gone', generation: count(f, 'generation') })],
  ['location-map', (f) => ({ type: 'location-map', areas: list(f, 'areas').map(parseArea) })],
  ['own-location', (f) => ({ type: 'own-location', ...parseShown(f), changes_in: count(f, 'changes_in') })],
];

function parseShown(fields: Fields): Pick<LocatedPerson, 'generation' | 'precision' | 'area'> {
  return {
    generation: count(fields, 'generation'),
    precision: oneOf(fields, 'precision', PRECISIONS),
    area: areaName(fields),
  };
}

function parsePerson(value: unknown): LocatedPerson {
  const fields = object(value);
  return { ...parseShown(fields), broadcaster: boolean(fields, 'broadcaster') };
}

function parseArea(value: unknown): MapArea {
  const fields = object(value);
  return { area: areaName(fields), shade: oneOf(fields, 'shade', SHADES) };
}

/** A country's letters, or a cell. Whatever else there may be could not be drawn. */
function areaName(fields: Fields): string {
  const area = string(fields, 'area');
  return /^(?:[A-Z]{2}|8[0-9a-f]{14})$/.test(area) ? area : '';
}
