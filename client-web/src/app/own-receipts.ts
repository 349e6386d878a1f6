import { html, nothing, type TemplateResult } from 'lit';
import { saveFile } from '../elements/save-file.js';
import { KEPT_CHANGED, keptReceipts } from '../sdk/kept-receipts.js';
import { receiptFile } from '../sdk/receipt.js';
import { ownKey, receiptsOf, receiptsOfServer } from '../sdk/statement.js';
import { Panel } from './panel.js';
import { errorNotice } from './parts.js';

/** The receipts of this visit to an event: to be saved, to be kept on the device, and what the server has of them. */
class OwnReceipts extends Panel {
  static override properties = { event: { attribute: false }, told: { state: true } };

  declare event: string;
  /** What came of the last button. */
  declare told: string;
  readonly #kept = keptReceipts();

  constructor() {
    super();
    this.event = '';
    this.told = '';
  }

  readonly #changed = (): void => this.requestUpdate();

  override connectedCallback(): void {
    super.connectedCallback();
    for (const change of CHANGES) window.addEventListener(change, this.#changed);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const change of CHANGES) window.removeEventListener(change, this.#changed);
  }

  protected override render(): TemplateResult | typeof nothing {
    const receipts = receiptsOf(this.event);
    if (receipts.length === 0) return nothing;
    return html`<h3>Receipts of this visit</h3>
      <p>
        ${receipts.length === 1 ? 'A receipt' : `${receipts.length} receipts`} of what you chose, signed by this server, and by you where
        you answered a question. This page forgets ${receipts.length === 1 ? 'it' : 'them'} when you close it.
      </p>
      <div class="actions">
        <button type="button" class="button quiet small" ?disabled=${this.busy} @click=${this.#save}>Save</button>
        ${this.#keeping(receipts)}
        <button type="button" class="button quiet small" ?disabled=${this.busy} @click=${this.#fetch}>
          Get the receipts that are kept here
        </button>
      </div>
      <p class="told" role="status">${this.told}</p>
      ${errorNotice(this.error)}`;
  }

  #keeping(receipts: readonly string[]): TemplateResult | typeof nothing {
    if (this.#kept === null || this.#kept.has(receipts)) return nothing;
    return html`<button type="button" class="button quiet small" ?disabled=${this.busy} @click=${this.#keep}>
      Keep on this device
    </button>`;
  }

  #save(): Promise<void> {
    return this.attempt(async () => {
      saveFile(FILE, receiptFile(receiptsOf(this.event), await ownKey(this.event)));
    });
  }

  #keep(): Promise<void> {
    return this.attempt(async () => {
      const done = this.#kept?.keep(this.event, receiptsOf(this.event), await ownKey(this.event)) ?? false;
      this.told = done ? 'Kept on this device, in the list below.' : NO_ROOM;
    });
  }

  /** By a proof of this visit’s key, which is all that the server knows a guest by. */
  #fetch(): Promise<void> {
    return this.attempt(async () => {
      this.told = '';
      const kept = await receiptsOfServer(this.event);
      if (kept.length > 0) saveFile(FILE, receiptFile(kept, await ownKey(this.event)));
      this.told = keptWords(kept.length);
    });
  }
}

const FILE = 'veilcast-receipts.json';
const CHANGES = ['veilcast-answered', KEPT_CHANGED, 'storage'] as const;
const NO_ROOM = 'There is no room for them on this device. Forget others, or save these.';

function keptWords(count: number): string {
  if (count === 0) return 'This server keeps none of this visit any more.';
  return count === 1
    ? 'This server keeps one of this visit: saved.'
    : `This server keeps ${count} of this visit: saved.`;
}

customElements.define('vc-own-receipts', OwnReceipts);
