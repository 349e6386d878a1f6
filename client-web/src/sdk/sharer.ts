import type { OwnLocation } from '../protocol/index.js';
import type { Cancel, Clock } from './clock.js';
import { AREA_REST_MS, Coarse, type Fix, type Grid, type Precision } from './coarse.js';
import type { Consents } from './consents.js';
import { VeilcastError } from './errors.js';
import type { Whereabouts } from './whereabouts.js';

/** Where the device is: the browser asks its person first. */
export type Locate = (exact: boolean) => Promise<Fix>;

/** The device is looked for no more often than an area may change, and not by the clock: a crossing tells less of when it was. */
const LOOK_MS = AREA_REST_MS;
const LOOK_SPREAD_MS = 120_000;

/** Shows where this device is for as long as its person agrees. Coordinates stay in here: what is said is an area. */
export class Sharer {
  readonly #memories = new Map<Precision, Coarse>();
  #precision: Precision | null = null;
  #next: Cancel = () => {};
  #unsubscribe: Cancel[];

  constructor(
    private readonly parts: {
      consents: Consents;
      whereabouts: Whereabouts;
      clock: Clock;
      random: () => number;
      locate: Locate;
      grid: (precision: Precision) => Promise<Grid>;
      failed: (error: VeilcastError) => void;
    },
  ) {
    const { consents, whereabouts } = parts;
    this.#unsubscribe = [
      consents.on('change', () => this.#consentChanged()),
      // Shared before this page was loaded, or by another one.
      whereabouts.on('own', (own) => this.#resume(own)),
      // The server's five minutes are not quite ours.
      whereabouts.on('refused', (error) => {
        if (error.code === 'location-too-soon') this.#lookAfter(AREA_REST_MS / 10);
        else parts.failed(error);
      }),
    ];
  }

  /** Finds the area, and asks for consent to show it: what the person is asked about is known to work. */
  async begin(precision: Precision): Promise<void> {
    this.#next();
    this.#precision = precision;
    if ((await this.#look(precision)) === null) return;
    if (this.parts.consents.standing('location') === 'granted') this.#say();
    else this.parts.consents.request('location');
  }

  /** Says no more, and takes the consent back. */
  stop(): void {
    this.#rest();
    this.parts.consents.withdraw('location');
  }

  dispose(): void {
    this.#rest();
    for (const cancel of this.#unsubscribe) cancel();
  }

  #rest(): void {
    this.#next();
    this.#precision = null;
  }

  #consentChanged(): void {
    const standing = this.parts.consents.standing('location');
    if (standing === 'granted') this.#say();
    // `open` is how a new connection begins, before it has told.
    else if (standing !== 'open') this.#rest();
  }

  async #resume(own: OwnLocation | null): Promise<void> {
    if (own === null || own.precision === 'none' || this.#precision !== null) return;
    const { precision, area, changes_in: seconds } = own;
    this.#precision = precision;
    const since = this.parts.clock.now() - AREA_REST_MS + seconds * 1000;
    if (!this.#memories.has(precision)) {
      const grid = await this.parts.grid(precision);
      this.#memories.set(precision, new Coarse(grid, precision, { area, since }));
    }
    if (this.#precision === precision) this.#lookAfter(seconds * 1000 + this.parts.random() * LOOK_SPREAD_MS);
  }

  #say(): void {
    const precision = this.#precision;
    const area = precision === null ? null : (this.#memories.get(precision)?.area ?? null);
    if (precision === null || area === null) return;
    this.parts.whereabouts.share(precision, area);
    this.#lookAfter(LOOK_MS + this.parts.random() * LOOK_SPREAD_MS);
  }

  #lookAfter(ms: number): void {
    this.#next();
    this.#next = this.parts.clock.after(ms, () => this.#lookAgain());
  }

  async #lookAgain(): Promise<void> {
    const precision = this.#precision;
    if (precision === null) return;
    await this.#look(precision);
    if (this.#precision === precision && this.parts.consents.standing('location') === 'granted') this.#say();
  }

  async #look(precision: Precision): Promise<string | null> {
    try {
      const memory = await this.#memory(precision);
      const area = memory.take(await this.parts.locate(precision === 'precise'), this.parts.clock.now());
      if (area === null) this.parts.failed(VeilcastError.local('nowhere'));
      return area;
    } catch (thrown) {
      this.parts.failed(VeilcastError.from(thrown, 'location-unknown'));
      return null;
    }
  }

  async #memory(precision: Precision): Promise<Coarse> {
    const known = this.#memories.get(precision);
    if (known !== undefined) return known;
    const made = new Coarse(await this.parts.grid(precision), precision);
    this.#memories.set(precision, made);
    return made;
  }
}

/** The browser's. Once, not followed: nothing is learned in between. */
export const locateByBrowser: Locate = (exact) =>
  new Promise((resolve, reject) => {
    const refused = ({ code }: GeolocationPositionError): void =>
      reject(VeilcastError.local(code === 1 ? 'location-denied' : 'location-unknown'));
    const found = ({ coords: { latitude, longitude } }: GeolocationPosition): void =>
      resolve({ latitude, longitude });
    if (!('geolocation' in navigator)) reject(VeilcastError.local('location-unknown'));
    else
      navigator.geolocation.getCurrentPosition(found, refused, {
        enableHighAccuracy: exact,
        maximumAge: 60_000,
        timeout: 30_000,
      });
  });
