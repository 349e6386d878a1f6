import type { ClientMessage, Hello, Welcome } from '../protocol/index.js';
import type { Access } from './access.js';
import { type Cancel, within } from './clock.js';
import { seesSignal } from './consents.js';
import type { Environment } from './environment.js';
import { VeilcastError } from './errors.js';
import { type Incoming, parseServerMessage } from './parse.js';

/** No later token will come: the person is out, or the event is over. */
const WITHDRAWN: ReadonlySet<string> = new Set([
  'access-revoked',
  'banned',
  'event-ended',
  'invitation-invalid',
  'invitation-used',
]);

/** From opening the socket to the welcome. */
const WELCOME_MS = 10_000;

/** A lease is renewed when so much of it is over: what is left is for trying again. */
const RENEW_AT = 2 / 3;

/** Nearer to its end, or more often, a lease is not renewed. */
const RENEW_LEAST_MS = 1_000;

export interface SignalListener {
  message(message: Exclude<Incoming, { type: 'welcome' | 'waiting' | 'challenge' | 'renewed' }>): void;
  /** The socket is gone, after it had welcomed us, or had us wait. */
  closed(reason: VeilcastError): void;
}

/** What a socket hears first once it has said hello. */
type First = Extract<Incoming, { type: 'welcome' | 'waiting' | 'let-in' }>;

/** One WebSocket at `/ws`: says hello, carries messages both ways, and renews its lease for as long as it is open. */
export class Signal {
  #socket: WebSocket | null = null;
  #challenge: string | null = null;
  #token = '';
  #welcomed = false;
  #closed = false;
  #settle: { resolve(first: First): void; reject(error: VeilcastError): void } | null = null;
  /** When the lease ends, on the environment's clock. */
  #until = 0;
  #renewal: Cancel = () => {};

  constructor(
    private readonly url: string,
    private readonly access: Access,
    private readonly environment: Environment,
    private readonly listener: SignalListener,
    /** What to come as, where the token permits more, or that this only asks to be let in. */
    private readonly coming: Pick<Hello, 'role' | 'knock'> = {},
  ) {}

  /** Enters the event. `refused`: the last token was not taken. */
  async open(refused: boolean): Promise<Welcome> {
    const first = await this.#begin(refused);
    if (first.type !== 'welcome') throw VeilcastError.local('unsupported');
    return first;
  }

  /** Asks to be let in: it was decided before, or the answer comes as a message. */
  async knock(refused: boolean): Promise<'waiting' | 'let-in'> {
    const { type } = await this.#begin(refused);
    if (type === 'welcome') throw VeilcastError.local('unsupported');
    return type;
  }

  /** The token travels in the first message, never in the address. */
  async #begin(refused: boolean): Promise<First> {
    this.#token = await this.access.token(refused);
    // Closed before it was opened: nobody waits for this any more.
    if (this.#closed) throw VeilcastError.local('unreachable');
    const socket = this.environment.openSocket(socketAddress(this.url, 'ws'));
    this.#socket = socket;
    const first = new Promise<First>((resolve, reject) => {
      this.#settle = { resolve, reject };
      socket.addEventListener('message', (event) => this.#receive(event.data));
      socket.addEventListener('close', () => this.#lost());
    });
    return within(this.environment.clock, WELCOME_MS, first, () => VeilcastError.local('timeout'));
  }

  /** False: nobody is there to hear it, or not yet. */
  send(message: ClientMessage): boolean {
    return this.#welcomed && this.#write(message);
  }

  #write(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Shows that an offer is ours: only the browser whose certificate this is can take its place. */
  prove(fingerprint: string): Promise<string> {
    return this.#prove(this.#token, fingerprint);
  }

  close(): void {
    this.#closed = true;
    this.#renewal();
    this.#socket?.close();
  }

  #receive(data: unknown): void {
    if (this.#closed || typeof data !== 'string') return;
    const message = parseOrNull(data);
    if (message === null) return;
    if (message.type === 'challenge') this.#greet(message.nonce);
    else if (message.type === 'welcome' || message.type === 'waiting') {
      this.#welcomed = true;
      this.#lease(message.expires_in);
      this.#settle?.resolve(message);
    } else if (message.type === 'renewed') this.#lease(message.expires_in);
    else if (message.type === 'let-in' && !this.#welcomed) this.#settle?.resolve(message);
    else if (message.type === 'fault' && !this.#welcomed) {
      this.#settle?.reject(VeilcastError.refused(message.fault));
    } else {
      this.listener.message(message);
    }
  }

  /** The challenge is the connection's: proofs made for it are of no use on another. */
  #greet(challenge: string): void {
    if (this.#challenge !== null) return;
    this.#challenge = challenge;
    this.#prove(this.#token).then(
      (proof) => this.#write(this.#hello(proof)),
      (thrown: unknown) => this.#settle?.reject(VeilcastError.from(thrown, 'unsupported')),
    );
  }

  #hello(proof: string): ClientMessage {
    const hello: ClientMessage = { type: 'hello', token: this.#token, proof, ...this.coming };
    // Some browsers tell their pages and not their servers.
    return seesSignal() ? { ...hello, gpc: true } : hello;
  }

  #prove(token: string, fingerprint?: string): Promise<string> {
    const url = socketAddress(this.url, 'http');
    return this.access.prove({ method: 'GET', url, token, nonce: this.#challenge ?? undefined, fingerprint });
  }

  #lease(seconds: number): void {
    const { clock } = this.environment;
    this.#until = clock.now() + seconds * 1000;
    this.#renewAfter(seconds * 1000 * RENEW_AT);
  }

  #renewAfter(ms: number): void {
    this.#renewal();
    this.#renewal = this.environment.clock.after(Math.max(ms, RENEW_LEAST_MS), () => this.#renew());
  }

  /** Until it is granted, again after half of what is left. A lease that runs out is for the server to end. */
  async #renew(): Promise<void> {
    try {
      const token = await this.access.token(false);
      const proof = await this.#prove(token);
      if (this.#closed) return;
      this.#token = token;
      this.send({ type: 'renew', token, proof });
    } catch (thrown) {
      const error = VeilcastError.from(thrown, 'unreachable');
      // Anything else may mend itself while the lease lasts; what is on air is not cut for it.
      if (WITHDRAWN.has(error.code)) return this.#end(error);
    }
    const left = this.#until - this.environment.clock.now();
    if (!this.#closed && left > RENEW_LEAST_MS) this.#renewAfter(left / 2);
  }

  #end(reason: VeilcastError): void {
    if (this.#closed) return;
    this.close();
    this.listener.closed(reason);
  }

  #lost(): void {
    if (this.#welcomed) this.#end(VeilcastError.local('unreachable'));
    else if (!this.#closed) {
      this.#closed = true;
      this.#settle?.reject(VeilcastError.local('unreachable'));
    }
  }
}

/** A message that does not parse is dropped: nothing in it can be relied on. */
function parseOrNull(data: string): Incoming | null {
  try {
    return parseServerMessage(data);
  } catch {
    return null;
  }
}

/** For the socket itself, and for proofs, which name it by `http` or `https`. */
function socketAddress(url: string, scheme: 'ws' | 'http'): string {
  const address = new URL('/ws', url);
  if (scheme === 'ws') address.protocol = address.protocol.replace('http', 'ws');
  return address.href;
}
