import type {
  Activity,
  EventSummary,
  Latency,
  Quality,
  QualityCap,
  Role,
  StageState,
  Unplayable,
} from '../protocol/index.js';
import { type Access, guestAccess } from './access.js';
import { Attendee } from './attendee.js';
import { withGlass } from './break-glass.js';
import type { Cancel } from './clock.js';
import type { VeilcastError } from './errors.js';
import { awaitGrowth } from './first-frame.js';
import { type Incoming, isTaken } from './parse.js';
import { People } from './people.js';
import { Receivers } from './receivers.js';
import { Session, type SessionOptions, type SessionState } from './session.js';
import { sum } from './stats.js';

export interface ViewerEvents {
  state: SessionState;
  event: EventSummary;
  /** What this viewer is in the event: a moderator may look after it (`moderation`). */
  role: Role;
  /** What the stage carries; when the picture (or the sound alone) comes back, `playing` follows. */
  stage: StageState;
  /** Who is on stage, and what arrives of each. Comes with every change. */
  places: readonly ViewerPlace[];
  /** The first frame (or sound, where there is no picture) has been decoded. */
  playing: { elapsedMs: number };
  /** The broadcaster is there, but has muted every track or lost the line. */
  muted: StageState;
  /** This browser cannot decode a track of the stage. */
  unplayable: Unplayable;
  /** How much of the picture arrives, of the best where there are several: `off` by choice, `paused` because the line is
      too slow for any. */
  quality: Quality;
  ended: string;
  error: VeilcastError;
}

export interface ViewerOptions extends Omit<SessionOptions, 'access'> {
  /** How this page shows that it may watch. Without it, the viewer is a guest, whom public events admit. */
  access?: Access | null;
  /** Milliseconds that the receiver holds media back against jitter at least. By default what the event asks for. */
  jitterTargetMs?: number;
}

/** A broadcaster of the event, as this viewer gets it. */
export interface ViewerPlace {
  /** From 0: the host's. A broadcaster that reloads keeps it. */
  readonly place: number;
  /** Whose turn it is there: another person's is another number. Whoever looks after the event says by it whom they mean. */
  readonly tenure: number;
  /** Its sound and picture: one object for the viewer's whole life, whoever has the place. */
  readonly stream: MediaStream;
  readonly audio: Activity;
  readonly video: Activity;
  /** How much of its picture arrives. */
  readonly quality: Quality;
}
/** What an event asks of receivers at least. Chromium reads it in the picture's packets, too; this is for the others and the sound. */
const JITTER_TARGET_MS: Record<Latency, number> = { interactive: 0, balanced: 200 };

/** A wish that is changed faster than this, with a key held down, is told at this pace. */
const WISH_MS = 500;

/**
 * Receives an event's sound and picture.
 *
 * `stream` is one object for the viewer's whole life: bind it to a `<video>` once. A broadcaster's reload, change of
 * codec or pause needs nothing from this side. An event may have several broadcasters: `places` has a stream for each, and
 * `stream` is that of the first place. Whoever comes or goes does not disturb the others.
 */
export class Viewer extends Attendee<ViewerEvents> {
  readonly people: People;
  readonly #session: Session;
  #event: EventSummary | null = null;
  readonly #receivers: Receivers;
  #stage: StageState = { audio: 'absent', video: 'absent', places: [] };
  #peer: RTCPeerConnection | null = null;
  #skipped: number | null = null;
  #since = 0;
  #stopPolling: Cancel = () => {};
  #max: QualityCap = 'high';
  #told: QualityCap = 'high';
  #telling: Cancel | null = null;
  #quality: Quality = 'high';
  #qualities: readonly (Quality | null)[] = [];

  constructor(options: ViewerOptions) {
    super();
    this.#receivers = new Receivers(options.jitterTargetMs ?? JITTER_TARGET_MS.interactive);
    const access = options.access ?? guestAccess(options.url, options.event, options.environment?.clock);
    this.#session = new Session({ ...options, access }, 'viewer', {
      prepare: (peer) => this.#prepare(peer),
      connected: (peer) => this.#connected(peer),
      state: (state) => this.#stateChanged(state),
      welcomed: (event, role) => {
        this.people.begin();
        this.#receivers.jitterTargetMs = options.jitterTargetMs ?? JITTER_TARGET_MS[event.latency];
        this.#tell(event);
        this.emit('role', role);
      },
      stage: (stage) => this.#stageChanged(stage),
      message: (message) => this.#message(message),
      ended: (title) => {
        this.people.end();
        this.emit('ended', title);
      },
      error: (error) => this.emit('error', error),
    });
    this.people = new People((message) => this.#session.send(message), this.#session.environment.clock);
  }

  /** The first place's. */
  get stream(): MediaStream {
    return this.#receivers.stream(0);
  }

  get state(): SessionState {
    return this.#session.state;
  }

  get stage(): StageState {
    return this.#stage;
  }

  /** Who is on stage, by place. */
  get places(): readonly ViewerPlace[] {
    return this.#stage.places.flatMap((state, place) => {
      if (!isTaken(state) || place === this.#skipped) return [];
      const quality = this.#qualities[place] ?? 'high';
      const tenure = this.#stage.tenures?.[place] ?? 0;
      return [{ ...state, place, tenure, quality, stream: this.#receivers.stream(place) }];
    });
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

  /** Leaves a place out of {@link places}: one's own, of which the server sends nothing to who looks on. */
  skip(place: number | null): void {
    if (place === this.#skipped) return;
    this.#skipped = place;
    this.emit('places', this.places);
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
    this.#qualityChanged('high', []);
    this.#tellWish();
    this.#receivers.begin();
    // Before anybody is there, too, so that the first broadcaster is seen at once.
    this.#receivers.widen(peer, Math.max(1, this.#stage.places.length));
  }

  /** The old tracks stay until the new ones carry something, so the last picture stands through a reconnect. */
  #connected(peer: RTCPeerConnection): void {
    if (this.#peer === peer) return;
    this.#peer = peer;
    this.#receivers.attach();
    this.#awaitFrame(0);
  }

  #stageChanged(stage: StageState): void {
    const before = this.#leading;
    this.#stage = stage;
    // The places that are there already stay as they are: only more is asked for.
    if (stage.places.length > this.#receivers.count) {
      this.#session.renegotiate((peer) => this.#receivers.widen(peer, stage.places.length));
    }
    this.emit('stage', stage);
    this.emit('places', this.places);
    this.#awaitWhatLeads(before);
    if (this.#leading === null && (stage.audio === 'muted' || stage.video === 'muted')) {
      this.emit('muted', stage);
    }
  }

  #qualityChanged(quality: Quality, qualities: readonly (Quality | null)[]): void {
    const changed = quality !== this.#quality;
    const before = this.#leading;
    this.#quality = quality;
    this.#qualities = qualities;
    if (changed) this.emit('quality', quality);
    this.emit('places', this.places);
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

  #tell(event: EventSummary): void {
    this.#event = event;
    this.emit('event', event);
  }

  #message(message: Incoming): void {
    if (this.people.take(message)) return;
    if (message.type === 'break-glass' && this.#event !== null)
      this.#tell(withGlass(this.#event, message.break_glass));
    if (message.type === 'unplayable') {
      const { place, codec, title } = message;
      this.emit('unplayable', { place, codec, title });
    } else if (message.type === 'quality') this.#qualityChanged(message.video, message.places);
  }

  #stateChanged(state: SessionState): void {
    this.people.follow(state);
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
