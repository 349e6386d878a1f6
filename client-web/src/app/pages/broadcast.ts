import { html, nothing, type TemplateResult } from 'lit';
import '../../elements/studio.js';
import type { EventSummary } from '../../protocol/index.js';
import { renewing } from '../../sdk/guest.js';
import type { SessionState, TokenSource } from '../../sdk/session.js';
import { api } from '../api.js';
import { takeInvitation } from '../invitation.js';
import { Page } from '../page.js';
import { access, errorNotice, loading, stateBadge } from '../parts.js';
import '../cohosts.js';
import '../share.js';

class Broadcast extends Page {
  static override properties = { summary: { state: true }, session: { state: true } };

  declare summary: EventSummary | null;
  declare session: SessionState;
  /** Of a co-host, who has no account here. */
  #invitation: string | null = null;
  // Kept while it lives, so that a reconnect on air does not depend on the operator's session.
  #token: TokenSource = renewing(() => api.eventToken(this.#id, { role: 'broadcaster' }));
  readonly #onLeave = (event: BeforeUnloadEvent): void => {
    if (this.#onAir) event.preventDefault();
  };

  constructor() {
    super();
    this.summary = null;
    this.session = 'idle';
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('beforeunload', this.#onLeave);
    this.#invitation = takeInvitation(this.#id, 'broadcast');
    this.#token = this.#invitation ?? this.#token;
    this.attempt(async () => {
      const invitation = this.#invitation;
      this.summary = await (invitation === null ? api.ownEvent(this.#id) : api.event(this.#id, invitation));
      document.title = `${this.summary.title} · Studio · Veilcast`;
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
              ${this.#invitation === null ? ALL_EVENTS : nothing}
            </div>
          </div>`;
    }
    return html`<div class="frame">
      <div class="event-head">
        ${this.#invitation === null ? html`<p class="trail"><a href="/studio">All events</a></p>` : nothing}
        <h1>${event.title}</h1>
        <p class="meta">
          ${this.#badge(event)} ${this.#invitation === null ? access(event) : html`You are invited to broadcast`}
        </p>
        ${this.#over || this.#invitation !== null ? nothing : html`<vc-share .event=${event} choose></vc-share>`}
      </div>
      ${errorNotice(this.error)} ${this.#over ? this.#farewell() : this.#studio()}
      ${this.#over || this.#invitation !== null ? nothing : this.#cohosts(event)} ${this.#dialog()}
    </div>`;
  }

  #cohosts(event: EventSummary): TemplateResult {
    return html`<vc-cohosts
      .event=${event}
      @vc-event=${(changed: CustomEvent<EventSummary>) => {
        this.summary = changed.detail;
      }}
    ></vc-cohosts>`;
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
      event=${this.#id}
      .token=${this.#token}
      ?guest=${this.#invitation !== null}
      @veilcast-state=${(event: CustomEvent<SessionState>) => {
        this.session = event.detail;
      }}
      @veilcast-end-request=${() => this.#confirm()?.showModal()}
    ></veilcast-studio>`;
  }

  #farewell(): TemplateResult {
    return html`<div class="empty">
      <p><strong>This event is over.</strong></p>
      ${
        this.#invitation === null
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
