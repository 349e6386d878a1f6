import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary, SecurityEvent } from '../protocol/index.js';
import { signals } from './api-signals.js';
import { hoursAgo, SECURITY_WORDS } from './webhook-words.js';

/** More is for whoever asks for more. */
const FIRST = 5;

/** What looked like an attack, in plain words: what it means, and what to do. Nobody is in it. */
class SecurityEvents extends LitElement {
  static override properties = {
    events: { attribute: false },
    list: { state: true },
    all: { state: true },
  };

  /** For their titles. */
  declare events: readonly EventSummary[];
  /** `null` until it is known. */
  declare list: readonly SecurityEvent[] | null;
  declare all: boolean;

  constructor() {
    super();
    this.events = [];
    this.list = null;
    this.all = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#load();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { list } = this;
    if (list === null) return nothing;
    const shown = this.all ? list : list.slice(0, FIRST);
    return html`<section class="sheet security" aria-labelledby="security">
      <h2 id="security">${icons.lock} Security</h2>
      ${
        list.length === 0
          ? html`<p class="lead">Nothing suspicious was seen in the last 90 days.</p>`
          : html`<p class="lead">What looked like an attack in the last 90 days, by the hour. It does not say who.</p>
              <ul class="rows" aria-label="Security events">${shown.map((event) => this.#row(event))}</ul>`
      }
      ${
        shown.length < list.length
          ? html`<div class="actions">
              <button type="button" class="button quiet small" @click=${this.#more}>Show all ${list.length}</button>
            </div>`
          : nothing
      }
    </section>`;
  }

  #row({ kind, event, hours_ago, count }: SecurityEvent): TemplateResult {
    const { title, meaning, remedy } = SECURITY_WORDS[kind];
    const where = event === null ? null : this.events.find(({ id }) => id === event);
    const place = event === null ? '' : ` · “${where?.title ?? 'an event that is gone'}”`;
    const often = count === 1 ? '' : ` · ${count} times`;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${title}</strong>
        <p class="meta">${hoursAgo(hours_ago)}${often}${place}</p>
        <p class="meaning">${meaning}</p>
        <p class="hint">${remedy}</p>
      </div>
    </li>`;
  }

  #more(): void {
    this.all = true;
  }

  async #load(): Promise<void> {
    this.list = await signals.securityEvents().catch(() => this.list);
  }
}

customElements.define('vc-security-events', SecurityEvents);
