import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { api } from './api.js';
import { broadcasterChoices, errorNotice } from './parts.js';
import './share.js';
import { confirmed } from './step-up.js';

/** Who else may broadcast to an event: how many, and their invitations. Fires `vc-event` with the event as it is then. */
class Cohosts extends LitElement {
  static override properties = {
    event: { attribute: false },
    error: { state: true },
    busy: { state: true },
  };

  declare event: EventSummary | null;
  declare error: VeilcastError | null;
  declare busy: boolean;

  constructor() {
    super();
    this.event = null;
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { event } = this;
    if (event === null) return nothing;
    return html`<section class="sheet cohosts" aria-labelledby="cohosts">
      <h2 id="cohosts">${icons.people} Co-hosts</h2>
      <p class="lead">Viewers see and hear everybody who is on stage. You see and hear the others here.</p>
      <label>
        Who may broadcast at once
        <select .value=${String(event.broadcasters)} ?disabled=${this.busy} @change=${this.#change}>
          ${broadcasterChoices(event.broadcasters)}
        </select>
      </label>
      ${
        event.broadcasters === 1
          ? nothing
          : html`<div class="invite">
              <vc-share .event=${event} choose as="broadcaster"></vc-share>
              <p class="hint">
                One invitation for each co-host: whoever opens it can broadcast to this event, and nothing else. It works in
                the first browser that opens it; for a second device, make another one.
              </p>
            </div>`
      }
      ${errorNotice(this.error)}
    </section>`;
  }

  async #change(change: Event): Promise<void> {
    const { event } = this;
    if (event === null || !(change.target instanceof HTMLSelectElement)) return;
    this.busy = true;
    this.error = null;
    try {
      const broadcasters = Number(change.target.value);
      this.event = await confirmed(() => api.changeEvent(event.id, { broadcasters }));
      this.dispatchEvent(new CustomEvent('vc-event', { detail: this.event }));
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
      change.target.value = String(event.broadcasters);
    } finally {
      this.busy = false;
    }
  }
}

customElements.define('vc-cohosts', Cohosts);
