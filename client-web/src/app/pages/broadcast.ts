import { html, nothing, type TemplateResult } from 'lit';
import '../../elements/chat.js';
import type { Talk } from '../../elements/chat.js';
import '../../elements/studio.js';
import { icons } from '../../elements/icons.js';
import type { EventSummary, Removal } from '../../protocol/index.js';
import { type Access, renewing } from '../../sdk/access.js';
import type { SessionState } from '../../sdk/session.js';
import { api } from '../api.js';
import { signedIn } from '../auth.js';
import { takeInvitation } from '../invitation.js';
import { Page } from '../page.js';
import { pageTitle } from '../page-title.js';
import { access, errorNotice, loading, stateBadge } from '../parts.js';
import '../choices.js';
import '../cohosts.js';
import '../doorkeeper.js';
import '../invitations.js';
import '../located.js';
import '../location-cap.js';
import '../location-panel.js';
import '../moderation.js';
import '../share.js';
import '../stream-keys.js';

class Broadcast extends Page {
  static override properties = {
    summary: { state: true },
    session: { state: true },
    made: { state: true },
    others: { state: true },
    talk: { state: true },
  };

  declare summary: EventSummary | null;
  declare session: SessionState;
  /** How many invitations this page has made. */
  declare made: number;
  /** The places on stage that others have. */
  declare others: readonly Removal[];
  /** What the chat needs of the studio. */
  declare talk: Talk | null;
  /** A co-host, who has no account here. */
  #invited = false;
  #access: Access = {
    token: renewing(() => api.eventToken(this.#id, { role: 'broadcaster' })),
    prove: signedIn.prove,
  };
  readonly #onLeave = (event: BeforeUnloadEvent): void => {
    if (this.#onAir) event.preventDefault();
  };

  constructor() {
    super();
    this.summary = null;
    this.session = 'idle';
    this.made = 0;
    this.others = [];
    this.talk = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('beforeunload', this.#onLeave);
    const invitation = takeInvitation(this.#id, 'broadcast');
    this.#invited = invitation !== null;
    this.#access = invitation ?? this.#access;
    this.attempt(async () => {
      this.summary = await (invitation === null ? api.ownEvent(this.#id) : api.event(this.#id, invitation));
      document.title = pageTitle(this.summary, 'Studio');
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('beforeunload', this.#onLeave);
  }

  get #id(): string {
    return this.params.id ?? '';
  }

  get #onAir(): boolean {
    return this.session === 'connecting' || this.session === 'connected' || this.session === 'reconnecting';
  }

  protected override render(): TemplateResult {
    const event = this.summary;
    if (event === null) {
      return this.error === null
        ? html`<div class="frame">${loading('Opening the studio…')}</div>`
        : html`<div class="frame narrow">
            <div class="sheet">
              <h1>${this.error.title}</h1>
              <p class="lead">${this.error.remedy}</p>
              ${!this.#invited ? ALL_EVENTS : nothing}
            </div>
          </div>`;
    }
    return html`<div class="frame" @vc-invited=${() => this.#invitationMade()}>
      <div class="event-head">
        ${!this.#invited ? html`<p class="trail"><a href="/studio">All events</a></p>` : nothing}
        <h1>${event.title}</h1>
        <p class="meta">
          ${this.#badge(event)} ${!this.#invited ? access(event) : html`You are invited to broadcast`}
        </p>
        ${this.#over || this.#invited ? nothing : html`<vc-share .event=${event} choose></vc-share>`}
      </div>
      ${errorNotice(this.error)} ${this.#over ? this.#farewell() : this.#studio()}
      ${this.#over ? nothing : this.#invited ? this.#door(event) : this.#admission(event)} ${this.#dialog()}
    </div>`;
  }

  /** Whoever is on stage may let people in. */
  #door({ id, admission }: EventSummary): TemplateResult | typeof nothing {
    if (admission !== 'approval') return nothing;
    return html`<section class="sheet look-after" aria-labelledby="who-comes-in">
      <h2 id="who-comes-in">${icons.people} Who comes in</h2>
      <vc-doorkeeper .event=${id} .access=${this.#access}></vc-doorkeeper>
    </section>`;
  }

  /** What is the operator's alone to decide. */
  #admission(event: EventSummary): TemplateResult {
    return html`<vc-cohosts
        .event=${event}
        @vc-event=${(changed: CustomEvent<EventSummary>) => {
          this.summary = changed.detail;
        }}
      ></vc-cohosts>
      <vc-look-after
        .event=${event.id}
        .access=${signedIn}
        .places=${this.others}
        ?door=${event.admission === 'approval'}
      ></vc-look-after>
      <vc-invitations .event=${event} .made=${this.made}></vc-invitations>
      <vc-stream-keys .event=${event}></vc-stream-keys>
      <vc-location-cap
        .event=${event}
        @vc-event=${(changed: CustomEvent<EventSummary>) => {
          this.summary = changed.detail;
        }}
      ></vc-location-cap>`;
  }

  #invitationMade(): void {
    this.made += 1;
  }

  get #over(): boolean {
    return this.session === 'ended' || this.summary?.state === 'ended';
  }

  #badge(event: EventSummary): TemplateResult {
    if (this.#over) return stateBadge('ended');
    return this.session === 'connected'
      ? stateBadge('live')
      : stateBadge(event.state === 'live' ? 'live' : 'scheduled');
  }

  #studio(): TemplateResult {
    return html`<veilcast-studio
      choices-elsewhere
      @veilcast-talk=${(event: CustomEvent<Talk>) => {
        this.talk = event.detail;
      }}
      event=${this.#id}
      .access=${this.#access}
      ?guest=${this.#invited}
      @veilcast-state=${(event: CustomEvent<SessionState>) => {
        this.session = event.detail;
      }}
      @veilcast-others=${(event: CustomEvent<readonly Removal[]>) => {
        this.others = event.detail;
      }}
      @veilcast-end-request=${() => this.#confirm()?.showModal()}
    ></veilcast-studio>
    <div class="beside">
      ${this.summary?.asks_nothing !== false ? nothing : this.#chat()}
      ${this.#locations()}
      ${this.summary?.asks_nothing !== false ? nothing : this.#choices()}
    </div>`;
  }

  #chat(): TemplateResult {
    return html`<veilcast-chat .talk=${this.talk} .authority=${this.#invited ? 'viewer' : 'broadcaster'}></veilcast-chat>`;
  }

