import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { AudienceHealth, BreakGlass, EventSummary, LayerState, StageState } from '../protocol/index.js';
import type { Access } from '../sdk/access.js';
import { Broadcaster } from '../sdk/broadcaster.js';
import type { Cancel } from '../sdk/clock.js';
import { VeilcastError } from '../sdk/errors.js';
import { Onlooker } from '../sdk/onlooker.js';
import { isTaken } from '../sdk/parse.js';
import type { SessionState } from '../sdk/session.js';
import { noteReceipt } from '../sdk/statement.js';
import type { StatsSummary } from '../sdk/stats.js';
import { BREAK_GLASS, breakGlassWords } from './break-glass.js';
import type { Talk } from './chat.js';
import { showChoices } from './choices.js';
import { askConsent } from './consent-ask.js';
import { icons } from './icons.js';
import { onRequest, request, type SourceKind } from './requests.js';
import { audiencePanel, linePanel } from './studio-health.js';
import './source-row.js';
import './studio-others.js';
import { Sources } from './sources.js';
import { studioStyles } from './studio-styles.js';
import { airWords, duration, restWords, statsWords, uplinkWarning, viewersWords } from './studio-view.js';
import { controls, picture, theme } from './theme.js';

/** What somebody hears who was put out. */
const PUT_OUT: ReadonlySet<string> = new Set(['removed', 'banned', 'access-revoked']);

/**
 * Broadcasts to one event: pickers, preview, level, on air and off; and whoever else is on stage, seen and heard.
 *
 * `src` and `event` are attributes, `access` (an `Access`) a property. `guest` is for whoever may not end the event. Ending the event is not its to decide: it fires
 * `veilcast-end-request`. `veilcast-state` (a `SessionState`) tells where it stands, `veilcast-others` the places on stage
 * that others have: `{ place, tenure }`.
 */
export class VeilcastStudio extends LitElement {
  static override properties = {
    src: {},
    event: {},
    access: { attribute: false },
    guest: { type: Boolean },
    stage: { state: true },
    place: { state: true },
    cohosts: { state: true },
    glass: { state: true },
    asks: { state: true },
    choicesElsewhere: { type: Boolean, attribute: 'choices-elsewhere' },
    state: { state: true },
    viewers: { state: true },
    stats: { state: true },
    layers: { state: true },
    health: { state: true },
    elsewhere: { state: true },
    error: { state: true },
    busy: { state: true },
    onAirMs: { state: true },
  };

  declare src: string;
  declare event: string;
  declare access: Access | null;
  declare guest: boolean;
  declare stage: StageState | null;
  /** Where on stage this broadcaster is, with this page or another. */
  declare place: number | null;
  /** The event takes several broadcasters at once. */
  declare cohosts: boolean;
  declare glass: BreakGlass | null;
  /** The event asks for something. */
  declare asks: boolean;
  /** The page around shows the person’s choices itself. */
  declare choicesElsewhere: boolean;
  declare state: SessionState;
  declare viewers: number | null;
  declare stats: StatsSummary | null;
  declare layers: readonly LayerState[];
  declare health: AudienceHealth | null;
  /** Somebody broadcasts, and it is not this page. */
  declare elsewhere: boolean;
  declare error: VeilcastError | null;
  declare busy: SourceKind | 'both' | null;
  declare onAirMs: number;

