import type { PlayerPreferences } from '../elements/player.js';
import type { Clock } from '../sdk/clock.js';

const PLACE = 'veilcast-preferences';
/** Of the words of `personalisation` that somebody agrees to; others need another yes. A test compares it with the server's. */
export const TERMS_VERSION = 1;
const LASTING_MS = 90 * 24 * 3_600_000;

interface Kept extends PlayerPreferences {
  version: number;
  /** Milliseconds since 1970. */
  until: number;
  /** They were told that Global Privacy Control is on, and said yes all the same. */
  despite_signal: boolean;
}

/** What somebody has chosen of the player, on this device alone, and only once they have agreed to that. */
export class Preferences {
  constructor(
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly signalled: () => boolean,
  ) {}

  /** What is kept, if it is still good. What is not is forgotten at the same time. */
  read(): PlayerPreferences | null {
    const kept = parse(this.storage.getItem(PLACE));
    const good = kept !== null && kept.version === TERMS_VERSION && kept.until > this.clock.now();
    if (!good) {
      this.forget();
      return null;
    }
    if (this.signalled() && !kept.despite_signal) return null;
    // A visit counts from now.
    this.#write(kept, kept.despite_signal);
    return { volume: kept.volume, max: kept.max };
  }

  /** They have agreed; with a signal on, they were told of it. */
  begin(preferences: PlayerPreferences): void {
    this.#write(preferences, this.signalled());
  }

  /** Something else was chosen: kept if they have agreed before. */
  note(preferences: PlayerPreferences): void {
    const kept = parse(this.storage.getItem(PLACE));
    if (this.read() !== null && kept !== null) this.#write(preferences, kept.despite_signal);
  }

  forget(): void {
    this.storage.removeItem(PLACE);
  }

  #write({ volume, max }: PlayerPreferences, despiteSignal: boolean): void {
    const until = this.clock.now() + LASTING_MS;
    const kept: Kept = { version: TERMS_VERSION, until, despite_signal: despiteSignal, volume, max };
    this.storage.setItem(PLACE, JSON.stringify(kept));
  }
}

/** Anybody can write into a browser's storage: what is not as we write it counts for nothing. */
function parse(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const { version, until, despite_signal: despite, volume, max } = JSON.parse(text) as Partial<Kept>;
    const known = max === 'high' || max === 'medium' || max === 'low' || max === 'off';
    if (typeof version !== 'number' || typeof until !== 'number' || typeof volume !== 'number') return null;
    if (!known || !(volume >= 0 && volume <= 1)) return null;
    return { version, until, despite_signal: despite === true, volume, max };
  } catch {
    return null;
  }
}