  #choices(): TemplateResult {
    return html`<vc-choices
      .event=${this.summary?.id ?? ''}
      .consents=${this.talk?.consents ?? null}
      ?locates=${(this.summary?.location.finest ?? 'none') !== 'none'}
      @vc-locate=${() => this.querySelector<HTMLElement & { choose(): void }>('vc-location')?.choose()}
    ></vc-choices>`;
  }

  #locations(): TemplateResult | typeof nothing {
    const cap = this.summary?.location ?? null;
    if (cap === null || cap.finest === 'none') return nothing;
    return html`<vc-located .talk=${this.talk}></vc-located>
      <vc-location .talk=${this.talk} .cap=${cap} broadcasts></vc-location>`;
  }

  #farewell(): TemplateResult {
    return html`<div class="empty">
      <p><strong>This event is over.</strong></p>
      ${
        !this.#invited
          ? html`<p>Its link now shows that it has ended. For another broadcast, create a new event.</p>
              ${ALL_EVENTS}`
          : html`<p>Thank you for being part of it.</p>`
      }
    </div>`;
  }

  #dialog(): TemplateResult {
    return html`<dialog aria-labelledby="end-title">
      <form method="dialog" @submit=${this.#decided}>
        <h2 id="end-title">End this event?</h2>
        <p>Everyone watching is told that it is over. An event that has ended cannot start again.</p>
        <div class="actions">
          <button class="button quiet" value="keep">Keep it</button>
          <button class="button live" value="end">End event</button>
        </div>
      </form>
    </dialog>`;
  }

  #confirm(): HTMLDialogElement | null {
    return this.querySelector('dialog');
  }

  async #decided(event: SubmitEvent): Promise<void> {
    if (!(event.submitter instanceof HTMLButtonElement) || event.submitter.value !== 'end') return;
    await this.attempt(async () => {
      await api.endEvent(this.#id);
      if (this.summary !== null) this.summary = { ...this.summary, state: 'ended' };
    });
  }
}

const ALL_EVENTS: TemplateResult = html`<a class="button" href="/studio">All events</a>`;

customElements.define('vc-broadcast', Broadcast);
