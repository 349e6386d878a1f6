import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { BreakGlass, EventSummary, SessionLog, SessionLogEntry } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { journal } from './api-journal.js';
import { entryWords } from './journal-words.js';
import { errorNotice } from './parts.js';
import { confirmed } from './step-up.js';
import { moment } from './words.js';

/** More is for whoever asks for more. */
const FIRST = 20;

/** What happened at events, without anybody in it. Opening it takes a confirmation and stands in the account's activity. */
class SessionLogView extends LitElement {
  static override properties = {
    events: { attribute: false },
    log: { state: true },
    all: { state: true },
    error: { state: true },
    busy: { state: true },
    asked: { state: true },
  };

  /** For their titles. */
  declare events: readonly EventSummary[];
  /** `null` until somebody opens it. */
  declare log: SessionLog | null;
  declare all: boolean;
  declare error: VeilcastError | null;
  declare busy: boolean;
  /** What was just asked for. */
  declare asked: BreakGlass | null;

  constructor() {
    super();
    this.events = [];
    this.log = null;
    this.all = false;
    this.error = null;
    this.busy = false;
    this.asked = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<section class="sheet session-log" aria-labelledby="session-log">
      <h2 id="session-log">${icons.lock} Session log</h2>
      <p class="lead">
        Who came and went, under names that mean nothing, and only of five people or more at a time. Reading it stands in your
        account’s activity.
      </p>
      ${errorNotice(this.error)} ${this.log === null ? nothing : this.#content(this.log)}
      <div class="actions">
        <button type="button" class="button quiet small" ?disabled=${this.busy} @click=${this.#open}>
          ${this.log === null ? 'Open the session log' : 'Read it again'}
        </button>
      </div>
      ${this.log?.epoch ? this.#breakGlass() : nothing}
    </section>`;
  }

  #content({ epoch, entries }: SessionLog): TemplateResult {
    if (epoch === null) return html`<p>It is switched off in this server’s settings.</p>`;
    const shown = this.all ? entries : entries.slice(0, FIRST);
    return html`<p class="hint">
        Since ${moment(epoch.begins)}, ${epoch.on_disk ? 'in memory and on the disk' : 'in memory alone'}. Nobody can read it after
        ${moment(epoch.ends)}.
      </p>
      ${
        entries.length === 0
          ? html`<p>Nothing is written yet. A line takes five people or more, and up to an hour.</p>`
          : html`<ul class="rows" aria-label="Session log">${shown.map((entry) => this.#row(entry))}</ul>`
      }
      ${
        shown.length < entries.length
          ? html`<div class="actions">
              <button type="button" class="button quiet small" @click=${this.#more}>Show all ${entries.length}</button>
            </div>`
          : nothing
      }`;
  }

  #row(entry: SessionLogEntry): TemplateResult {
    const where = this.events.find(({ id }) => id === entry.event)?.title ?? 'an event that is gone';
    const who = entry.who === null ? '' : ` · ${entry.who}`;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${entryWords(entry)}</strong>
        <p class="meta">${moment(entry.written)} · “${where}”${who}</p>
      </div>
    </li>`;
  }

  #breakGlass(): TemplateResult {
    const open = this.events.filter(({ state }) => state !== 'ended');
    return html`<details class="past">
      <summary>Break-glass</summary>
      <p class="hint">
        Writes the account of whoever is put out at one event into this log, from then on and for a day at most. Everybody there and on
        the privacy page is told. If you are alone, it begins in an hour; if another operator asks for it too, at once. Nothing from before
        becomes known.
      </p>
      <form class="adding" @submit=${this.#ask}>
        <label>Event <select name="event">${open.map(({ id, title }) => html`<option value=${id}>${title}</option>`)}</select></label>
        <label>Hours <input name="hours" type="number" min="1" max="24" value="2" required /></label>
        <div class="actions">
        <button class="button quiet small" ?disabled=${this.busy || open.length === 0}>Ask for it</button>
        <button type="button" class="button quiet small" ?disabled=${this.busy || open.length === 0} @click=${this.#stop}>
          Take it back
        </button>
        </div>
      </form>
      ${
        this.asked === null
          ? nothing
          : html`<p class="hint" role="status">In force from ${moment(this.asked.from)} to ${moment(this.asked.until)}.</p>`
      }
    </details>`;
  }

  #more(): void {
    this.all = true;
  }

  #open(): Promise<void> {
    return this.#attempt(async () => {
      this.log = await confirmed(() => journal.read());
    });
  }

  #ask(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const hours = Number(this.querySelector<HTMLInputElement>('input[name=hours]')?.value ?? '');
    return this.#attempt(async () => {
      this.asked = await confirmed(() => journal.askBreakGlass(this.#chosen(), hours));
    });
  }

  #stop(): Promise<void> {
    return this.#attempt(async () => {
      await confirmed(() => journal.stopBreakGlass(this.#chosen()));
      this.asked = null;
    });
  }

  #chosen(): string {
    return this.querySelector<HTMLSelectElement>('select[name=event]')?.value ?? '';
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      await act();
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
  }
}

customElements.define('vc-session-log', SessionLogView);
