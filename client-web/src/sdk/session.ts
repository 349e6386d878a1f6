import type { ClientMessage, EventSummary, Role, StageState, Welcome } from '../protocol/index.js';
import type { Access } from './access.js';
import { Backoff } from './backoff.js';
import type { Cancel } from './clock.js';
import { browser, type Environment } from './environment.js';
import { VeilcastError } from './errors.js';
import { Leg, type LegListener } from './leg.js';
import type { Incoming } from './parse.js';

export interface SessionOptions {
  /** The server's origin, such as `https://live.example`. */
  url: string;
  /** The event's id. */
  event: string;
  /** How this page shows that it may come in. */
  access: Access;
  /** The token is a broadcaster's, who is here to watch: such a viewer is not counted as one of the audience. */
  lookingOn?: boolean;
  /** Replaced by tests. */
  environment?: Environment;
}

/**
 * `idle` → `connecting` → `connected` ⇄ `reconnecting`, until `ended` (the event is over), `failed` (trying again
 * cannot help) or `closed` (we left).
 */
export type SessionState =
  | 'idle'
  | 'connecting'
  | 'connected'
  | 'reconnecting'
  | 'ended'
  | 'failed'
  | 'closed';

export interface SessionListener {
  prepare(peer: RTCPeerConnection): Promise<void> | void;
  /** Changes an answer before it is applied. */
  accept?(sdp: string): string;
  /** An answer has been applied. */
  answered?(): void;
  connected(peer: RTCPeerConnection): void;
  state(state: SessionState): void;
  /** What the page is here, and the event. */
  welcomed(event: EventSummary, role: Role): void;
  stage(stage: StageState): void;
  message(message: Incoming): void;
  ended(title: string): void;
  error(error: VeilcastError): void;
}

/** Keeps one media session alive over as many legs as that takes. */
export class Session {
  readonly environment: Environment;
  #state: SessionState = 'idle';
  readonly #backoff: Backoff;
  #leg: Leg | null = null;
  #retry: Cancel = () => {};
  #unwatchNetwork: Cancel = () => {};
  /** The server asked us to stay away this long (`draining`). */
  #retryAfterMs: number | null = null;
  #tokenRefused = false;

  constructor(
    private readonly options: SessionOptions,
    private readonly role: Role,
    private readonly listener: SessionListener,
  ) {
    this.environment = options.environment ?? browser;
    this.#backoff = new Backoff(this.environment.random);
  }

  get state(): SessionState {
    return this.#state;
  }

  start(): void {
    if (this.#state === 'connecting' || this.#state === 'connected' || this.#state === 'reconnecting') return;
    this.#backoff.reset();
    this.#retryAfterMs = null;
    this.#tokenRefused = false;
    this.#unwatchNetwork = this.environment.onNetworkChange(() => this.#networkChanged());
    this.#enter('connecting');
    this.#connect();
  }

  stop(): void {
    if (this.#state !== 'idle') this.#finish('closed');
  }

  /** Changes what the peer connection asks for, and offers that. Does nothing before `prepare`. */
  renegotiate(change: (peer: RTCPeerConnection) => void): void {
    this.#leg?.renegotiate(change);
  }

  /** Says something to the server, if there is a connection; `prepare` is where it is said again on the next one. */
  send(message: ClientMessage): boolean {
    return this.#leg?.send(message) ?? false;
  }

  #connect(): void {
    const listener: LegListener = {
      welcome: (welcome) => this.#welcome(welcome),
      prepare: (peer) => this.listener.prepare(peer),
      accept: (sdp) => this.listener.accept?.(sdp) ?? sdp,
      answered: () => this.listener.answered?.(),
      connected: (peer) => this.#connected(peer),
      unsteady: () => this.#enter('reconnecting'),
      message: (message) => this.#message(message),
      lost: (reason) => this.#lost(leg, reason),
    };
    const role = this.options.lookingOn === true ? this.role : undefined;
    const { url, access } = this.options;
    const leg: Leg = new Leg(url, access, this.environment, listener, role);
    this.#leg = leg;
    leg.start(this.#tokenRefused).catch((thrown: unknown) => {
      leg.stop();
      this.#lost(leg, VeilcastError.from(thrown, 'media-failed'));
    });
  }

  #welcome(welcome: Welcome): void {
    this.#tokenRefused = false;
    // A token is for one event and one role; another's would show the wrong room. A moderator watches like a viewer.
    const role = welcome.role === 'moderator' ? 'viewer' : welcome.role;
    if (welcome.event.id !== this.options.event || role !== this.role) {
      throw VeilcastError.local('unsupported');
    }
    this.listener.welcomed(welcome.event, welcome.role);
    this.listener.stage(welcome.stage);
  }

  #connected(peer: RTCPeerConnection): void {
    this.#backoff.reset();
    this.listener.connected(peer);
    this.#enter('connected');
  }

  #message(message: Incoming): void {
    if (message.type === 'ended') {
      this.listener.ended(message.title);
      this.#finish('ended');
    } else if (message.type === 'draining') {
      this.#drain(message.retry_after_ms);
    } else if (message.type === 'stage') {
      const { type: _, ...stage } = message;
      this.listener.stage(stage);
    } else {
      this.listener.message(message);
    }
  }

  /** Media goes on until the server stops; whichever comes first, its time or the socket's end, we move. */
  #drain(afterMs: number): void {
    const leg = this.#leg;
    this.#retryAfterMs = afterMs;
    this.#retry();
    this.#retry = this.environment.clock.after(afterMs, () => {
      this.#retryAfterMs = 0;
      leg?.stop();
      if (leg !== null) this.#lost(leg, null);
    });
  }

  #lost(leg: Leg, reason: VeilcastError | null): void {
    if (this.#leg !== leg) return;
    this.#leg = null;
    if (reason?.code === 'event-ended') {
      this.listener.ended(reason.title);
      this.#finish('ended');
    } else if (reason?.fatal && !this.#worthAnotherToken(reason)) {
      this.#finish('failed');
      this.listener.error(reason);
    } else {
      this.#retryLater(reason);
    }
  }

  #retryLater(reason: VeilcastError | null): void {
    if (this.#state === 'connected') this.#enter('reconnecting');
    const delay = this.#retryAfterMs ?? this.#backoff.next();
    this.#retryAfterMs = null;
    this.#retry();
    this.#retry = this.environment.clock.after(delay, () => this.#connect());
    if (reason !== null) this.listener.error(reason);
  }

  /** A token that ran out is fetched anew, once; a second refusal is final. */
  #worthAnotherToken(reason: VeilcastError): boolean {
    const refused = reason.code === 'token-expired' || reason.code === 'token-invalid';
    if (!refused || this.#tokenRefused) return false;
    this.#tokenRefused = true;
    return true;
  }

  #networkChanged(): void {
    if (this.#leg === null) {
      // Waiting to try again: a network has just come up, so wait no longer.
      if (this.#state !== 'reconnecting' && this.#state !== 'connecting') return;
      this.#retry();
      this.#connect();
    } else {
      this.#leg.restartIce();
    }
  }

  #finish(state: 'ended' | 'failed' | 'closed'): void {
    this.#retry();
    this.#unwatchNetwork();
    const leg = this.#leg;
    this.#leg = null;
    leg?.stop();
    if (state === 'ended') this.options.access.ended?.();
    this.#enter(state);
  }

  #enter(state: SessionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.listener.state(state);
  }
}
