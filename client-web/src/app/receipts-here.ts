import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { saveFile } from '../elements/save-file.js';
import { KEPT_CHANGED, type KeptVisit, keptReceipts } from '../sdk/kept-receipts.js';
import { readReceipt, receiptFile } from '../sdk/receipt.js';
import { chosenWords, day, purposeName } from './receipt-words.js';
import { moment } from './words.js';

/** What somebody has had kept on this device, with a way to forget each and all. Shows nothing where nothing is kept. */
class ReceiptsHere extends LitElement {
  static override properties = { level: { type: Number } };

  /** Of its heading. */
  declare level: 2 | 3;
  readonly #kept = keptReceipts();

  constructor() {
    super();
    this.level = 3;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  readonly #changed = (): void => this.requestUpdate();

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener(KEPT_CHANGED, this.#changed);
    window.addEventListener('storage', this.#changed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener(KEPT_CHANGED, this.#changed);
    window.removeEventListener('storage', this.#changed);
  }

  protected override render(): TemplateResult | typeof nothing {
    const visits = this.#kept?.list() ?? [];
    if (visits.length === 0) return nothing;
    const heading = 'Kept on this device';
    return html`${this.level === 2 ? html`<h2>${heading}</h2>` : html`<h3>${heading}</h3>`}
      <div class=${this.level === 2 ? 'choices kept' : 'kept'}>
        <p>
          Receipts that you asked to keep. They never leave this device by themselves, and go when you sign out here, or with their
          time. Whoever uses this browser can see them.
        </p>
        <ul aria-label="Kept receipts">${visits.map((visit) => this.#row(visit))}</ul>
        ${
          visits.length < 2
            ? nothing
            : html`<div class="actions">
                <button type="button" class="button danger small" @click=${() => this.#kept?.forgetAll()}>Forget all</button>
              </div>`
        }
      </div>`;
  }

  #row(visit: KeptVisit): TemplateResult {
    const said = visit.receipts.map(readReceipt);
    const what = said.map(
      ({ purpose, chosen }) => `${purposeName(purpose)}: ${chosenWords(chosen).toLowerCase()}`,
    );
    const at = moment(said[0]?.at ?? 0);
    return html`<li>
      <span>
        <strong>${what.join(' · ')}</strong>
        <small>${at}, event <code>${visit.event}</code>, until ${day(visit.until / 1_000)}</small>
      </span>
      <button
        type="button"
        class="button quiet small"
        aria-label="Save the receipts of ${at}"
        @click=${() => saveFile('veilcast-receipts.json', receiptFile(visit.receipts, visit.key))}
      >
        Save
      </button>
      <button
        type="button"
        class="button danger small"
        aria-label="Forget the receipts of ${at}"
        @click=${() => this.#kept?.forget(visit)}
      >
        Forget
      </button>
    </li>`;
  }
}

customElements.define('vc-receipts-here', ReceiptsHere);
