import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { BreakGlass, EventSummary, Quality, QualityCap, StageState } from '../protocol/index.js';
import type { Access } from '../sdk/access.js';
import type { Cancel } from '../sdk/clock.js';
import { noteReceipt } from '../sdk/statement.js';
import { Viewer, type ViewerPlace } from '../sdk/viewer.js';
import { BREAK_GLASS, breakGlassLine } from './break-glass.js';
import type { Talk } from './chat.js';
import { showChoices } from './choices.js';
import { askConsent } from './consent-ask.js';
import { icons } from './icons.js';
import { playerStyles } from './player-styles.js';
import {
  columns,
  isLive,
  type PlayerModel,
  type Poster,
  type PosterKind,
  poster,
  remark,
  spoken,
} from './player-view.js';
import './player-controls.js';
import { VeilcastPlayerTile } from './player-tile.js';
import { onRequest } from './requests.js';
import { picture, theme } from './theme.js';

/** The controls step back after this long without a hand on them. */
const IDLE_MS = 3_000;

/** Narrower, and pictures side by side would be too small to see a face. */
const NARROW_PX = 576;

const FRESH: PlayerModel = {
  session: 'idle',
  stage: { audio: 'absent', video: 'absent', places: [] },
  places: [],
  playing: false,
  wish: 'high',
  quality: 'high',
  returning: false,
  unplayable: null,
  ended: null,
  error: null,
};

/** What somebody has chosen, and may want to find again. */
export interface PlayerPreferences {
  /** 0 to 1. */
  volume: number;
  max: QualityCap;
}

/**
 * Watches one event.
 *
 * `<veilcast-player src="https://live.example" event="ID"></veilcast-player>`; the property `access` says how
 * this visitor may watch (`invitedAccess`); without it, the visitor is a guest. Fires `veilcast-event` (an `EventSummary`),
 * `veilcast-role` (a `Role`) and `veilcast-model` (a `PlayerModel`) when they change, `veilcast-talk` with what a `<veilcast-chat>`
 * needs (`chat` and `consents`) and `whereabouts`, `veilcast-playing` with `{ elapsedMs }`, and `veilcast-preferences` (`PlayerPreferences`)
 * when this person chooses another volume or quality. The property `preferences` begins with one; the player keeps none. Among its
 * controls are the person’s choices, unless the page shows them itself (`<veilcast-choices>`) and says so with `choices-elsewhere`.
 */
export class VeilcastPlayer extends LitElement {
  static override properties = {
    src: {},
    event: {},
    access: { attribute: false },
    preferences: { attribute: false },
    model: { state: true },
    muted: { state: true },
    volume: { state: true },
    soundBlocked: { state: true },
    fullscreen: { state: true },
    tiles: { state: true },
    several: { type: Boolean, reflect: true },
    stacked: { type: Boolean, reflect: true },
    idle: { type: Boolean, reflect: true },
    glass: { state: true },
    asks: { state: true },
    elsewhere: { type: Boolean, attribute: 'choices-elsewhere' },
  };

  declare src: string;
  declare event: string;
  declare access: Access | null;
  declare preferences: PlayerPreferences | null;
  declare model: PlayerModel;
  declare muted: boolean;
  declare volume: number;
  declare soundBlocked: boolean;
  declare fullscreen: boolean;
  /** What is shown: the latest that was on stage, so that a picture stands behind what is said while it is away. */
  declare tiles: readonly ViewerPlace[];
  declare several: boolean;
  /** Higher than wide. */
  declare stacked: boolean;
  declare idle: boolean;
  declare glass: BreakGlass | null;
  /** The event asks for something. */
  declare asks: boolean;
  /** The page around shows the person’s choices itself. */
  declare elsewhere: boolean;

