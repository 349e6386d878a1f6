import { html, nothing, type TemplateResult } from 'lit';
import '../../elements/chat.js';
import type { Talk } from '../../elements/chat.js';
import '../../elements/player.js';
import { icons } from '../../elements/icons.js';
import type { PlayerPreferences } from '../../elements/player.js';
import type { PlayerModel } from '../../elements/player-view.js';
import type { EventSummary, Role, SignInProvider } from '../../protocol/index.js';
import { type Access, guestAccess } from '../../sdk/access.js';
import { VeilcastError } from '../../sdk/errors.js';
import { api } from '../api.js';
import { leaveForSignIn } from '../auth.js';
import '../choices.js';
import '../door.js';
import { breakGlassWords } from '../../elements/break-glass.js';
import { takeInvitation } from '../invitation.js';
import { memberAccess } from '../member.js';
import '../location-panel.js';
import '../moderation.js';
import { Page } from '../page.js';
import { pageTitle } from '../page-title.js';
import { begins, loading, stateBadge } from '../parts.js';
import { Preferences } from '../preferences.js';
import '../providers.js';

const gpc = (): boolean => Reflect.get(navigator, 'globalPrivacyControl') === true;

/** What everybody has to be told of an event may change while they watch. */
const LOOK_AGAIN_MS = 5 * 60_000;

class Watch extends Page {
  static override properties = {
    summary: { state: true },
    model: { state: true },
    entry: { state: true },
    providers: { state: true },
    moderates: { state: true },
    talk: { state: true },
  };

