import { vi } from 'vitest';
import type { Fault, FaultCode, IceServer, PlaceState, Role, StageState } from '../src/protocol/index.js';
import type { Access } from '../src/sdk/access.js';
import type { Clock } from '../src/sdk/clock.js';
import type { Environment } from '../src/sdk/environment.js';
import type { Claims } from '../src/sdk/proof.js';

/** Time that moves only when told to. */
export class FakeClock implements Clock {
  #now = 1_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Runs what is due on the way, letting promises settle in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

export class FakeSocket extends EventTarget {
  readyState = 0;
  readonly sent: {
    type: string;
    number?: number;
    sdp?: string;
    token?: string;
    proof?: string;
    role?: string;
    max?: string;
  }[] = [];

  constructor(readonly url: string) {
    super();
  }

  /** Opens it and says what the server says first; hello has been said afterwards. */
  async greet(): Promise<void> {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
    this.say({ type: 'challenge', nonce: CHALLENGE });
    await settle();
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  say(message: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }

  close(): void {
    this.readyState = 3;
  }

  /** The other side, or the network, ends it. */
  drop(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event('close'));
  }

  offers(): string[] {
    return this.sent.flatMap((message) => (message.type === 'offer' ? [message.sdp ?? ''] : []));
  }
}

export class FakeSender {
  track: unknown = null;
  parameters: { encodings: RTCRtpEncodingParameters[]; degradationPreference?: string };
  /** Calls of `setParameters` that were taken. */
  changes = 0;
  /** Refuses so many calls of `setParameters` before it takes one. */
  refusals = 0;
  #changing = false;

  constructor(encodings: RTCRtpEncodingParameters[]) {
    this.parameters = { encodings };
  }

  async replaceTrack(track: unknown): Promise<void> {
    this.track = track;
  }

  getParameters(): object {
    return structuredClone(this.parameters);
  }

  async setParameters(parameters: FakeSender['parameters']): Promise<void> {
    if (this.#changing) throw new DOMException('one at a time', 'InvalidStateError');
    this.#changing = true;
    await Promise.resolve();
    this.#changing = false;
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new DOMException('not now', 'InvalidModificationError');
    }
    this.parameters = parameters;
    this.changes += 1;
  }
}

export class FakePeer extends EventTarget {
  connectionState = 'new';
  localDescription: { sdp: string } | null = null;
  remote: string[] = [];
  restarts = 0;
  closed = false;
  transceivers: {
    kind: string;
    init: RTCRtpTransceiverInit;
    direction: RTCRtpTransceiverDirection | undefined;
    sender: FakeSender;
    receiver: { track: object; jitterBufferTarget: number | null };
  }[] = [];
  stats = new Map<string, object>();

  constructor(readonly configuration: RTCConfiguration) {
    super();
  }

