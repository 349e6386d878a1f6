import { minuteWords } from '../elements/minutes.js';
import type { LocationCap, LocationPrecision, MapArea, Shade } from '../protocol/index.js';
import type { Precision } from '../sdk/coarse.js';
import { countryName } from './location-names.js';

export interface PrecisionChoice {
  precision: Precision;
  name: string;
  hint: string;
}

/** From the coarsest to the finest. */
const CHOICES: readonly PrecisionChoice[] = [
  { precision: 'country', name: 'Country', hint: 'Its name, and nothing within it' },
  { precision: 'region', name: 'Region', hint: 'An area some 45 km across' },
  { precision: 'city', name: 'City', hint: 'An area some 6.5 km across' },
  {
    precision: 'precise',
    name: 'Neighbourhood',
    hint: 'An area some 300 m across; only whoever broadcasts sees it',
  },
];

const ORDER: readonly LocationPrecision[] = ['none', 'country', 'region', 'city', 'precise'];

/** What an event lets people choose. `shown`: to every viewer, who see nothing that fine. */
export function precisionChoices({ finest }: LocationCap, shown = false): readonly PrecisionChoice[] {
  const most = shown && finest === 'precise' ? 'city' : finest;
  return CHOICES.filter(({ precision }) => ORDER.indexOf(precision) <= ORDER.indexOf(most));
}

/** What is left, rounded up: "less than" would be the end. */
export function leftWords(ms: number | null): string {
  if (ms === null) return 'until you stop';
  return `${minuteWords(Math.max(1, Math.ceil(ms / 60_000)))} left`;
}

const SHADES: Readonly<Record<Shade, string>> = {
  light: 'a few people',
  medium: 'dozens of people',
  strong: 'a hundred people or more',
};

/** The map for whoever does not see it; a cell has no name, so that cells are counted. */
export function mapWords(areas: readonly MapArea[]): string {
  if (areas.length === 0) return 'No area has five people or more who share.';
  const countries = areas.filter(({ area }) => area.length === 2);
  const cells = areas.length - countries.length;
  const parts = countries.map(({ area, shade }) => `${countryName(area)}: ${SHADES[shade]}`);
  if (cells > 0) parts.push(cells === 1 ? 'One area on the map' : `${cells} areas on the map`);
  return `${parts.join('; ')}.`;
}
