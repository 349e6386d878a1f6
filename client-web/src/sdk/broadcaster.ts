import type { AudienceHealth, EventSummary, LayerState, StageState } from '../protocol/index.js';
import { Attendee } from './attendee.js';
import { withGlass } from './break-glass.js';
import type { Cancel } from './clock.js';
import type { VeilcastError } from './errors.js';
import { planLayers, RIDS, type VideoKind } from './layers.js';
import type { Incoming } from './parse.js';
import { People } from './people.js';
import { startingAt } from './sdp.js';
import { Session, type SessionOptions, type SessionState } from './session.js';
import { type StatsSummary, watchStats } from './stats.js';
import { Tuner } from './tuner.js';

export interface BroadcasterEvents {
  state: SessionState;
  event: EventSummary;
  /** What viewers are being told about this broadcast. */
  stage: StageState;
  /** Where on stage this broadcast is, from 0; `null` while it is on air nowhere. */
  place: number | null;
  /** Roughly how many watch; `null` for fewer than five. */
  audience: number | null;
  /** How the picture arrives at them, as roughly. */
  health: AudienceHealth;
  stats: StatsSummary;
  /** Which layers of the present source anybody needs, smallest first; the others rest. Only with simulcast. */
  layers: readonly LayerState[];
  ended: string;
  error: VeilcastError;
}

export interface BroadcasterOptions extends SessionOptions {
  /** Sends the picture in up to three sizes, so that each viewer gets what its line carries. Default: true. */
  simulcast?: boolean;
}

/** Half of what the picture takes at most: most lines carry it, and the first viewers see a clear picture. */
const START_KBPS = 1_200;

/**
 * Sends one sound and one picture to an event.
 *
 * Tracks may be set, changed and removed at any time, also while on air: that needs no negotiation, and an absent
 * track sends nothing at all. The caller owns the tracks and stops them.
 */
export class Broadcaster extends Attendee<BroadcasterEvents> {
  readonly people: People;
  readonly #session: Session;
  #event: EventSummary | null = null;
  readonly #simulcast: boolean;
  #audio: MediaStreamTrack | null = null;
  #video: MediaStreamTrack | null = null;
  #videoKind: VideoKind = 'camera';
  #audioSender: RTCRtpSender | null = null;
  #videoSender: RTCRtpSender | null = null;
  #tuner: Tuner | null = null;
  #stopStats: Cancel = () => {};

  constructor(options: BroadcasterOptions) {
    super();
    this.#simulcast = options.simulcast ?? true;
    this.#session = new Session(options, 'broadcaster', {
      prepare: (peer) => this.#prepare(peer),
      accept: (sdp) => startingAt(sdp, START_KBPS),
      // An answer may take the layers away, and makes those that rested active again.
      answered: () => this.#tuner?.tune(),
      connected: (peer) => this.#connected(peer),
      state: (state) => this.#stateChanged(state),
      welcomed: (event) => {
        this.people.begin();
        this.#tell(event);
      },
      stage: (stage) => this.emit('stage', stage),
      message: (message) => this.#message(message),
      ended: (title) => {
        this.people.end();
        this.emit('ended', title);
      },
      error: (error) => this.emit('error', error),
    });
    this.people = new People((message) => this.#session.send(message), this.#session.environment.clock);
  }

  get state(): SessionState {
    return this.#session.state;
  }

  /** Goes on air, and stays there through reconnects until `stop`. */
  start(): void {
    this.#session.start();
  }

  /** Leaves the air; the event goes on without a picture. */
  stop(): void {
    this.#session.stop();
  }

  /** `null` mutes: no packet is sent. */
  async setAudio(track: MediaStreamTrack | null): Promise<void> {
    this.#audio = track;
    await this.#audioSender?.replaceTrack(track);
  }

  /** `null` blanks: no packet is sent. */
  async setVideo(track: MediaStreamTrack | null, kind: VideoKind = 'camera'): Promise<void> {
    this.#video = track;
    this.#videoKind = kind;
    if (track !== null) track.contentHint = kind === 'screen' ? 'detail' : 'motion';
    await this.#videoSender?.replaceTrack(track);
    await this.#tuner?.show(kind);
  }

  async #prepare(peer: RTCPeerConnection): Promise<void> {
    const audio = peer.addTransceiver('audio', { direction: 'sendonly' });
    const video = peer.addTransceiver('video', { direction: 'sendonly', sendEncodings: this.#encodings() });
    preferVp8(video);
    this.#audioSender = audio.sender;
    this.#videoSender = video.sender;
    await audio.sender.replaceTrack(this.#audio);
    await video.sender.replaceTrack(this.#video);
    this.#tuner = new Tuner(video.sender, this.#videoKind);
  }

  #encodings(): RTCRtpEncodingParameters[] {
    const rids: readonly (string | undefined)[] = this.#simulcast ? RIDS : [undefined];
    const plans = planLayers(this.#videoKind, this.#video?.getSettings() ?? {}, rids.length);
    // Every layer is offered; which of them are sent is settled when they are answered, and again for every source.
    return plans.map((plan, index) => ({ ...plan, active: true, ...(rids[index] && { rid: rids[index] }) }));
  }

  #connected(peer: RTCPeerConnection): void {
    this.#stopStats();
    this.#stopStats = watchStats(peer, this.#session.environment.clock, (stats) => {
      // A window that is shared may have been resized, a phone turned.
      this.#tuner?.tune();
      this.emit('stats', stats);
    });
  }

  #tell(event: EventSummary): void {
    this.#event = event;
    this.emit('event', event);
  }

  #message(message: Incoming): void {
    if (this.people.take(message)) return;
    if (message.type === 'break-glass' && this.#event !== null)
      this.#tell(withGlass(this.#event, message.break_glass));
    if (message.type === 'place') this.emit('place', message.place);
    else if (message.type === 'audience') this.emit('audience', message.viewers);
    else if (message.type === 'health') this.emit('health', message);
    else if (message.type === 'layers') {
      const tuner = this.#tuner;
      if (tuner === null) return;
      tuner.need(message.layers);
      this.emit(
        'layers',
        message.layers.filter(({ rid }) => tuner.uses(rid)),
      );
    }
  }

  #stateChanged(state: SessionState): void {
    if (state !== 'connected') this.#stopStats();
    this.people.follow(state);
    this.emit('state', state);
  }
}

/** Every browser decodes it, and it is the cheapest to encode; the server keeps it when it is offered. */
function preferVp8(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpSender.getCapabilities?.('video')?.codecs;
  if (codecs === undefined || transceiver.setCodecPreferences === undefined) return;
  const isVp8 = (codec: RTCRtpCodec): boolean => codec.mimeType.toLowerCase() === 'video/vp8';
  transceiver.setCodecPreferences([...codecs.filter(isVp8), ...codecs.filter((codec) => !isVp8(codec))]);
}