  addTransceiver(kind: string, init: RTCRtpTransceiverInit): object {
    const transceiver = {
      kind,
      init,
      direction: init.direction,
      sender: new FakeSender(structuredClone(init.sendEncodings ?? [{}])),
      receiver: { track: { kind }, jitterBufferTarget: null },
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  async setLocalDescription(): Promise<void> {
    this.localDescription = {
      sdp: `v=0\r\nc=IN IP4 192.0.2.7\r\na=ice-ufrag:u${this.restarts}\r\na=fingerprint:${FINGERPRINT}\r\n`,
    };
  }

  async setRemoteDescription(description: { sdp: string }): Promise<void> {
    this.remote.push(description.sdp);
  }

  /** What an answer does to the senders before the page hears of it. */
  answered: () => void = () => {};

  async getStats(): Promise<Map<string, object>> {
    return this.stats;
  }

  restartIce(): void {
    this.restarts += 1;
  }

  close(): void {
    this.closed = true;
  }

  become(state: string): void {
    this.connectionState = state;
    this.dispatchEvent(new Event('connectionstatechange'));
  }
}

export class FakeStream {
  tracks: unknown[] = [];
  getTracks(): unknown[] {
    return [...this.tracks];
  }
  addTrack(track: unknown): void {
    this.tracks.push(track);
  }
  removeTrack(track: unknown): void {
    this.tracks = this.tracks.filter((other) => other !== track);
  }
}

/** A browser without a network: every socket and peer that was asked for, in order. */
export class FakeBrowser {
  readonly clock = new FakeClock();
  readonly sockets: FakeSocket[] = [];
  readonly peers: FakePeer[] = [];
  networkChanged: () => void = () => {};

  constructor() {
    vi.stubGlobal('MediaStream', FakeStream);
    vi.stubGlobal('RTCRtpSender', {});
  }

  readonly environment: Environment = {
    clock: this.clock,
    random: () => 1,
    openSocket: (url) => {
      const socket = new FakeSocket(url);
      this.sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    createPeer: (configuration) => {
      const peer = new FakePeer(configuration);
      this.peers.push(peer);
      return peer as unknown as RTCPeerConnection;
    },
    onNetworkChange: (listener) => {
      this.networkChanged = listener;
      return () => {
        this.networkChanged = () => {};
      };
    },
  };

  get socket(): FakeSocket {
    return last(this.sockets);
  }

  get peer(): FakePeer {
    return last(this.peers);
  }

  /** Welcomes the newest socket and connects its peer. */
  async connect(
    role: Role,
    stage: StageState = ABSENT,
    ice_servers: IceServer[] = [],
    event: object = EVENT,
  ): Promise<void> {
    await settle();
    await this.socket.greet();
    this.socket.say(welcome({ role, stage, ice_servers, event }));
    await settle();
    await this.answer();
    this.peer.become('connected');
    await settle();
  }

  async answer(): Promise<void> {
    this.peer.answered();
    const offers = this.socket.sent.filter((message) => message.type === 'offer');
    this.socket.say({ type: 'answer', number: last(offers).number, sdp: 'answer' });
    await settle();
  }
}

export const CHALLENGE = 'challenge-of-this-connection';
export const FINGERPRINT = 'sha-256 AB:CD:EF';

/** Access whose proofs tell what they would prove. */
export function access(token: (refused: boolean) => Promise<string> = async () => 'pass'): Access {
  return { token, prove: async (claims) => JSON.stringify(claims) };
}

/** What a proof of such access is about. */
export function proved(message: { proof?: string } | undefined): Claims | null {
  return message?.proof === undefined ? null : JSON.parse(message.proof);
}

/** A welcome, with a lease of five minutes. */
export function welcome(fields: object): object {
  const usual = {
    type: 'welcome',
    role: 'viewer',
    event: EVENT,
    stage: ABSENT,
    ice_servers: [],
    expires_in: 300,
  };
  return { ...usual, ...fields };
}

export const ABSENT: StageState = { audio: 'absent', video: 'absent', places: [] };
export const LIVE: StageState = stage({ audio: 'live', video: 'live' });
export const EVENT = {
  id: 'a'.repeat(26),
  title: 'T',
  state: 'scheduled',
  admission: 'public',
  listed: false,
  broadcasters: 1,
  latency: 'interactive',
  location: { finest: 'none', minutes: 0 },
  starts_at: null,
  asks_nothing: false,
};

/** A stage with these broadcasters. */
export function stage(...places: PlaceState[]): StageState {
  const best = (kind: 'audio' | 'video') =>
    (['live', 'muted'] as const).find((state) => places.some((place) => place[kind] === state)) ?? 'absent';
  return { audio: best('audio'), video: best('video'), places };
}

export function fault(code: FaultCode, status = 400): Fault {
  return { type: `/problems/${code}`, code, title: 'What happened.', remedy: 'What to do.', status };
}

function last<T>(list: readonly T[]): T {
  const item = list.at(-1);
  if (item === undefined) throw new Error('nothing there yet');
  return item;
}
