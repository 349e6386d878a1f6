import type { ClientMessage, Sync } from '../protocol/index.js';
import type { Cancel, Clock } from './clock.js';
import { TypedTarget } from './events.js';

export interface LookoutEvents {
  /** What other people have said or shown may be seen, or may not for the moment. */
  change: boolean;
}

/** A page whose clock jumps by more than this has slept. */
const SLEPT_MS = 5_000;
const BEAT_MS = 1_000;

/**
 * Whether what other people have said or shown may be seen on this page. While it is hidden, asleep or cut off, some of it may be taken
 * back without the page hearing of it: nothing of it is on the screen then, and it comes again when the page has caught up.
 */
export class Lookout extends TypedTarget<LookoutEvents> {
  #clear = true;
  #hidden = false;
  #over = false;
  #number = 0;
  #running = false;
  #beat: Cancel = () => {};
  readonly #kept: (() => boolean)[] = [];
  readonly #onVisibility = (): void => this.look(document.visibilityState === 'visible');

  constructor(
    private readonly send: (message: ClientMessage) => void,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** Nothing has been taken back that this page has not heard of. */
  get clear(): boolean {
    return this.#clear;
  }

  /** Somebody who keeps something of other people tells whether there is any: with nothing to show, nothing is asked. */
  watch(keeps: () => boolean): void {
    this.#kept.push(keeps);
  }

  /** A connection has begun: nothing is kept of what was told before. */
  begin(): void {
    this.#over = false;
    this.#see(!this.#hidden);
    if (this.#running) return;
    this.#running = true;
    globalThis.document?.addEventListener('visibilitychange', this.#onVisibility);
    if (globalThis.document !== undefined) this.#onVisibility();
    this.#wake();
  }

  /** The connection is gone or in doubt. */
  cover(): void {
    if (!this.#over) this.#see(false);
  }

  /** The connection has held. */
  uncover(): void {
    if (this.#clear || this.#hidden || this.#over) return;
    if (!this.#kept.some((keeps) => keeps())) {
      this.#see(true);
      return;
    }
    this.#number += 1;
    this.send({ type: 'sync', number: this.#number });
  }

  /** Nobody looks at the page, or somebody does again. */
  look(visible: boolean): void {
    this.#hidden = !visible;
    if (visible) this.uncover();
    else this.cover();
  }

  /** Everything that was said, shown and taken back before this has been heard. */
  synced({ number }: Sync): void {
    if (number === this.#number && !this.#hidden && !this.#over) this.#see(true);
  }

  /** The event is over: nobody can take back anything any more, and what was covered stays so. */
  end(): void {
    this.#over = true;
    this.stop();
  }

  stop(): void {
    this.#running = false;
    this.#beat();
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisibility);
  }

  #see(clear: boolean): void {
    if (this.#clear === clear) return;
    this.#clear = clear;
    this.emit('change', clear);
  }

  /** A machine that slept tells nobody: its clock has jumped. */
  #wake(): void {
    // The wall's: on some systems the other one stands still while the machine sleeps.
    let last = Date.now();
    const beat = (): void => {
      const now = Date.now();
      if (now - last > SLEPT_MS) {
        this.cover();
        this.uncover();
      }
      last = now;
      this.#beat = this.clock.after(BEAT_MS, beat);
    };
    this.#beat = this.clock.after(BEAT_MS, beat);
  }
}
