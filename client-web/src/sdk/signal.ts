import type { ClientMessage, Role, Welcome } from '../protocol/index.js';
import { within } from './clock.js';
import type { Environment } from './environment.js';
import { VeilcastError } from './errors.js';
import { type Incoming, parseServerMessage } from './parse.js';

/** From opening the socket to the welcome. */
const WELCOME_MS = 10_000;

export interface SignalListener {
  message(message: Exclude<Incoming, { type: 'welcome' }>): void;
  /** The socket is gone, after it had welcomed us. */
  closed(): void;
}

/** One WebSocket at `/ws`: says hello, then carries messages both ways. */
export class Signal {
  #socket: WebSocket | null = null;
  #welcomed = false;
  #closed = false;
  #settle: { resolve(welcome: Welcome): void; reject(error: VeilcastError): void } | null = null;

  constructor(
    private readonly url: string,
    private readonly environment: Environment,
    private readonly listener: SignalListener,
    /** What to come as, where the token permits more. */
    private readonly role?: Role,
  ) {}

  /** The token travels in the first message, never in the address. */
  open(token: string): Promise<Welcome> {
    const socket = this.environment.openSocket(socketAddress(this.url));
    this.#socket = socket;
    const welcome = new Promise<Welcome>((resolve, reject) => {
      this.#settle = { resolve, reject };
      socket.addEventListener('open', () => this.send(this.#hello(token)));
      socket.addEventListener('message', (event) => this.#receive(event.data));
      socket.addEventListener('close', () => this.#lost());
    });
    return within(this.environment.clock, WELCOME_MS, welcome, () => VeilcastError.local('timeout'));
  }

  #hello(token: string): ClientMessage {
    return this.role === undefined ? { type: 'hello', token } : { type: 'hello', token, role: this.role };
  }

  send(message: ClientMessage): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #receive(data: unknown): void {
    if (this.#closed || typeof data !== 'string') return;
    const message = parseOrNull(data);
    if (message === null) return;
    if (message.type === 'welcome') {
      this.#welcomed = true;
      this.#settle?.resolve(message);
    } else if (message.type === 'fault' && !this.#welcomed) {
      this.#settle?.reject(VeilcastError.refused(message.fault));
    } else {
      this.listener.message(message);
    }
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#welcomed) this.listener.closed();
    else this.#settle?.reject(VeilcastError.local('unreachable'));
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

function socketAddress(url: string): string {
  const address = new URL('/ws', url);
  address.protocol = address.protocol.replace('http', 'ws');
  return address.href;
}
