import type { ClientMessage, LocatedPerson, MapArea, OwnLocation } from '../protocol/index.js';
import type { Precision } from './coarse.js';
import type { Consents } from './consents.js';
import { VeilcastError } from './errors.js';
import { TypedTarget } from './events.js';
import type { Lookout } from './lookout.js';
import type { Incoming } from './parse.js';

export interface WhereaboutsEvents {
  /** Who shows where they are: everybody who does, to who broadcasts; who broadcasts, to everybody. */
  people: readonly LocatedPerson[];
  /** The map of areas where five or more share. Comes to viewers. */
  map: readonly MapArea[];
  /** What is shown of this person; `null`: nothing. */
  own: OwnLocation | null;
  /** The server did not take an area. */
  refused: VeilcastError;
}

/**
 * Where people are, as coarsely as each of them chose. While the page is hidden, asleep or cut off ({@link Lookout}) nobody is anywhere, but
 * for this person.
 */
export class Whereabouts extends TypedTarget<WhereaboutsEvents> {
  readonly #people = new Map<number, LocatedPerson>();
  /** Whose time is over: what comes late is not shown. */
  readonly #ended = new Set<number>();
  #map: readonly MapArea[] = [];
  #own: OwnLocation | null = null;

  constructor(
    private readonly send: (message: ClientMessage) => void,
    consents: Consents,
    private readonly lookout: Lookout,
  ) {
    super();
    lookout.watch(() => this.#people.size > 0 || this.#map.length > 0);
    lookout.on('change', () => {
      this.emit('people', this.people);
      this.emit('map', this.map);
    });
    consents.on('retracted', ({ purpose, generation }) => {
      if (purpose === 'location') this.#retract(generation);
    });
  }

  get people(): readonly LocatedPerson[] {
    return this.lookout.clear ? [...this.#people.values()] : [];
  }

  get map(): readonly MapArea[] {
    return this.lookout.clear ? this.#map : [];
  }

  get own(): OwnLocation | null {
    return this.#own;
  }

  /** Shows an area. Needs the person's consent to `location`. */
  share(precision: Precision, area: string): void {
    this.send({ type: 'share-location', precision, area });
  }

  /** A new connection: nothing is shown before it has told anew. */
  begin(): void {
    this.#people.clear();
    this.#map = [];
    this.#own = null;
    this.emit('people', []);
    this.emit('map', []);
    this.emit('own', null);
  }

  /** Takes a message of the server; false: it is not about where people are. */
  take(message: Incoming): boolean {
    switch (message.type) {
      case 'locations':
        this.#locate(message.people);
        return true;
      case 'location-gone':
        this.#forget(message.generation);
        return true;
      case 'location-map':
        this.#map = message.areas.filter(({ area }) => area !== '');
        this.emit('map', this.map);
        return true;
      case 'own-location':
        this.#show(message);
        return true;
      case 'fault':
        if (!message.fault.code.startsWith('location-')) return false;
        this.emit('refused', VeilcastError.refused(message.fault));
        return true;
      default:
        return false;
    }
  }

  #show(own: OwnLocation): void {
    if (this.#ended.has(own.generation)) return;
    this.#own = own;
    this.emit('own', own);
  }

  #locate(people: readonly LocatedPerson[]): void {
    for (const person of people) {
      if (person.area !== '' && !this.#ended.has(person.generation))
        this.#people.set(person.generation, person);
    }
    this.emit('people', this.people);
  }

  #forget(generation: number): void {
    this.#people.delete(generation);
    this.emit('people', this.people);
    if (this.#own?.generation !== generation) return;
    this.#own = null;
    this.emit('own', null);
  }

  #retract(generation: number): void {
    this.#ended.add(generation);
    this.#forget(generation);
  }
}
