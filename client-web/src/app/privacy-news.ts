import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { api } from './api.js';
import { dateWords } from './privacy-words.js';

/** Tells what changed about what is kept, on every page for a month. Put away until the page is loaded again: nothing is stored. */
class PrivacyNews extends LitElement {
  static override properties = { what: { state: true }, date: { state: true } };

  declare what: string;
  declare date: string;

  constructor() {
    super();
    this.what = '';
    this.date = '';
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // The date at the foot of the page remains where this cannot be had.
    this.#load().catch(() => {});
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.what === '') return nothing;
    return html`<aside class="frame notice" aria-label="What changed">
      <p>
        What this server keeps changed on ${dateWords(this.date)}: ${this.what}
        <a href="/privacy">All of it</a>
      </p>
      <button type="button" class="button quiet" @click=${() => this.remove()}>Close</button>
    </aside>`;
  }

  async #load(): Promise<void> {
    const newest = (await api.privacy()).changes[0];
    if (newest === undefined) return;
    this.date = newest.date;
    this.what = newest.what;
  }
}

customElements.define('vc-privacy-news', PrivacyNews);
