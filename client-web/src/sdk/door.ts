import type { Knock } from '../protocol/index.js';
import { Backoff } from './backoff.js';
import type { Cancel } from './clock.js';
import { browser, type Environment } from './environment.js';
import { VeilcastError } from './errors.js';
import { TypedTarget } from './events.js';
import type { SessionOptions } from './session.js';
import { Signal, type SignalListener } from './signal.js';

/**
 * `asking` until the server has taken note, then `waiting`; `let-in`, after which the same access opens the event; `refused`, of which
 * `error` tells why; `ended` with the event; `closed` when whoever asked has gone.
 */
export type DoorState = 'idle' | 'asking' | 'waiting' | 'let-in' | 'refused' | 'ended' | 'closed';

export interface DoorEvents {
  state: DoorState;
  error: VeilcastError;
}

export interface DoorOptions extends Omit<SessionOptions, 'lookingOn'> {
  /** How whoever decides may call this person, for this event only. */
  name?: string;
}

/** Asks to be let in to an event whose host decides about each person, and waits over as many connections as that takes. */
export class Door extends TypedTarget<DoorEvents> {
  readonly #environment: Environment;
  readonly #backoff: Backoff;
  #state: DoorState = 'idle';
  #signal: Signal | null = null;
  #retry: Cancel = () => {};
  #tokenRefused = false;

  constructor(private readonly options: DoorOptions) {
    super();
    this.#environment = options.environment ?? browser;
    this.#backoff = new Backoff(this.#environment.random);
  }

  get state(): DoorState {
    return this.#state;
  }

  start(): void {
    if (this.#state === 'asking' || this.#state === 'waiting') return;
    this.#tokenRefused = false;
    this.#enter('asking');
    this.#knock();
  }

  /** The server forgets who does not wait any more. */
  stop(): void {
    if (this.#state === 'asking' || this.#state === 'waiting') this.#finish('closed');
  }

  #knock(): void {
    const { url, access, name } = this.options;
    const knock: Knock = name === undefined || name.trim() === '' ? {} : { name: name.trim() };
    const listener: SignalListener = {
      message: (message) => {
        if (this.#signal !== signal) return;
        if (message.type === 'let-in') this.#finish('let-in');
        else if (message.type === 'ended') this.#finish('ended');
        else if (message.type === 'fault') this.#failed(signal, VeilcastError.refused(message.fault));
      },
      closed: (reason) => this.#failed(signal, reason),
    };
    const signal: Signal = new Signal(url, access, this.#environment, listener, { knock });
    this.#signal = signal;
    signal.knock(this.#tokenRefused).then(
      (answer) => {
        if (this.#signal !== signal) return;
        this.#tokenRefused = false;
        this.#backoff.reset();
        if (answer === 'let-in') this.#finish('let-in');
        else this.#enter('waiting');
      },
      (thrown: unknown) => this.#failed(signal, VeilcastError.from(thrown, 'unreachable')),
    );
  }

  #failed(signal: Signal, error: VeilcastError): void {
    if (this.#signal !== signal) return;
    if (error.code === 'event-ended') {
      this.#finish('ended');
      return;
    }
    const stale = error.code === 'token-expired' || error.code === 'token-invalid';
    const another = stale && !this.#tokenRefused;
    this.#tokenRefused = another;
    if (error.fatal && !another) {
      this.#finish('refused');
      this.emit('error', error);
      return;
    }
    signal.close();
    this.#signal = null;
    this.#retry = this.#environment.clock.after(this.#backoff.next(), () => this.#knock());
  }

  #finish(state: DoorState): void {
    this.#retry();
    this.#signal?.close();
    this.#signal = null;
    this.#enter(state);
  }

  #enter(state: DoorState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit('state', state);
  }
}
