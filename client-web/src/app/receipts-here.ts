import { html, nothing, type TemplateResult } from 'lit';
import { saveFile } from '../elements/save-file.js';
import { KEPT_CHANGED, type KeptVisit, keptReceipts, readFile } from '../sdk/kept-receipts.js';
import { readReceipt, receiptFile } from '../sdk/receipt.js';
import { takeBack } from '../sdk/statement.js';
import { Panel } from './panel.js';
import { errorNotice } from './parts.js';
import { chosenWords, day, purposeName } from './receipt-words.js';
import { moment } from './words.js';

/** What somebody has had kept on this device or saved, with a way to take back what stands, and to forget each and all. Beside other choices
 *  it shows nothing where nothing is kept. */
class ReceiptsHere extends Panel {
  static override properties = { level: { type: Number }, opened: { state: true }, told: { state: true } };

  /** Of its heading; 2 on a page of its own. */
  declare level: 2 | 3;
  /** From a file, for as long as the page is open. */
  declare opened: KeptVisit | null;
  /** What came of the last button. */
  declare told: string;
  readonly #kept = keptReceipts();

  constructor() {
    super();
    this.level = 3;
    this.opened = null;
    this.told = '';
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
    const alone = this.level === 2;
    if (visits.length === 0 && !alone && this.opened === null) return nothing;
    const heading = alone ? 'Your saved receipts' : 'Kept on this device';
    return html`${alone ? html`<h2>${heading}</h2>` : html`<h3>${heading}</h3>`}
      <div class=${alone ? 'choices kept' : 'kept'}>
        ${visits.length > 0 ? KEPT : nothing}
        ${alone ? OPENING : nothing}
        <ul aria-label="Kept receipts" ?hidden=${visits.length === 0}>${visits.map((visit) => this.#row(visit))}</ul>
        ${
          this.opened === null
            ? nothing
            : html`<ul aria-label="From a file">${this.#row(this.opened, true)}</ul>`
        }
        <p class="told" role="status">${this.told}</p>
        ${errorNotice(this.error)}
        <div class="actions">
          ${
            alone
              ? html`<label class="button quiet small file"
                  >Open a saved receipt<input type="file" accept=".json,application/json" @change=${this.#open}
                /></label>`
              : nothing
          }
          ${
            visits.length < 2
              ? nothing
              : html`<button type="button" class="button danger small" @click=${() => this.#kept?.forgetAll()}>Forget all</button>`
          }
        </div>
      </div>`;
  }

  #row(visit: KeptVisit, opened = false): TemplateResult {
    const said = visit.receipts.map(readReceipt);
    const what = said.map(
      ({ purpose, chosen }) => `${purposeName(purpose)}: ${chosenWords(chosen).toLowerCase()}`,
    );
    const at = moment(said[0]?.at ?? 0);
    return html`<li>
      <span>
        <strong>${what.join(' · ')}</strong>
        <small>${at}, event <code>${visit.event}</code>${opened ? nothing : `, until ${day(visit.until / 1_000)}`}</small>
      </span>
      <div class="acts">
        ${stands(visit) ? this.#button('Take back', at, () => this.#takeBack(visit, opened), true) : nothing}
        ${
          opened
            ? this.#button('Close', at, () => this.#close())
            : html`${this.#button('Save', at, () => save(visit))}
              ${this.#button('Forget', at, () => this.#kept?.forget(visit), true)}`
        }
      </div>
    </li>`;
  }

  #button(name: string, at: string, act: () => unknown, danger = false): TemplateResult {
    return html`<button
      type="button"
      class="button small ${danger ? 'danger' : 'quiet'}"
      aria-label="${name}: the receipts of ${at}"
      ?disabled=${this.busy}
      @click=${act}
    >
      ${name}
    </button>`;
  }

  #takeBack(visit: KeptVisit, opened: boolean): Promise<void> {
    return this.attempt(async () => {
      this.told = '';
      const receipts = await takeBack(visit.event, visit.key);
      this.told = receipts.length > 0 ? TAKEN_BACK : NOTHING_STOOD;
      if (receipts.length === 0) return;
      const all = [...visit.receipts, ...receipts];
      if (opened) this.opened = { ...visit, receipts: all };
      else this.#kept?.keep(visit.event, all, visit.key);
    });
  }

  #open(event: Event): Promise<void> {
    const field = event.target as HTMLInputElement;
    return this.attempt(async () => {
      this.told = '';
      this.opened = readFile((await field.files?.[0]?.text()) ?? '');
      if (this.opened === null) this.told = NO_RECEIPT;
      // So that the same one can be opened again.
      field.value = '';
    });
  }

  #close(): void {
    this.opened = null;
    this.told = '';
  }
}

const KEPT = html`<p>
  Receipts that you asked to keep. They never leave this device by themselves, and go when you sign out here, or with their time. Whoever
  uses this browser can see them.
</p>`;
const OPENING = html`<p>
  Without an account, this is where you take back what you agreed to once the page where you did is closed: with the receipt that you kept
  or saved, for as long as the event lasts. What you wrote goes from every screen at once.
</p>`;
const TAKEN_BACK = 'Taken back. What was on a screen because of it goes at once.';
const NOTHING_STOOD = 'Nothing of it stands any more: it ended with its event, or was taken back before.';
const NO_RECEIPT = 'That is no file of receipts with their key, as Save the receipt saves it.';

/** Something was agreed to, and nothing of it is known to have been taken back. */
function stands({ receipts }: KeptVisit): boolean {
  const last = new Map(receipts.map(readReceipt).map(({ purpose, chosen }) => [purpose, chosen]));
  return [...last.values()].includes('given');
}

function save({ receipts, key }: KeptVisit): void {
  saveFile('veilcast-receipts.json', receiptFile(receipts, key));
}

customElements.define('vc-receipts-here', ReceiptsHere);
