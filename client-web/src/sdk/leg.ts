import type { ClientMessage, Role, Welcome } from '../protocol/index.js';
import type { Access } from './access.js';
import { isAside } from './chat.js';
import type { Cancel } from './clock.js';
import type { Environment } from './environment.js';
import { VeilcastError } from './errors.js';
import type { Incoming } from './parse.js';
import { fingerprintOf, withoutAddresses } from './sdp.js';
import { Signal } from './signal.js';

/** From the first offer to flowing media; beyond it the leg is given up. */
const CONNECT_MS = 15_000;
/** `disconnected` often heals by itself within a second (one lost check). */
const DISCONNECTED_GRACE_MS = 1_000;
/** From an ICE restart to a working path; a dead socket shows itself here too. */
const RESTART_MS = 6_000;

export interface LegListener {
  welcome(welcome: Welcome): void;
  /** Adds the transceivers to a new peer connection. */
  prepare(peer: RTCPeerConnection): Promise<void> | void;
  /** The answer as it is applied. */
  accept(sdp: string): string;
  /** An answer has been applied: the browser's senders may have changed with it. */
  answered(): void;
  connected(peer: RTCPeerConnection): void;
  /** The path is in doubt; an ICE restart is under way. */
  unsteady(): void;
  message(message: Incoming): void;
  /** Nothing more will come of this leg. `null`: no reason was given. */
  lost(reason: VeilcastError | null): void;
}

/** One socket and one peer connection, which live and die together. The session makes a new one to reconnect. */
export class Leg {
  readonly #signal: Signal;
  #peer: RTCPeerConnection | null = null;
  #offer = 0;
  #answered = 0;
  #negotiating = false;
  #offerAgain = false;
  #deadline: Cancel = () => {};
  #grace: Cancel = () => {};
  #over = false;

  constructor(
    url: string,
    access: Access,
    private readonly environment: Environment,
    private readonly listener: LegListener,
    role?: Role,
  ) {
    this.#signal = new Signal(
      url,
      access,
      environment,
      {
        message: (message) => this.#receive(message),
        closed: (reason) => this.#lose(reason),
      },
      role === undefined ? {} : { role },
    );
  }

  /** `refused`: the last token was not taken. */
  async start(refused: boolean): Promise<void> {
    const welcome = await this.#signal.open(refused);
    if (this.#over) return;
    this.listener.welcome(welcome);
    // None, unless the operator named some: the server is reachable by itself, and nobody else needs to hear of this connection.
    const iceServers = welcome.ice_servers.map(({ url, ...access }) => ({ urls: url, ...access }));
    const peer = this.environment.createPeer({ bundlePolicy: 'max-bundle', iceServers });
    this.#peer = peer;
    peer.addEventListener('connectionstatechange', () => this.#stateChanged(peer));
    await this.listener.prepare(peer);
    this.#expect(CONNECT_MS, 'media-failed');
    await this.negotiate();
  }

  /** Sends an offer; while one is being made or answered, remembers to send another. */
  async negotiate(): Promise<void> {
    const peer = this.#peer;
    if (peer === null || this.#over) return;
    if (this.#negotiating) {
      this.#offerAgain = true;
      return;
    }
    this.#negotiating = true;
    await peer.setLocalDescription();
    const sdp = peer.localDescription?.sdp;
    if (this.#over || sdp === undefined) return;
    this.#offer += 1;
    const offer = { type: 'offer', number: this.#offer, sdp: withoutAddresses(sdp) } as const;
    // The first one opens the media session, and later ones keep its certificate.
    const proof = this.#offer === 1 ? await this.#prove(offer.sdp) : null;
    if (!this.#over) this.#signal.send(proof === null ? offer : { ...offer, proof });
  }

  #prove(sdp: string): Promise<string> {
    const fingerprint = fingerprintOf(sdp);
    if (fingerprint === null) throw VeilcastError.local('unsupported');
    return this.#signal.prove(fingerprint);
  }

  /** Changes what is asked for and offers it; before the first offer, `prepare` asks for everything. */
  renegotiate(change: (peer: RTCPeerConnection) => void): void {
    const peer = this.#peer;
    if (peer === null || this.#over) return;
    change(peer);
    this.#attempt(() => this.negotiate());
  }

  /** The machine may be on another network: find a path again over the same session. */
  restartIce(): void {
    const peer = this.#peer;
    // Before the first answer there is nothing to restart; the connect deadline covers it.
    if (peer === null || this.#over || this.#answered === 0 || this.#negotiating) return;
    // A path that still carries needs no alarm; browsers announce no new `connected` for it either.
    if (peer.connectionState !== 'connected') this.listener.unsteady();
    this.#expect(RESTART_MS, 'media-failed');
    peer.restartIce();
    this.#attempt(() => this.negotiate());
  }

  /** Says something to the server, if the socket is open. */
  send(message: ClientMessage): boolean {
    return !this.#over && this.#signal.send(message);
  }

  stop(): void {
    if (this.#over) return;
    this.#signal.send({ type: 'leave' });
    this.#end();
  }

  #receive(message: Incoming): void {
    if (message.type === 'answer') this.#attempt(() => this.#accept(message.number, message.sdp));
    else if (message.type === 'fault' && isBeside(message.fault.code)) this.listener.message(message);
    else if (message.type === 'fault') this.#refused(VeilcastError.refused(message.fault));
    else if (message.type === 'disconnected') {
      this.#lose(message.fault === null ? null : VeilcastError.refused(message.fault));
    } else this.listener.message(message);
  }

  async #accept(number: number, sdp: string): Promise<void> {
    const peer = this.#peer;
    if (peer === null || number !== this.#offer) return;
    await peer.setRemoteDescription({ type: 'answer', sdp: this.listener.accept(sdp) });
    this.#answered = number;
    this.#negotiating = false;
    this.listener.answered();
    if (this.#offerAgain) {
      this.#offerAgain = false;
      await this.negotiate();
    }
  }

  /** A refused offer ends the leg; anything else that was refused matters only if it will stay so. */
  #refused(error: VeilcastError): void {
    if (this.#negotiating || error.fatal) this.#lose(error);
  }

  #stateChanged(peer: RTCPeerConnection): void {
    if (this.#over) return;
    this.#grace();
    if (peer.connectionState === 'connected') {
      this.#deadline();
      this.listener.connected(peer);
    } else if (peer.connectionState === 'disconnected') {
      this.#grace = this.environment.clock.after(DISCONNECTED_GRACE_MS, () => this.restartIce());
    } else if (peer.connectionState === 'failed') {
      this.restartIce();
    }
  }

  #expect(ms: number, code: 'media-failed'): void {
    this.#deadline();
    this.#deadline = this.environment.clock.after(ms, () => {
      if (this.#peer?.connectionState === 'connected' && !this.#negotiating) return;
      this.#lose(VeilcastError.local(code));
    });
  }

  #attempt(step: () => Promise<void>): void {
    step().catch(() => this.#lose(VeilcastError.local('answer-unusable')));
  }

  #lose(reason: VeilcastError | null): void {
    if (this.#over) return;
    this.#end();
    this.listener.lost(reason);
  }

  #end(): void {
    this.#over = true;
    this.#deadline();
    this.#grace();
    this.#signal.close();
    this.#peer?.close();
  }
}

/** About something beside the media session, which goes on. */
function isBeside(code: string): boolean {
  return isAside(code) || code.startsWith('location-');
}
