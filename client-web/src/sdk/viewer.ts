import type {
  EventSummary,
  Latency,
  Quality,
  QualityCap,
  StageState,
  Unplayable,
} from '../protocol/index.js';
import type { Cancel } from './clock.js';
import type { VeilcastError } from './errors.js';
import { TypedTarget } from './events.js';
import { awaitGrowth } from './first-frame.js';
import type { Incoming } from './parse.js';
import { Session, type SessionOptions, type SessionState } from './session.js';
import { sum } from './stats.js';

export interface ViewerEvents {
  state: SessionState;
  event: EventSummary;
  /** What the stage carries; when the picture (or the sound alone) comes back, `playing` follows. */
  stage: StageState;
  /** The first frame (or sound, where there is no picture) has been decoded. */
  playing: { elapsedMs: number };
  /** The broadcaster is there, but has muted every track or lost the line. */
  muted: StageState;
  /** This browser cannot decode a track of the stage. */
  unplayable: Unplayable;
  /** How much of the picture arrives: `off` by choice, `paused` because the line is too slow for any. */
  quality: Quality;
  ended: string;
  error: VeilcastError;
}

export interface ViewerOptions extends SessionOptions {
  /** Milliseconds that the receiver holds media back against jitter at least. By default what the event asks for. */
  jitterTargetMs?: number;
}

/** What an event asks of receivers at least. Chromium reads it in the picture's packets, too; this is for the others and the sound. */
const JITTER_TARGET_MS: Record<Latency, number> = { interactive: 0, balanced: 200 };

/** A wish that is changed faster than this, with a key held down, is told at this pace. */
const WISH_MS = 500;

/**
 * Receives an event's sound and picture.
 *
 * `stream` is one object for the viewer's whole life: bind it to a `<video>` once. A broadcaster's reload, change of
 * codec or pause needs nothing from this side.
 */
export class Viewer extends TypedTarget<ViewerEvents> {
  readonly stream = new MediaStream();
  readonly #session: Session;
  #jitterTargetMs = JITTER_TARGET_MS.interactive;
  #stage: StageState = { audio: 'absent', video: 'absent' };
  #incoming: MediaStreamTrack[] = [];
  #peer: RTCPeerConnection | null = null;
  #since = 0;
  #stopPolling: Cancel = () => {};
  #max: QualityCap = 'high';
  #told: QualityCap = 'high';
  #telling: Cancel | null = null;
  #quality: Quality = 'high';

  constructor(options: ViewerOptions) {
    super();
    this.#session = new Session(options, 'viewer', {
      prepare: (peer) => this.#prepare(peer),
      connected: (peer) => this.#connected(peer),
      state: (state) => this.#stateChanged(state),
      event: (event) => {
        this.#jitterTargetMs = options.jitterTargetMs ?? JITTER_TARGET_MS[event.latency];
        this.emit('event', event);
      },
      stage: (stage) => this.#stageChanged(stage),
      message: (message) => this.#message(message),
      ended: (title) => this.emit('ended', title),
      error: (error) => this.emit('error', error),
    });
  }

  get state(): SessionState {
    return this.#session.state;
  }

  get stage(): StageState {
    return this.#stage;
  }

  /** How much of the picture arrives. */
  get quality(): Quality {
    return this.#quality;
  }

  /** The best picture that is wanted. */
  get maxQuality(): QualityCap {
    return this.#max;
  }

  /** Limits the picture: `off` is sound only, `high` whatever the line carries. Holds over reconnects. */
  setMaxQuality(max: QualityCap): void {
    this.#max = max;
    if (this.#telling === null) this.#tellWish();
  }

  start(): void {
    this.#since = this.#session.environment.clock.now();
    this.#session.start();
  }

  stop(): void {
    this.#session.stop();
  }

  #prepare(peer: RTCPeerConnection): void {
    // A new socket knows nothing of us, and is taken to carry everything until it says otherwise.
    this.#told = 'high';
    this.#qualityChanged('high');
    this.#tellWish();
    this.#incoming = (['audio', 'video'] as const).map((kind) => {
      const { receiver } = peer.addTransceiver(kind, { direction: 'recvonly' });
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = this.#jitterTargetMs;
      return receiver.track;
    });
  }

  /** The old tracks stay until the new ones carry something, so the last picture stands through a reconnect. */
  #connected(peer: RTCPeerConnection): void {
    if (this.#peer === peer) return;
    this.#peer = peer;
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
    for (const track of this.#incoming) this.stream.addTrack(track);
    this.#awaitFrame(0);
  }

  #stageChanged(stage: StageState): void {
    const before = this.#leading;
    this.#stage = stage;
    this.emit('stage', stage);
    this.#awaitWhatLeads(before);
    if (this.#leading === null && (stage.audio === 'muted' || stage.video === 'muted')) {
      this.emit('muted', stage);
    }
  }

  #qualityChanged(quality: Quality): void {
    if (quality === this.#quality) return;
    const before = this.#leading;
    this.#quality = quality;
    this.emit('quality', quality);
    this.#awaitWhatLeads(before);
  }

  #tellWish(): void {
    this.#telling?.();
    this.#telling = null;
    if (this.#max === this.#told) return;
    this.#told = this.#max;
    this.#session.send({ type: 'quality', max: this.#max });
    this.#telling = this.#session.environment.clock.after(WISH_MS, () => this.#tellWish());
  }

  /** What this viewer waits for: the picture where there is one for it, else the sound. */
  get #leading(): 'video' | 'audio' | null {
    const pictured = this.#quality !== 'off' && this.#quality !== 'paused';
    if (this.#stage.video === 'live' && pictured) return 'video';
    return this.#stage.audio === 'live' ? 'audio' : null;
  }

  #awaitWhatLeads(before: 'video' | 'audio' | null): void {
    const now = this.#leading;
    if (now === null) this.#stopPolling();
    else if (now !== before && this.#peer !== null) {
      this.#since = this.#session.environment.clock.now();
      this.#awaitFrame(null);
    }
  }

  #awaitFrame(from: number | null): void {
    const peer = this.#peer;
    this.#stopPolling();
    if (peer === null || this.#leading === null) return;
    const { clock } = this.#session.environment;
    this.#stopPolling = awaitGrowth(
      clock,
      () => this.#decoded(peer),
      from,
      () => this.emit('playing', { elapsedMs: clock.now() - this.#since }),
    );
  }

  /** Frames where there is a picture, else samples of sound. */
  async #decoded(peer: RTCPeerConnection): Promise<number> {
    const stats = await peer.getStats();
    return sum(stats, 'inbound-rtp', this.#leading === 'video' ? 'framesDecoded' : 'packetsReceived');
  }

  #message(message: Incoming): void {
    if (message.type === 'unplayable') {
      this.emit('unplayable', { codec: message.codec, title: message.title });
    } else if (message.type === 'quality') this.#qualityChanged(message.video);
  }

  #stateChanged(state: SessionState): void {
    if (state === 'reconnecting') this.#since = this.#session.environment.clock.now();
    if (state === 'ended' || state === 'failed' || state === 'closed') {
      this.#stopPolling();
      this.#peer = null;
      this.#telling?.();
      this.#telling = null;
    }
    this.emit('state', state);
  }
}
