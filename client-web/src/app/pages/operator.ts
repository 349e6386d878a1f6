import { html, nothing, type TemplateResult } from 'lit';
import type { EventSummary } from '../../protocol/index.js';
import { api } from '../api.js';
import { forgetOperator } from '../auth.js';
import '../event-figures.js';
import { Page } from '../page.js';
import { access, begins, errorNotice, loading, stateBadge } from '../parts.js';
import { navigate } from '../router.js';
import '../security-events.js';
import '../session-log.js';
import '../webhooks.js';

class Operator extends Page {
  static override properties = { events: { state: true }, asked: { state: true } };

  declare events: EventSummary[] | null;
  /** The event that is about to be ended. */
  declare asked: EventSummary | null;

  constructor() {
    super();
    this.events = null;
    this.asked = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.attempt(() => this.#load());
  }

  protected override render(): TemplateResult {
    return html`<div class="frame">
      <div class="title-row">
        <h1>Operator</h1>
        <div class="actions">
          <a class="button quiet" href="/operator/programs">Programs and keys</a>
          <button class="button quiet" @click=${this.#signOut}>Sign out</button>
        </div>
      </div>
      ${errorNotice(this.error)}
      ${this.events === null ? (this.error === null ? loading('Looking around…') : nothing) : this.#content(this.events)}
      ${this.#dialog()}
    </div>`;
  }

  #content(events: EventSummary[]): TemplateResult {
    // What runs comes first; within a state, the newest.
    const groups = (['live', 'scheduled', 'ended'] as const).map((state) => ({
      state,
      members: events.filter((event) => event.state === state),
    }));
    return html`<dl class="figures">
        ${groups.map(({ state, members }) => html`<div><dt>${FIGURES[state]}</dt><dd>${members.length}</dd></div>`)}
      </dl>
      <h2>Events on this server</h2>
      ${
        events.length === 0
          ? html`<div class="empty">
              <p><strong>No events yet.</strong></p>
              <p>Create the first one in the studio.</p>
              <a class="button" href="/studio">Go to the studio</a>
            </div>`
          : html`<ul class="rows">
              ${groups.flatMap(({ members }) => members.map((event) => this.#row(event)))}
            </ul>`
      }
      <div class="signals">
        <vc-security-events .events=${events}></vc-security-events>
        <vc-webhooks></vc-webhooks>
        <vc-event-figures .events=${events}></vc-event-figures>
        <vc-session-log .events=${events}></vc-session-log>
      </div>`;
  }

  #row(event: EventSummary): TemplateResult {
    return html`<li class="row">
      <div class="what">
        <strong class="name">${event.title}</strong>
        <p class="meta">${stateBadge(event.state)} ${begins(event)} ${access(event)}</p>
      </div>
      ${
        event.state === 'ended'
          ? nothing
          : html`<div class="actions">
              <button class="button danger small" aria-label="End ${event.title}" @click=${() => this.#ask(event)}>
                End
              </button>
              <a class="button quiet small" href="/studio/${event.id}" aria-label="Studio of ${event.title}">Studio</a>
            </div>`
      }
    </li>`;
  }

  #dialog(): TemplateResult {
    return html`<dialog class="ending" aria-labelledby="end-title">
      <form method="dialog" @submit=${this.#decided}>
        <h2 id="end-title">End “${this.asked?.title ?? ''}”?</h2>
        <p>Everyone watching is told that it is over. An event that has ended cannot start again.</p>
        <div class="actions">
          <button class="button quiet" value="keep">Keep it</button>
          <button class="button live" value="end">End event</button>
        </div>
      </form>
    </dialog>`;
  }

  async #ask(event: EventSummary): Promise<void> {
    this.asked = event;
    await this.updateComplete;
    this.querySelector<HTMLDialogElement>('dialog.ending')?.showModal();
  }

  async #decided(event: SubmitEvent): Promise<void> {
    const { asked } = this;
    if (asked === null || !(event.submitter instanceof HTMLButtonElement) || event.submitter.value !== 'end')
      return;
    await this.attempt(async () => {
      await api.endEvent(asked.id);
      await this.#load();
    });
  }

  async #load(): Promise<void> {
    this.events = await api.events();
  }

  async #signOut(): Promise<void> {
    const done = await this.attempt(() => api.signOut());
    if (!done) return;
    await forgetOperator();
    navigate('/', true);
  }
}

const FIGURES = { live: 'Live', scheduled: 'Not started', ended: 'Ended' };

customElements.define('vc-operator', Operator);
