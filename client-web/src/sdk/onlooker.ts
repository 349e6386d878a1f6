import type { AudienceHealth, ClientMessage, EventSummary, StageState } from '../protocol/index.js';
import { Backoff } from './backoff.js';
import { Chat } from './chat.js';
import type { Cancel } from './clock.js';
import { Consents } from './consents.js';
import { browser, type Environment } from './environment.js';
import { VeilcastError } from './errors.js';
import { TypedTarget } from './events.js';
import type { Incoming } from './parse.js';
import type { SessionOptions } from './session.js';
import { Signal } from './signal.js';
import { Whereabouts } from './whereabouts.js';

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
export class Onlooker extends TypedTarget<OnlookerEvents> {
  /** What this person has agreed to in this event. */
  readonly consents: Consents;
  /** The event's chat, for who has agreed to it. */
  readonly chat: Chat;
  /** Where people are who show it. */
  readonly whereabouts: Whereabouts;
  readonly #environment: Environment;
  readonly #backoff: Backoff;
  #signal: Signal | null = null;
  #retry: Cancel = () => {};
  #tokenRefused = false;

  constructor(private readonly options: SessionOptions) {
    super();
    this.#environment = options.environment ?? browser;
    this.#backoff = new Backoff(this.#environment.random);
    const send = (message: ClientMessage): boolean => this.#signal?.send(message) ?? false;
    this.consents = new Consents(send, this.#environment.clock);
    this.chat = new Chat(send, this.consents, this.#environment.clock);
    this.whereabouts = new Whereabouts(send, this.consents);
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
    this.chat.stop();
  }

  async #open(signal: Signal): Promise<void> {
    const welcome = await signal.open(this.#tokenRefused);
    if (this.#signal !== signal) return;
    this.#tokenRefused = false;
    this.#backoff.reset();
    this.chat.reconnected();
    this.whereabouts.begin();
    this.emit('event', welcome.event);
    this.emit('stage', welcome.stage);
  }

  #message(message: Incoming): void {
    if (this.consents.take(message) || this.chat.take(message) || this.whereabouts.take(message)) return;
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
    this.chat.cover();
    this.#retry = this.#environment.clock.after(this.#backoff.next(), () => this.start());
  }
}
