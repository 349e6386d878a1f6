import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../../elements/icons.js';
import { saveFile } from '../../elements/save-file.js';
import type { PurposeTerms } from '../../protocol/index.js';
import { type KeptForAccount, receiptFile } from '../../sdk/receipt.js';
import { api } from '../api.js';
import { receipts } from '../api-receipts.js';
import { Page } from '../page.js';
import { errorNotice, loading } from '../parts.js';
import { askedWords, chosenWords, day, lifetimeWords } from '../receipt-words.js';
import { moment } from '../words.js';

/** Every receipt of consent that is kept for the account of whoever looks. */
class ReceiptsPage extends Page {
  static override properties = { kept: { state: true }, more: { state: true } };

  declare kept: readonly KeptForAccount[] | null;
  /** The server has older ones. */
  declare more: boolean;
  #terms: readonly PurposeTerms[] = [];
  /** As the table of retention has it, in seconds. */
  #longest: number | null = null;

  constructor() {
    super();
    this.kept = null;
    this.more = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.attempt(async () => {
      const [terms, { rows }] = await Promise.all([receipts.purposes(), api.privacy()]);
      this.#terms = terms;
      this.#longest = rows.find(({ kind }) => kind === 'receipt')?.longest ?? null;
      await this.#older();
    });
  }

  protected override render(): TemplateResult {
    return html`<div class="frame account receipts">
      <div>
        <p class="trail"><a href="/account">Account</a></p>
        <h1>Your receipts</h1>
      </div>
      ${errorNotice(this.error)} ${this.#content()}
    </div>`;
  }

  #content(): TemplateResult | typeof nothing {
    const { kept } = this;
    if (kept === null) return this.error === null ? loading('Getting your receipts…') : nothing;
    const lasting = this.#longest === null ? '' : ` for ${lifetimeWords(this.#longest)}`;
    return html`<p class="lead">
        What you were asked while you were signed in, and what you chose: signed by this server, and by you where you answered a question. It
        is kept here${lasting}, so that either can show it, and goes with your account.
      </p>
      ${kept.length === 0 ? EMPTY : this.#list(kept)}`;
  }

  #list(kept: readonly KeptForAccount[]): TemplateResult {
    return html`<div class="actions">
        <button type="button" class="button" ?disabled=${this.busy} @click=${this.#saveAll}>Download all</button>
      </div>
      <ul class="rows" aria-label="Receipts">${kept.map((each) => this.#row(each))}</ul>
      ${
        this.more
          ? html`<div class="actions">
              <button type="button" class="button quiet" ?disabled=${this.busy} @click=${this.#showOlder}>Show older ones</button>
            </div>`
          : nothing
      }
      ${CHECK}`;
  }

  #row({ receipt, said, keptUntil }: KeptForAccount): TemplateResult {
    const [asked, at] = [askedWords(said, this.#terms), moment(said.at)];
    const where = said.origin === null ? 'with one tap' : `asked on ${said.origin}`;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${asked}</strong>
        <p class="meta"><span class="badge">${chosenWords(said.chosen)}</span> <span>${at}, ${where}</span></p>
        <p class="meta"><span>Event <code>${said.event}</code>, kept until ${day(keptUntil)}</span></p>
      </div>
      <div class="actions">
        <button
          type="button"
          class="button quiet small"
          aria-label="Download the receipt: ${asked} ${chosenWords(said.chosen)}, ${at}"
          @click=${() => saveFile('veilcast-receipt.json', receiptFile([receipt]))}
        >
          Download
        </button>
      </div>
    </li>`;
  }

  #showOlder(): Promise<boolean> {
    return this.attempt(() => this.#older());
  }

  /** The next part. */
  async #older(): Promise<void> {
    const { receipts: next, more } = await receipts.part(this.kept?.at(-1)?.said.id);
    this.kept = [...(this.kept ?? []), ...next];
    this.more = more && next.length > 0;
  }

  /** All there are, those that are not shown yet too. */
  #saveAll(): Promise<boolean> {
    return this.attempt(async () => {
      while (this.more) await this.#older();
      saveFile('veilcast-receipts.json', receiptFile((this.kept ?? []).map(({ receipt }) => receipt)));
    });
  }
}

const EMPTY = html`<div class="empty">
  <p><strong>No receipts yet.</strong></p>
  <p>Watching asks you for nothing. What you agree to or refuse at an event while you are signed in is listed here.</p>
</div>`;

const CHECK = html`<section class="sheet" aria-labelledby="check">
  <h2 id="check">${icons.check} Check them yourself</h2>
  <p class="lead">
    With <a href="/.well-known/consent-keys.json" download="consent-keys.json">this server’s public keys</a> beside them,
    <code>veilcast receipt verify veilcast-receipts.json --keys consent-keys.json</code> tells without a network whether a receipt
    is genuine, and to which words you agreed.
  </p>
</section>`;

customElements.define('vc-receipts', ReceiptsPage);
