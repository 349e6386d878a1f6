import type { AudienceHealth, EventSummary, StageState } from '../protocol/index.js';
import { Attendee } from './attendee.js';
import { Backoff } from './backoff.js';
import { withGlass } from './break-glass.js';
import type { Cancel } from './clock.js';
import { browser, type Environment } from './environment.js';
import { VeilcastError } from './errors.js';
import type { Incoming } from './parse.js';
import { People } from './people.js';
import type { SessionOptions } from './session.js';
import { Signal } from './signal.js';

export interface OnlookerEvents {
  event: EventSummary;
  /** Where on stage its broadcaster is with another page or program, from 0. */
  place: number | null;
  /** What the stage carries. */
  stage: StageState;
  /** Roughly how many watch; `null` for fewer than five. */
  audience: number | null;
  /** How the picture arrives at them, as roughly. */
  health: AudienceHealth;
}

/** Hears of an event as its broadcaster does, without sending anything: for who broadcasts with another program. */
export class Onlooker extends Attendee<OnlookerEvents> {
  readonly people: People;
  readonly #environment: Environment;
  readonly #backoff: Backoff;
  #signal: Signal | null = null;
  #event: EventSummary | null = null;
  #retry: Cancel = () => {};
  #tokenRefused = false;

  constructor(private readonly options: SessionOptions) {
    super();
    this.#environment = options.environment ?? browser;
    this.#backoff = new Backoff(this.#environment.random);
    this.people = new People((message) => this.#signal?.send(message) ?? false, this.#environment.clock);
  }

  start(): void {
    this.stop();
    const signal: Signal = new Signal(this.options.url, this.options.access, this.#environment, {
      message: (message) => this.#message(message),
      closed: (reason) => this.#failed(signal, reason),
    });
    this.#signal = signal;
    this.#open(signal).catch((thrown: unknown) =>
      this.#failed(signal, VeilcastError.from(thrown, 'unreachable')),
    );
  }

  stop(): void {
    this.#retry();
    this.#signal?.close();
    this.#signal = null;
    this.people.stop();
  }

  async #open(signal: Signal): Promise<void> {
    const welcome = await signal.open(this.#tokenRefused);
    if (this.#signal !== signal) return;
    this.#tokenRefused = false;
    this.#backoff.reset();
    this.people.begin();
    this.#tell(welcome.event);
    this.emit('stage', welcome.stage);
  }

  #tell(event: EventSummary): void {
    this.#event = event;
    this.emit('event', event);
  }

  #message(message: Incoming): void {
    if (this.people.take(message)) return;
    if (message.type === 'break-glass' && this.#event !== null)
      this.#tell(withGlass(this.#event, message.break_glass));
    if (message.type === 'place') this.emit('place', message.place);
    else if (message.type === 'audience') this.emit('audience', message.viewers);
    else if (message.type === 'health') this.emit('health', message);
    else if (message.type === 'stage') this.emit('stage', message);
    else if (message.type === 'ended') this.stop();
  }

  /** Figures are not worth a word of complaint: what cannot be helped by another try ends in silence. */
  #failed(signal: Signal, error: VeilcastError): void {
    if (this.#signal !== signal) return;
    const stale = error.code === 'token-expired' || error.code === 'token-invalid';
    const worth = stale && !this.#tokenRefused;
    this.#tokenRefused = worth;
    if (error.fatal && !worth) this.stop();
    else this.#again(signal);
  }

  #again(signal: Signal): void {
    signal.close();
    this.#signal = null;
    this.people.lookout.cover();
    this.#retry = this.#environment.clock.after(this.#backoff.next(), () => this.start());
  }
}
