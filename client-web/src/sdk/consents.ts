import type {
  ClientMessage,
  ConsentQuestion,
  ConsentStanding,
  Purpose,
  Retraction,
} from '../protocol/index.js';
import { TypedTarget } from './events.js';
import type { Incoming } from './parse.js';

export interface ConsentsEvents {
  /** The person stands otherwise towards a purpose. */
  change: null;
  /** Everything that came under this grant is to go from the screen, and whatever of it comes later is to be dropped. */
  retracted: Retraction;
  /** The person is to be asked, on a page of the server’s own origin. */
  question: ConsentQuestion;
}

/** What this person has agreed to in this event. It can ask for a question and take consent back; only the person can grant. */
export class Consents extends TypedTarget<ConsentsEvents> {
  readonly #standings = new Map<Purpose, { standing: ConsentStanding; generation: number | null }>();
  readonly #ended = new Map<Purpose, Set<number>>();

  constructor(private readonly send: (message: ClientMessage) => void) {
    super();
  }

  standing(purpose: Purpose): ConsentStanding {
    return this.#standings.get(purpose)?.standing ?? 'open';
  }

  /** The number of the grant that stands. */
  generation(purpose: Purpose): number | null {
    return this.#standings.get(purpose)?.generation ?? null;
  }

  /** Whether a grant has ended: what came under it is not shown. */
  hasEnded(purpose: Purpose, generation: number): boolean {
    return this.#ended.get(purpose)?.has(generation) ?? false;
  }

  /** Has the person asked. */
  request(purpose: Purpose): void {
    this.send({ type: 'request-consent', purpose });
  }

  /** Takes consent back, at once. */
  withdraw(purpose: Purpose): void {
    this.send({ type: 'withdraw-consent', purpose });
  }

  /** Takes a message of the server; false: it is not about consent. */
  take(message: Incoming): boolean {
    if (message.type === 'consent') {
      for (const { purpose, standing, generation } of message.purposes) {
        this.#standings.set(purpose, { standing, generation });
      }
      this.emit('change', null);
    } else if (message.type === 'retracted') this.#end(message);
    else if (message.type === 'consent-question') {
      this.emit('question', { question: message.question, purpose: message.purpose });
    } else return false;
    return true;
  }

  #end({ purpose, generation }: Retraction): void {
    const ended = this.#ended.get(purpose) ?? new Set();
    this.#ended.set(purpose, ended.add(generation));
    this.emit('retracted', { purpose, generation });
  }
}