  declare summary: EventSummary | null;
  declare model: PlayerModel | null;
  /** Whether this page knows how to get in; `asked` while somebody has to sign in first, `door` while they wait to be let in. */
  declare entry: 'open' | 'looking' | 'asked' | 'door';
  declare providers: readonly SignInProvider[];
  /** This person looks after the event. */
  declare moderates: boolean;
  /** What the chat needs of the player. */
  declare talk: Talk | null;
  /** Of whoever was invited, has signed in, or asks to be let in. */
  #access: Access | null = null;
  #member = false;
  // The clock on the wall: what is kept lasts longer than this page does.
  readonly #preferences = new Preferences(localStorage, Date, gpc);
  readonly #preferred = this.#preferences.read();
  #latest: PlayerPreferences = this.#preferred ?? { volume: 1, max: 'high' };
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.summary = null;
    this.model = null;
    this.entry = 'open';
    this.providers = [];
    this.moderates = false;
    this.talk = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#access = takeInvitation(this.#id);
    // The socket's welcome names the event too, but an ended event welcomes nobody.
    api.event(this.#id, this.#access).then(
      (event) => this.#named(event),
      (thrown) => this.#refused(thrown),
    );
    this.#looking = setInterval(() => this.#lookAgain(), LOOK_AGAIN_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#looking);
  }

  #lookAgain(): void {
    if (this.entry !== 'open' || this.summary === null || this.#over) return;
    api.event(this.#id, this.#access).then(
      (event) => this.#named(event),
      () => {},
    );
  }

  get #id(): string {
    return this.params.id ?? '';
  }

  protected override render(): TemplateResult {
    if (this.entry === 'looking') return html`<div class="frame narrow">${loading('One moment…')}</div>`;
    if (this.entry === 'asked') return this.#question();
    if (this.entry === 'door') return this.#door();
    return html`<div class="frame watch">
      <veilcast-player
        choices-elsewhere
        event=${this.#id}
        .access=${this.#access}
        .preferences=${this.#preferred}
        @veilcast-event=${(event: CustomEvent<EventSummary>) => this.#named(event.detail)}
        @veilcast-role=${(event: CustomEvent<Role>) => {
          this.moderates = event.detail === 'moderator';
        }}
        @veilcast-talk=${(event: CustomEvent<Talk>) => {
          this.talk = event.detail;
        }}
        @veilcast-preferences=${(event: CustomEvent<PlayerPreferences>) => this.#chosen(event.detail)}
        @veilcast-model=${(event: CustomEvent<PlayerModel>) => {
          this.model = event.detail;
        }}
      ></veilcast-player>
      <div class="caption">
        <h1>${this.summary?.title ?? this.#untitled()}</h1>
        ${this.model?.session === 'ended' ? stateBadge('ended') : nothing}
        ${this.summary === null || this.#over ? nothing : begins(this.summary)}
      </div>
      ${this.#breakGlass()}
      ${this.model?.session === 'failed' ? nothing : this.#chat()}
      ${this.moderates && !this.#over ? this.#lookAfter() : nothing}
      ${this.#over ? nothing : this.#location()}
      ${this.#over ? nothing : this.#choices()}
      ${this.#over ? this.#onward() : this.#assurance()}
    </div>`;
  }

  /** Nobody learns afterwards that somebody could see who they are. */
  #breakGlass(): TemplateResult | typeof nothing {
    const told = this.summary?.break_glass;
    if (told === undefined || this.#over) return nothing;
    return html`<p class="notice" role="status">${breakGlassWords(told, Date.now() / 1_000)}</p>`;
  }

  #chat(): TemplateResult | typeof nothing {
    if (this.summary?.asks_nothing !== false) return nothing;
    return html`<veilcast-chat .talk=${this.talk} .authority=${this.moderates ? 'moderator' : 'viewer'}></veilcast-chat>`;
  }

  #lookAfter(): TemplateResult {
    return html`<vc-look-after
      shown
      .event=${this.#id}
      .access=${this.#access}
      .places=${this.model?.places.map(({ place, tenure }) => ({ place, tenure })) ?? []}
      ?door=${this.summary?.admission === 'approval'}
    ></vc-look-after>`;
  }

  #chosen(preferences: PlayerPreferences): void {
    this.#latest = preferences;
    this.#preferences.note(preferences);
  }

  get #locates(): boolean {
    const finest = this.summary?.location.finest ?? 'none';
    return finest !== 'none';
  }

  #choices(): TemplateResult | typeof nothing {
    if (this.summary?.asks_nothing !== false) return nothing;
    return html`<vc-choices
      .event=${this.#id}
      .consents=${this.talk?.consents ?? null}
      .preferences=${this.#preferences}
      .preferred=${() => this.#latest}
      ?locates=${this.#locates}
      @vc-locate=${() => this.querySelector<HTMLElement & { choose(): void }>('vc-location')?.choose()}
    ></vc-choices>`;
  }

  #location(): TemplateResult | typeof nothing {
    const cap = this.summary?.location ?? null;
    if (cap === null || !this.#locates || this.talk === null) return nothing;
    return html`<vc-location .talk=${this.talk} .cap=${cap}></vc-location>`;
  }

  /** Whoever has signed in before, or was let in, gets in without another word; the others are asked to. */
  async #refused(thrown: unknown): Promise<void> {
    if (!(thrown instanceof VeilcastError) || this.#access !== null) return;
    if (thrown.code === 'event-sign-in') await this.#asMember(() => this.#ask());
    if (thrown.code === 'event-approval') await this.#asMember((refused) => this.#toDoor(refused));
  }

  async #asMember(otherwise: (refused: unknown) => Promise<void> | void): Promise<void> {
    this.entry = 'looking';
    const access = memberAccess(this.#id);
    try {
      const event = await api.event(this.#id, access);
      this.#access = access;
      this.entry = 'open';
      this.#named(event);
    } catch (thrown) {
      await otherwise(thrown);
    }
  }

  /** Whoever has an account here asks as its holder, so that the answer holds on all their devices. */
  #toDoor(refused: unknown): void {
    const code = refused instanceof VeilcastError ? refused.code : '';
    this.#member = code === 'event-approval' || code === 'turned-away' || code === 'banned';
    this.#access = this.#member ? memberAccess(this.#id) : guestAccess(location.origin, this.#id);
    this.entry = 'door';
  }

  #door(): TemplateResult {
    return html`<div class="frame narrow">
      <vc-door .event=${this.#id} .access=${this.#access} ?member=${this.#member} @vc-let-in=${this.#enter}></vc-door>
    </div>`;
  }

  #enter(): void {
    this.entry = 'open';
    api.event(this.#id, this.#access).then(
      (event) => this.#named(event),
      () => {},
    );
  }

  async #ask(): Promise<void> {
    const instance = await api.instance().catch(() => null);
    this.providers = instance?.providers ?? [];
    this.entry = 'asked';
  }

  #question(): TemplateResult {
    return html`<div class="frame narrow">
      <section class="sheet" aria-labelledby="question">
        <h1 id="question">Sign in to watch</h1>
        <p class="lead">This event is for people who are signed in. You come back here afterwards.</p>
        <vc-providers .providers=${this.providers} .returnTo=${`/watch/${this.#id}`}></vc-providers>
        <button type="button" class="button quiet" @click=${() => leaveForSignIn('account')}>
          ${this.providers.length === 0 ? 'Sign in' : 'Use an account of this server'}
        </button>
        <p class="assurance">
          ${icons.lock}
          <span>
            ${this.providers.length === 0 ? nothing : 'Where you sign in, they learn that you come here, and not what you watch.'}
            Nobody here sees who you are.
            <a href="/privacy">What this server knows</a>
          </span>
        </p>
      </section>
    </div>`;
  }

  /** Nothing more comes: the event has ended, or it lets nobody in here. */
  get #over(): boolean {
    return this.model?.session === 'ended' || this.model?.session === 'failed';
  }

  /** The heading while the server does not tell the event's title. */
  #untitled(): string {
    const code = this.model?.session === 'failed' ? this.model.error?.code : undefined;
    if (code === 'event-private') return 'Private event';
    if (code === 'event-unknown') return 'Not found';
    return 'Live event';
  }

  #assurance(): TemplateResult {
    return html`<p class="assurance">
      ${icons.lock}
      <span>
        The server sees your address, because it delivers the video to you. It is not stored, and nobody else gets to see
        it. <a href="/privacy">What this server knows</a>
      </span>
    </p>`;
  }

  #onward(): TemplateResult {
    return html`<p class="onward"><a href="/">See other events</a> <a href="/privacy">What this server knows</a></p>`;
  }

  #named(event: EventSummary): void {
    this.summary = event;
    document.title = pageTitle(event, 'Watch');
  }
}

customElements.define('vc-watch', Watch);
