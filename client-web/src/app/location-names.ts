import type { LocationPrecision } from '../protocol/index.js';
import type { Earth } from '../sdk/earth.js';

const SIZES: Readonly<Record<LocationPrecision, string>> = {
  none: '',
  country: '',
  region: 'A region',
  city: 'An area the size of a city',
  precise: 'A neighbourhood',
};

/** Areas in words. A cell has no name of its own: it is told by its size and the country around its middle. */
export class AreaNames {
  #earth: Earth | null = null;
  #asked = false;

  /** `known` is called when cells can be told by country, from the outline that comes with this page. */
  constructor(private readonly known: () => void) {}

  /** A country's name; of a cell, that of the country that it is in; empty where that is not known. */
  country(area: string): string {
    if (area.length === 2) return countryName(area);
    if (this.#earth === null) this.#ask();
    const letters = this.#earth?.countryOf(area) ?? null;
    return letters === null ? '' : countryName(letters);
  }

  /** All of it, as somebody would say it. */
  words(precision: LocationPrecision, area: string): string {
    const country = this.country(area);
    if (area.length === 2) return country;
    return country === '' ? SIZES[precision] : `${SIZES[precision]} in ${country}`;
  }

  async #ask(): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    const { Earth, worldOutline } = await import('../sdk/earth.js');
    this.#earth = new Earth(await worldOutline());
    this.known();
  }
}

/** In the person's own language. */
export function countryName(letters: string): string {
  return new Intl.DisplayNames(undefined, { type: 'region' }).of(letters) ?? letters;
}