  #viewer: Viewer | null = null;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #unsubscribe: Cancel[] = [];
  readonly #onFullscreen = (): void => {
    this.fullscreen = document.fullscreenElement === this;
  };
  readonly #resized = new ResizeObserver(() => this.#measure());

  constructor() {
    super();
    this.src = '';
    this.event = '';
    this.access = null;
    this.preferences = null;
    this.model = FRESH;
    this.muted = false;
    this.volume = 1;
    this.soundBlocked = false;
    this.fullscreen = false;
    this.tiles = [];
    this.several = false;
    this.stacked = false;
    this.idle = false;
    this.glass = null;
    this.asks = false;
    this.elsewhere = false;
    onRequest(this, 'veilcast-choices-request', () => this.#showChoices());
    onRequest(this, 'veilcast-mute-request', ({ muted }) => this.#setMuted(muted));
    onRequest(this, 'veilcast-volume-request', ({ volume }) => {
      this.#setVolume(volume);
      this.#prefer();
    });
    onRequest(this, 'veilcast-quality-request', ({ max }) => {
      this.#wish(max);
      this.#prefer();
    });
    onRequest(this, 'veilcast-fullscreen-request', () => this.#toggleFullscreen());
    onRequest(this, 'veilcast-inset-request', () => this.#toggleInset());
    onRequest(this, 'veilcast-sound-blocked', () => {
      this.soundBlocked = true;
      this.muted = true;
    });
    this.addEventListener('keydown', (event) => this.#key(event));
    for (const name of ['pointermove', 'pointerdown', 'keydown', 'focusin']) {
      this.addEventListener(name, () => this.#stir());
    }
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('fullscreenchange', this.#onFullscreen);
    this.#resized.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('fullscreenchange', this.#onFullscreen);
    this.#resized.disconnect();
    clearTimeout(this.#idleTimer);
    this.#drop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('preferences') || this.preferences === null) return;
    this.volume = this.preferences.volume;
    this.#wish(this.preferences.max);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('event') || changed.has('src') || changed.has('access')) this.#watch();
    if (changed.has('tiles') || changed.has('stacked')) this.#arrange();
    if (changed.has('model')) this.#tell('veilcast-model', this.model);
  }

  protected override render(): TemplateResult {
    const shown = poster(this.model);
    const note = remark(this.model);
    return html`
      ${this.#stage()}
      ${shown === null ? nothing : this.#poster(shown)}
      <div class="top">
        ${isLive(this.model) ? html`<span class="badge">Live</span>` : nothing}
        ${note === null ? nothing : html`<span class="remark">${icons.microphoneOff}${note}</span>`}
      </div>
      ${this.model.session === 'ended' ? nothing : breakGlassLine(this.glass)}
      ${this.soundBlocked && isLive(this.model) ? this.#soundButton() : nothing}
      ${
        isLive(this.model)
          ? html`<veilcast-player-controls
              ?plain=${shown !== null}
              ?muted=${this.muted}
              .volume=${this.volume}
              ?fullscreen=${this.fullscreen}
              ?can-choose=${this.model.stage.video !== 'absent'}
              wish=${this.model.wish}
              quality=${this.model.quality}
              ?choices=${this.asks && !this.elsewhere}
              ?can-fullscreen=${this.#canFullscreen()}
              ?can-inset=${document.pictureInPictureEnabled === true}
            ></veilcast-player-controls>`
          : nothing
      }
      <div class="unseen" role="status">
        ${spoken(shown, this.model.places)}${this.glass === null ? nothing : html` ${BREAK_GLASS}.`}
      </div>
    `;
  }

  #stage(): TemplateResult {
    return html`<div class="stage" @click=${this.#clicked}>
      ${repeat(
        this.tiles,
        ({ place }) => place,
        (place) => html`<veilcast-player-tile
          .place=${place}
          .stream=${place.stream}
          .unplayable=${this.model.unplayable}
          ?named=${this.tiles.length > 1}
          ?muted=${this.muted}
          .volume=${this.volume}
        ></veilcast-player-tile>`,
      )}
    </div>`;
  }

  #poster(shown: Poster): TemplateResult {
    // The live region says it; this is for the eye.
    return html`<div class="cover poster ${shown.kind}">
      <div class="words" aria-hidden="true">
        ${POSTER_ICONS[shown.kind]}
        <p class="title">${shown.title}</p>
        ${shown.text === '' ? nothing : html`<p class="text">${shown.text}</p>`}
      </div>
      ${
        shown.retry === true
          ? html`<button type="button" class="pill" @click=${this.#watch}>${icons.retry} Try again</button>`
          : nothing
      }
      ${
        shown.chosen === true
          ? html`<button type="button" class="pill" @click=${() => this.#wish('high')}>Show the picture</button>`
          : nothing
      }
    </div>`;
  }

  #soundButton(): TemplateResult {
    return html`<button type="button" class="pill sound" @click=${() => this.#setMuted(false)}>
      ${icons.soundOff} Tap for sound
    </button>`;
  }

  #watch(): void {
    this.#drop();
    const { wish } = this.model;
    this.model = { ...FRESH, wish };
    this.tiles = [];
    this.#measure();
    if (this.event === '') return;
    const url = this.src === '' ? location.origin : this.src;
    const viewer = new Viewer({ url, event: this.event, access: this.access });
    this.#viewer = viewer;
    const talk: Talk = viewer;
    this.#tell('veilcast-talk', talk);
    this.#unsubscribe = [
      viewer.on('state', (session) => this.#change({ session })),
      viewer.on('stage', (stage) => this.#stageChanged(stage)),
      viewer.on('places', (places) => this.#placesChanged(places)),
      viewer.on('playing', (detail) => {
        // A codec that could not be played has given way to one that can.
        this.#change({
          playing: true,
          returning: false,
          error: null,
          ...(this.model.stage.video === 'live' && isShown(viewer.quality) && { unplayable: null }),
        });
        this.#tell('veilcast-playing', detail);
      }),
      viewer.on('quality', (quality) => this.#qualityChanged(quality)),
      viewer.on('unplayable', (unplayable) => this.#change({ unplayable })),
      viewer.on('ended', (ended) => this.#change({ ended })),
      viewer.on('error', (error) => this.#change({ error })),
      viewer.on('event', (event: EventSummary) => {
        this.glass = event.break_glass ?? null;
        this.asks = !event.asks_nothing;
        this.#tell('veilcast-event', event);
      }),
      viewer.on('role', (role) => this.#tell('veilcast-role', role)),
      viewer.consents.on('receipt', (receipt) => noteReceipt(this.event, receipt)),
      viewer.consents.on('question', (question) => askConsent({ ...question, url, event: this.event })),
    ];
    viewer.setMaxQuality(wish);
    this.#tell('veilcast-viewer', viewer);
    viewer.start();
    this.#stir();
  }

  /** No picture before something comes: an element that waits for its first frame holds up the `load` event of its page. */
  #placesChanged(places: readonly ViewerPlace[]): void {
    const model = ({ stream: _, ...place }: ViewerPlace) => place;
    this.#change({ places: places.map(model) });
    if (places.length > 0) this.tiles = places;
    this.#measure();
  }

  /** By script, since a strict policy refuses style attributes. */
  #arrange(): void {
    const across = columns(this.tiles.length, this.stacked);
    this.style.setProperty('--_columns', String(across));
    this.style.setProperty('--_rows', String(Math.ceil(this.tiles.length / Math.max(1, across))));
  }

  /** A grid where there is width for it, else one below the other. */
  #measure(): void {
    this.several = this.tiles.length > 1;
    const tall = this.fullscreen && window.innerHeight > window.innerWidth;
    this.stacked = this.several && (tall || this.clientWidth < NARROW_PX);
  }

  #stageChanged(stage: StageState): void {
    const returns = stage.video === 'live' && this.model.stage.video !== 'live';
    this.#change({
      stage,
      ...(returns && { playing: false }),
      ...(stage.video === 'absent' && { unplayable: null }),
    });
  }

  #qualityChanged(quality: Quality): void {
    const returns = isShown(quality) && !isShown(this.model.quality);
    this.#change({ quality, ...(returns && { playing: false, returning: true }) });
  }

  #prefer(): void {
    const chosen: PlayerPreferences = { volume: this.volume, max: this.model.wish };
    this.#tell('veilcast-preferences', chosen);
  }

  #wish(wish: QualityCap): void {
    this.#change({ wish });
    this.#viewer?.setMaxQuality(wish);
  }

  #drop(): void {
    for (const cancel of this.#unsubscribe) cancel();
    this.#unsubscribe = [];
    this.#viewer?.stop();
    this.#viewer = null;
  }

  #change(part: Partial<PlayerModel>): void {
    this.model = { ...this.model, ...part };
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** What goes into a window of its own: the first picture there is. */
  #video(): HTMLVideoElement | null {
    const all = [...this.renderRoot.querySelectorAll('veilcast-player-tile')];
    const tiles = all.filter((tile) => tile instanceof VeilcastPlayerTile);
    return (tiles.find(({ place }) => place?.video === 'live') ?? tiles[0])?.video ?? null;
  }

  #setMuted(muted: boolean): void {
    this.muted = muted;
    if (muted) return;
    this.soundBlocked = false;
    if (this.volume === 0) this.#setVolume(0.5);
  }

  #setVolume(volume: number): void {
    this.volume = Math.min(1, Math.max(0, volume));
    if (this.muted !== (this.volume === 0)) this.#setMuted(this.volume === 0);
  }

  #canFullscreen(): boolean {
    return document.fullscreenEnabled === true || typeof this.#phoneFullscreen() === 'function';
  }

  /** iPhones know only the video's own full screen. */
  #phoneFullscreen(): unknown {
    return Reflect.get(HTMLVideoElement.prototype, 'webkitEnterFullscreen');
  }

  #toggleFullscreen(): void {
    const video = this.#video();
    const phone = this.#phoneFullscreen();
    if (document.fullscreenElement !== null) document.exitFullscreen();
    else if (document.fullscreenEnabled === true) this.requestFullscreen().catch(() => {});
    else if (video !== null && typeof phone === 'function') phone.call(video);
  }

  #showChoices(): void {
    const url = this.src === '' ? location.origin : this.src;
    if (this.#viewer !== null) showChoices(this.#viewer.consents, this.event, url);
  }

  #toggleInset(): void {
    if (document.pictureInPictureElement !== null) document.exitPictureInPicture();
    else
      this.#video()
        ?.requestPictureInPicture()
        .catch(() => {});
  }

  #clicked(): void {
    if (this.soundBlocked) this.#setMuted(false);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    KEYS[event.key]?.(
      () => this.#setMuted(!this.muted),
      () => this.#toggleFullscreen(),
      () => this.#toggleInset(),
    );
  }

  #stir(): void {
    this.idle = false;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      this.idle = this.model.playing;
    }, IDLE_MS);
  }

  static override styles = [theme, picture, playerStyles];
}

function isShown(quality: Quality): boolean {
  return quality !== 'off' && quality !== 'paused';
}

type Act = () => void;

const KEYS: Readonly<Record<string, (mute: Act, fullscreen: Act, inset: Act) => void>> = {
  m: (mute) => mute(),
  f: (_mute, fullscreen) => fullscreen(),
  i: (_mute, _fullscreen, inset) => inset(),
};

const POSTER_ICONS: Record<PosterKind, TemplateResult> = {
  connecting: html`<span class="spinner"></span>`,
  reconnecting: html`<span class="spinner"></span>`,
  waiting: html`<span class="veil"><i></i><i></i><i></i></span>`,
  paused: icons.pause,
  'sound-only': icons.sound,
  slow: icons.slow,
  unplayable: icons.cameraOff,
  ended: icons.moon,
  private: icons.lock,
  failed: icons.alert,
};

customElements.define('veilcast-player', VeilcastPlayer);