  #broadcaster: Broadcaster | null = null;
  #unsubscribe: Cancel[] = [];
  #onlooker: Onlooker | null = null;
  #since: number | null = null;
  #ticker: ReturnType<typeof setInterval> | undefined;
  readonly #sources = new Sources((kind) => this.#sourceChanged(kind));
  readonly #onDevices = (): void => {
    this.#sources.refreshDevices().then(() => this.requestUpdate());
  };

  constructor() {
    super();
    this.src = '';
    this.event = '';
    this.access = null;
    this.guest = false;
    this.stage = null;
    this.place = null;
    this.cohosts = false;
    this.glass = null;
    this.asks = false;
    this.choicesElsewhere = false;
    this.state = 'idle';
    this.viewers = null;
    this.stats = null;
    this.layers = [];
    this.health = null;
    this.elsewhere = false;
    this.error = null;
    this.busy = null;
    this.onAirMs = 0;
    onRequest(this, 'veilcast-toggle-request', ({ kind, on }) =>
      this.#guard(kind, () => this.#sources.turn(kind, on)),
    );
    onRequest(this, 'veilcast-device-request', ({ kind, deviceId }) =>
      this.#guard(kind, () => this.#sources.choose(kind, deviceId)),
    );
  }

  override connectedCallback(): void {
    super.connectedCallback();
    navigator.mediaDevices?.addEventListener('devicechange', this.#onDevices);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    navigator.mediaDevices?.removeEventListener('devicechange', this.#onDevices);
    clearInterval(this.#ticker);
    this.#drop();
    this.#lookAway();
    this.#sources.close();
  }

  /** On air or on the way there: leaving the page would cut the broadcast. */
  get onAir(): boolean {
    return this.state === 'connecting' || this.state === 'connected' || this.state === 'reconnecting';
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('state') || changed.has('access') || changed.has('event')) this.#look();
    if (changed.has('state')) this.dispatchEvent(new CustomEvent('veilcast-state', { detail: this.state }));
    if (changed.has('stage') || changed.has('place')) {
      const { places = [], tenures = [] } = this.stage ?? {};
      const detail = places.flatMap((state, place) =>
        isTaken(state) && place !== this.place ? [{ place, tenure: tenures[place] ?? 0 }] : [],
      );
      this.dispatchEvent(new CustomEvent('veilcast-others', { detail }));
    }
  }

  protected override render(): TemplateResult {
    return html`<div class="studio">
      <div class="main">
        <div class="stage">
          <div class="preview ${this.onAir ? 'on-air' : ''} ${this.#sources.picture === null ? '' : 'pictured'}">
            <video playsinline autoplay muted .muted=${true} aria-label="Preview of your picture"></video>
            ${this.#sources.picture === null ? this.#invitation() : nothing}
            <div class="top">${this.#badges()}</div>
          </div>
          <div class="desk">
            <div class="words">
              <p class="air" role="status">${airWords(this.state, this.#sources.any)}</p>
              <p class="numbers">${this.#numbers()}</p>
            </div>
            <div class="actions">${this.#actions()}</div>
          </div>
          ${this.#notices()}${this.#breakGlass()}
        </div>
        ${this.#panels()}
      </div>
      <div class="side">
        ${this.#others()}
        <section class="sources" aria-labelledby="sources">
          <h2 id="sources">What you send</h2>
          ${this.#row('camera')}${this.#row('microphone')}${this.#row('screen')}
          <p class="hint">
            What is off sends nothing. A shared screen replaces the camera’s picture. Viewers with a slow connection get a
            lighter version of it by themselves.
          </p>
        </section>
        ${this.#choices()}
      </div>
    </div>`;
  }

  #row(kind: SourceKind): TemplateResult {
    const { tracks, devices, chosen } = this.#sources;
    return html`<veilcast-source-row
      kind=${kind}
      ?on=${tracks[kind] !== null}
      ?busy=${this.busy === kind || this.busy === 'both'}
      selected=${kind === 'screen' ? '' : chosen[kind]}
      .devices=${kind === 'camera' ? devices.cameras : kind === 'microphone' ? devices.microphones : []}
      .track=${tracks[kind]}
    ></veilcast-source-row>`;
  }

  #invitation(): TemplateResult {
    if (this.#sources.any) {
      return html`<div class="invitation">
        ${icons.microphone}
        <p><strong>Sound only</strong></p>
        <p>Turn on the camera or share your screen to add a picture.</p>
      </div>`;
    }
    return html`<div class="invitation">
      ${icons.camera}
      <p><strong>Nothing is on yet</strong></p>
      <p>Your browser will ask for your permission first.</p>
      <button type="button" class="button" ?disabled=${this.busy !== null} @click=${this.#turnOnBoth}>
        Turn on camera and microphone
      </button>
    </div>`;
  }

  #badges(): TemplateResult | typeof nothing {
    if (this.state !== 'connected') return nothing;
    return html`<span class="badge live">On air ${duration(this.onAirMs)}</span>`;
  }

  #numbers(): TemplateResult | string {
    if (this.state !== 'connected') {
      return this.#sources.any || this.onAir
        ? 'Viewers see you only after you go live.'
        : 'Turn something on, then go live.';
    }
    const viewers = viewersWords(this.viewers);
    const rest = restWords(this.layers);
    return html`<span class="viewers">${viewers}</span>
      ${this.stats === null ? nothing : html`<span class="stats">${statsWords(this.stats)}</span>`}
      ${rest === null ? nothing : html`<span class="stats">${rest}</span>`}`;
  }

  #actions(): TemplateResult | typeof nothing {
    if (this.state === 'ended') return nothing;
    // One button for both ways, so that it keeps the focus when it changes its mind.
    return html`${this.guest ? nothing : this.#endButton()}
      <button
        type="button"
        class="button ${this.onAir ? 'quiet' : 'live'}"
        ?disabled=${!this.onAir && !this.#sources.any}
        @click=${this.onAir ? this.#stop : this.#goLive}
      >
        ${this.onAir ? 'Stop' : 'Go live'}
      </button>`;
  }

  #endButton(): TemplateResult {
    return html`<button
      type="button"
      class="button danger"
      @click=${() => request(this, 'veilcast-end-request', null)}
    >
      End event
    </button>`;
  }

  /** Only while there is somebody, and not what this broadcaster sends with another program. */
  #others(): TemplateResult | typeof nothing {
    const others = this.stage?.places.some((place, at) => at !== this.place && isTaken(place)) ?? false;
    // The only broadcaster there can be, while this page is off air, is likely the same person with another program.
    const several = this.cohosts || this.place !== null;
    if (!several || !others || this.state === 'ended' || this.#isPutOut) return nothing;
    return html`<veilcast-studio-others
      src=${this.src}
      event=${this.event}
      .access=${this.access}
      .own=${this.place}
    ></veilcast-studio-others>`;
  }

  /** Nothing of the stage comes here until this person goes live again. */
  get #isPutOut(): boolean {
    return this.state === 'failed' && this.error !== null && PUT_OUT.has(this.error.code);
  }

  #notices(): TemplateResult | typeof nothing {
    if (this.error !== null) {
      return html`<p class="notice danger" role="alert">
        ${icons.alert}<strong>${this.error.title}</strong><span>${this.error.remedy}</span>
      </p>`;
    }
    const warning = this.stats === null || this.state !== 'connected' ? null : uplinkWarning(this.stats);
    if (warning === null) return nothing;
    return html`<p class="notice" role="status">${icons.info}<strong>The line is weak</strong><span>${warning}</span></p>`;
  }

  /** In one place: on the page around, or here. */
  #choices(): TemplateResult | typeof nothing {
    const consents = this.#broadcaster?.consents ?? this.#onlooker?.consents ?? null;
    if (!this.asks || this.choicesElsewhere || consents === null) return nothing;
    const url = this.src === '' ? location.origin : this.src;
    return html`<button
      type="button"
      class="button quiet small"
      @click=${() => showChoices(consents, this.event, url)}
    >
      ${icons.lock} Your choices
    </button>`;
  }

  #breakGlass(): TemplateResult | typeof nothing {
    if (this.glass === null || this.state === 'ended') return nothing;
    const words = breakGlassWords(this.glass, Date.now() / 1_000);
    return html`<p class="notice" role="status">
      ${icons.info}<strong>${BREAK_GLASS}</strong><span>${words}</span>
    </p>`;
  }

  async #turnOnBoth(): Promise<void> {
    await this.#guard('both', async () => {
      await this.#sources.turn('microphone', true);
      await this.#sources.turn('camera', true);
    });
  }

  /** One thing at a time per device; a refusal is shown, not thrown. */
  async #guard(kind: SourceKind | 'both', work: () => Promise<void>): Promise<void> {
    this.busy = kind;
    this.error = null;
    try {
      await work();
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'device-missing');
    } finally {
      this.busy = null;
    }
  }

  #sourceChanged(kind: SourceKind): void {
    const video = this.renderRoot.querySelector('video');
    const { picture, tracks } = this.#sources;
    if (kind === 'microphone') this.#broadcaster?.setAudio(tracks.microphone);
    else {
      if (video !== null) video.srcObject = picture === null ? null : new MediaStream([picture]);
      video?.classList.toggle('mirror', picture !== null && picture === tracks.camera);
      this.#broadcaster?.setVideo(picture, tracks.screen === null ? 'camera' : 'screen');
    }
    this.requestUpdate();
  }

  #goLive(): void {
    if (this.access === null || this.event === '') return;
    this.#drop();
    this.error = null;
    this.#since = null;
    const url = this.src === '' ? location.origin : this.src;
    const broadcaster = new Broadcaster({ url, event: this.event, access: this.access });
    this.#broadcaster = broadcaster;
    this.#talk(broadcaster);
    this.#unsubscribe = [
      broadcaster.on('state', (state) => this.#stateChanged(state)),
      broadcaster.on('event', (event) => this.#named(event)),
      broadcaster.on('stage', (stage) => {
        this.stage = stage;
      }),
      broadcaster.on('place', (place) => {
        this.place = place;
      }),
      broadcaster.on('audience', (viewers) => {
        this.viewers = viewers;
      }),
      broadcaster.on('health', (health) => {
        this.health = health;
      }),
      broadcaster.on('stats', (stats) => {
        this.stats = stats;
      }),
      broadcaster.on('layers', (layers) => {
        this.layers = layers;
      }),
      broadcaster.on('error', (error) => {
        this.error = error;
      }),
      broadcaster.consents.on('receipt', (receipt) => noteReceipt(this.event, receipt)),
      broadcaster.consents.on('question', (question) => askConsent({ ...question, url, event: this.event })),
    ];
    broadcaster.setAudio(this.#sources.tracks.microphone);
    broadcaster.setVideo(this.#sources.picture, this.#sources.tracks.screen === null ? 'camera' : 'screen');
    broadcaster.start();
  }

  #stateChanged(state: SessionState): void {
    this.state = state;
    clearInterval(this.#ticker);
    // Another connection begins with every layer.
    this.layers = [];
    if (state !== 'connected') return;
    this.elsewhere = false;
    this.error = null;
    this.#since ??= Date.now();
    const tick = (): void => {
      this.onAirMs = Date.now() - (this.#since ?? Date.now());
    };
    tick();
    this.#ticker = setInterval(tick, 1000);
  }

  #stop(): void {
    this.#broadcaster?.stop();
  }

  /** While this page is not on air, it hears how a broadcast of another program fares. */
  #look(): void {
    if (this.onAir || this.state === 'ended' || this.access === null || this.event === '') {
      this.#lookAway();
      return;
    }
    if (this.#onlooker !== null || !this.isConnected) return;
    this.health = null;
    const url = this.src === '' ? location.origin : this.src;
    const onlooker = new Onlooker({ url, event: this.event, access: this.access });
    this.place = null;
    onlooker.on('event', (event) => this.#named(event));
    onlooker.on('stage', (stage) => {
      this.stage = stage;
      this.#lookElsewhere();
    });
    onlooker.on('place', (place) => {
      this.place = place;
      this.#lookElsewhere();
    });
    onlooker.on('audience', (viewers) => {
      this.viewers = viewers;
    });
    onlooker.on('health', (health) => {
      this.health = health;
    });
    onlooker.consents.on('receipt', (receipt) => noteReceipt(this.event, receipt));
    onlooker.consents.on('question', (question) => askConsent({ ...question, url, event: this.event }));
    this.#onlooker = onlooker;
    this.#talk(onlooker);
    onlooker.start();
  }

  #named({ broadcasters, break_glass, asks_nothing }: EventSummary): void {
    this.asks = !asks_nothing;
    this.cohosts = broadcasters > 1;
    this.glass = break_glass ?? null;
  }

  /** Whose chat it is from now on: that of the connection there is. */
  #talk(talk: Talk): void {
    this.dispatchEvent(new CustomEvent('veilcast-talk', { detail: talk }));
  }

  /** Of several broadcasters, only this one's own broadcast is looked after here. */
  #lookElsewhere(): void {
    const { stage, place } = this;
    const own = this.cohosts && stage !== null ? stage.places[place ?? stage.places.length] : stage;
    this.elsewhere = own?.audio === 'live' || own?.video === 'live';
  }

  #lookAway(): void {
    this.#onlooker?.stop();
    this.#onlooker = null;
  }

  #panels(): TemplateResult | typeof nothing {
    const live = this.state === 'connected';
    if (!live && !this.elsewhere) return nothing;
    return html`<div class="panels">
      ${live && this.stats !== null ? linePanel(this.stats, this.layers) : nothing}
      ${audiencePanel(this.viewers, this.health, live)}
    </div>`;
  }

  #drop(): void {
    for (const cancel of this.#unsubscribe) cancel();
    this.#unsubscribe = [];
    this.#broadcaster?.stop();
    this.#broadcaster = null;
  }

  static override styles = [theme, controls, picture, studioStyles];
}

customElements.define('veilcast-studio', VeilcastStudio);
