import type {
  ClientMessage,
  ConsentQuestion,
  ConsentStanding,
  Purpose,
  PurposeState,
  Retraction,
} from '../protocol/index.js';
import type { Clock } from './clock.js';
import { TypedTarget } from './events.js';
import type { Incoming } from './parse.js';

export interface ConsentsEvents {
  /** Somebody’s standing towards a purpose has changed. */
  change: null;
  /** Everything that came under this grant is to go from the screen, and whatever of it comes later is to be dropped. */
  retracted: Retraction;
  /** The person is to be asked, on a page of the server’s own origin (`askConsent` of the elements does that). */
  question: ConsentQuestion;
  /** A receipt of a withdrawal. */
  receipt: string;
}

interface Held {
  standing: ConsentStanding;
  generation: number | null;
  /** On the clock, in milliseconds. */
  until: number | null;
}

/** What whoever runs the server asks beside what every server does. */
export interface Added {
  purpose: Purpose;
  /** The question. */
  title: string;
}

/** What Global Privacy Control speaks against: what is learned about a person, not what they show by their own hand. */
const YIELD_TO_SIGNAL: ReadonlySet<Purpose> = new Set(['analytics', 'personalisation']);

/** Global Privacy Control is on (https://www.w3.org/TR/gpc/). */
export function seesSignal(): boolean {
  return Reflect.get(globalThis.navigator ?? {}, 'globalPrivacyControl') === true;
}

/**
 * What this person has agreed to in this event. It can ask for a question and take consent back. It cannot grant: only the person
 * can, on a page of the server’s own origin.
 */
export class Consents extends TypedTarget<ConsentsEvents> {
  readonly #standings = new Map<Purpose, Held>();
  readonly #ended = new Map<Purpose, Set<number>>();
  /** What was asked for while no socket was open, the last of each purpose. */
  readonly #waiting = new Map<Purpose, ClientMessage>();
  #added: readonly Added[] = [];
  #yielding: ReadonlySet<Purpose> = YIELD_TO_SIGNAL;

  constructor(
    /** False: it was not sent, for want of a socket. */
    private readonly send: (message: ClientMessage) => boolean,
    private readonly clock: Clock,
  ) {
    super();
  }

  standing(purpose: Purpose): ConsentStanding {
    return this.#standings.get(purpose)?.standing ?? 'open';
  }

  /** What whoever runs the server has added to what is asked for; known once a socket is open. */
  get added(): readonly Added[] {
    return this.#added;
  }

  /** The number of the grant that stands; what comes under it carries the number. */
  generation(purpose: Purpose): number | null {
    return this.#standings.get(purpose)?.generation ?? null;
  }

  /** How long the grant lasts, in milliseconds; `null`: until it is withdrawn. */
  left(purpose: Purpose): number | null {
    const until = this.#standings.get(purpose)?.until ?? null;
    return until === null ? null : Math.max(0, until - this.clock.now());
  }

  /** Whether a grant has ended: what came under it is not shown. */
  hasEnded(purpose: Purpose, generation: number): boolean {
    return this.#ended.get(purpose)?.has(generation) ?? false;
  }

  /** Whether the browser’s privacy signal speaks against a purpose. */
  signalAgainst(purpose: Purpose): boolean {
    return this.#yielding.has(purpose) && seesSignal();
  }

  /**
   * Has the person asked. Where Global Privacy Control speaks against it, nobody is asked unless they want to be, and that can be on the
   * server’s own pages alone: elsewhere the server refuses (`consent-signal`).
   */
  request(purpose: Purpose, despiteSignal = false): void {
    if (this.signalAgainst(purpose) && !despiteSignal) return;
    const plain: ClientMessage = { type: 'request-consent', purpose };
    this.#say(purpose, this.signalAgainst(purpose) ? { ...plain, despite_signal: true } : plain);
  }

  /** Takes consent back, at once; where there is no socket, before anything else is said over the next. */
  withdraw(purpose: Purpose): void {
    this.#say(purpose, { type: 'withdraw-consent', purpose });
  }

  #say(purpose: Purpose, message: ClientMessage): void {
    this.#waiting.delete(purpose);
    if (!this.send(message)) this.#waiting.set(purpose, message);
  }

  /** A connection has begun: what was said while there was none is said now. Whoever has decided nothing is told nothing first. */
  begin(): void {
    for (const [purpose, waiting] of [...this.#waiting]) this.#say(purpose, waiting);
  }

  /** Takes a message of the server; false: it is not about consent. */
  take(message: Incoming): boolean {
    switch (message.type) {
      case 'consent':
        this.#hear(message.purposes);
        this.begin();
        this.emit('change', null);
        return true;
      case 'retracted':
        this.#end(message);
        return true;
      case 'consent-question':
        this.#ask(message);
        return true;
      case 'consent-receipt':
        this.emit('receipt', message.receipt);
        return true;
      default:
        return false;
    }
  }

  #ask({ question, purpose, longest, despite_signal }: ConsentQuestion): void {
    const asked = { question, purpose, longest };
    this.emit('question', despite_signal === true ? { ...asked, despite_signal } : asked);
  }

  #hear(purposes: readonly PurposeState[]): void {
    const added: Added[] = [];
    const yielding = new Set(YIELD_TO_SIGNAL);
    for (const { purpose, standing, generation, expires_in: seconds, added: one } of purposes) {
      const until = seconds === null ? null : this.clock.now() + seconds * 1000;
      this.#standings.set(purpose, { standing, generation, until });
      if (one !== undefined) added.push({ purpose, title: one.title });
      if (one?.yields_to_signal === true) yielding.add(purpose);
    }
    this.#added = added;
    this.#yielding = yielding;
  }

  #end({ purpose, generation }: Retraction): void {
    const ended = this.#ended.get(purpose) ?? new Set();
    ended.add(generation);
    this.#ended.set(purpose, ended);
    this.emit('retracted', { purpose, generation });
  }
}
