import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Purpose, PurposeTerms } from '../protocol/index.js';
import { seesSignal } from '../sdk/consents.js';
import { VeilcastError } from '../sdk/errors.js';
import { call } from '../sdk/http.js';
import { keptReceipts } from '../sdk/kept-receipts.js';
import { parsePurposes, parseReceipt } from '../sdk/parse-consent.js';
import { receiptFile } from '../sdk/receipt.js';
import { noteReceipt, ownKey, receiptsOf, state, type Way } from '../sdk/statement.js';
import { icons } from './icons.js';
import { minuteWords } from './minutes.js';
import { saveFile } from './save-file.js';
import { controls, theme } from './theme.js';

/** What a person is asked. */
export interface Asking {
  question: string;
  purpose: Purpose;
  event: string;
  /** For how many seconds the person can agree at most; `null`: for as long as the event lasts. */
  longest: number | null;
  /** The person’s browser speaks against it, and they want to be asked all the same. */
  despite_signal?: boolean;
  /** Of the page that asks. */
  origin: string;
  way: Way;
}

/** How long somebody shows where they are, in minutes; no longer than the event permits. */
const LASTING: readonly number[] = [15, 60, 240, 1_440];

/**
 * Puts one question to a person, in the server's own origin: two buttons of one size, and no other way to answer than a click of
 * theirs. Fires `veilcast-answered` with `{ granted }`.
 */
export class VeilcastConsentQuestion extends LitElement {
  static override properties = {
    asking: { attribute: false },
    terms: { state: true },
    lasting: { state: true },
    error: { state: true },
    busy: { state: true },
    answer: { state: true },
    kept: { state: true },
    held: { type: Boolean },
  };

  declare asking: Asking | null;
  declare terms: PurposeTerms | null;
  declare lasting: number;
  declare error: VeilcastError | null;
  declare busy: boolean;
  declare answer: boolean | null;
  /** On this device, because they asked for it; `null` before they have. */
  declare kept: boolean | null;
  /** Takes no answer: something may lie over it. */
  declare held: boolean;

  constructor() {
    super();
    this.asking = null;
    this.terms = null;
    this.lasting = 0;
    this.error = null;
    this.busy = false;
    this.answer = null;
    this.kept = null;
    this.held = false;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has('asking') && this.asking !== null) this.#load(this.asking.purpose);
  }

  /** The button that was pressed has gone; the next one to press has the focus. */
  protected override updated(changed: Map<PropertyKey, unknown>): void {
    if ((changed.has('answer') && this.answer !== null) || (changed.has('kept') && this.kept !== null)) {
      this.renderRoot.querySelector<HTMLElement>('.actions button:last-of-type')?.focus();
    }
  }

  /** The shortest comes first, and is what whoever changes nothing agrees to. */
  get #minutes(): readonly number[] {
    const longest = Math.floor((this.asking?.longest ?? Infinity) / 60);
    return [...LASTING.filter((each) => each < longest), ...(longest <= 1_440 ? [longest] : [])];
  }

  async #load(purpose: Purpose): Promise<void> {
    this.lasting = this.#minutes[0] ?? 0;
    this.terms = null;
    this.answer = null;
    this.kept = null;
    this.error = null;
    try {
      const all = await call(new Request('/api/v1/purposes'), parsePurposes);
      this.terms = all.find((terms) => terms.purpose === purpose) ?? null;
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    }
  }

  protected override render(): TemplateResult {
    const { terms } = this;
    if (terms === null)
      return html`<p role="status">${this.error === null ? 'One moment…' : nothing}</p>${this.#refusal()}`;
    return html`<h2>${terms.title}</h2>
      <dl>
        <dt>What</dt>
        <dd>${terms.what}</dd>
        <dt>Who sees it</dt>
        <dd>${terms.who}</dd>
        <dt>How long</dt>
        <dd>${terms.how_long}</dd>
        <dt>If you say no</dt>
        <dd>${terms.refusing}</dd>
      </dl>
      ${terms.remains === null ? nothing : html`<p class="remains">${icons.info}<span>${terms.remains}</span></p>`}
      ${this.#signalled ? SIGNAL : nothing} ${this.answer === null ? this.#choice() : this.#done()} ${this.#refusal()}`;
  }

  get #signalled(): boolean {
    return this.asking?.despite_signal === true || (this.terms?.yields_to_signal === true && seesSignal());
  }

  #choice(): TemplateResult {
    const off = this.busy || this.held;
    return html`${this.terms?.purpose === 'location' ? this.#duration() : nothing}
      <div class="actions">
        <button type="button" class="button quiet" ?disabled=${off} @click=${(event: Event) => this.#answer(event, false)}>
          No
        </button>
        <button type="button" class="button quiet" ?disabled=${off} @click=${(event: Event) => this.#answer(event, true)}>
          Yes
        </button>
      </div>
      <p class="hint">You can change this at any time under “Your choices”.</p>`;
  }

  #duration(): TemplateResult {
    return html`<fieldset>
      <legend>For how long</legend>
      ${this.#minutes.map(
        (minutes) => html`<label>
          <input type="radio" name="lasting" ?checked=${minutes === this.lasting} @change=${() => {
            this.lasting = minutes;
          }} />
          ${minuteWords(minutes)}
        </label>`,
      )}
    </fieldset>`;
  }

  #done(): TemplateResult {
    return html`<p class="answered" role="status">${this.answer === true ? 'You said yes.' : 'You said no.'} ${this.#keptWords}</p>
      <div class="actions">
        ${
          receiptsOf(this.asking?.event ?? '').length > 0
            ? html`<button type="button" class="button quiet" @click=${this.#download}>Save the receipt</button>
                ${
                  this.#keeps
                    ? html`<button type="button" class="button quiet" @click=${this.#keep}>Keep on this device</button>`
                    : nothing
                }`
            : nothing
        }
        <button type="button" class="button quiet" @click=${() => this.#tell('veilcast-closed', null)}>Close</button>
      </div>`;
  }

  get #keptWords(): string {
    if (this.kept === null) return '';
    return this.kept
      ? 'The receipt is kept on this device, and listed under “Your choices”.'
      : 'There is no room for the receipt on this device.';
  }

  /** A frame on somebody else’s page has no place that its person could find again. */
  get #keeps(): boolean {
    return this.kept === null && this.asking?.way !== 'frame' && keptReceipts() !== null;
  }

  #refusal(): TemplateResult | typeof nothing {
    if (this.error === null) return nothing;
    return html`<p class="notice danger" role="alert">
      ${icons.alert}<strong>${this.error.title}</strong><span>${this.error.remedy}</span>
    </p>`;
  }

  /** A click that a script has made is nobody's answer. */
  async #answer(event: Event, granted: boolean): Promise<void> {
    const { asking, terms } = this;
    if (!event.isTrusted || asking === null || terms === null || this.busy || this.held) return;
    this.busy = true;
    this.error = null;
    try {
      const lasting = granted && terms.purpose === 'location' ? this.lasting * 60 : undefined;
      const statement = await state({ ...asking, terms, granted, lasting });
      noteReceipt(asking.event, await call(answer(statement), parseReceipt));
      this.answer = granted;
      this.#tell('veilcast-answered', { granted });
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
  }

  async #download(): Promise<void> {
    if (this.asking === null) return;
    const { event } = this.asking;
    saveFile('veilcast-receipts.json', receiptFile(receiptsOf(event), await ownKey(event)));
  }

  async #keep(): Promise<void> {
    if (this.asking === null) return;
    const { event } = this.asking;
    this.kept = keptReceipts()?.keep(event, receiptsOf(event), await ownKey(event)) ?? false;
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  static override styles = [
    theme,
    controls,
    css`
      :host {
        display: block;
        color: var(--_ink);
        font: 400 1rem/1.5 var(--_font);
      }

      h2 {
        margin: 0 0 0.875rem;
        font-size: 1.25rem;
        font-weight: 650;
        text-wrap: balance;
      }

      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 0.5rem 1rem;
        margin: 0;
      }

      dt {
        color: var(--_soft);
      }

      dd {
        margin: 0;
      }

      .remains {
        display: flex;
        gap: 0.625rem;
        margin: 1rem 0 0;
        color: var(--_soft);
      }

      .remains svg {
        margin-top: 0.125rem;
      }

      fieldset {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1.25rem;
        margin: 1rem 0 0;
        padding: 0;
        border: 0;
      }

      legend {
        margin-bottom: 0.375rem;
        padding: 0;
        color: var(--_soft);
      }

      label {
        display: inline-flex;
        align-items: center;
        gap: 0.5rem;
        min-height: 2.75rem;
      }

      .actions {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 0.75rem;
        margin-top: 1.25rem;
      }

      .actions :last-child:nth-child(odd) {
        grid-column: 1 / -1;
      }

      .hint,
      .answered {
        margin: 0.875rem 0 0;
        color: var(--_soft);
        font-size: 0.9375rem;
        text-align: center;
      }

      .answered {
        color: var(--_ink);
      }

      @media (max-width: 30rem) {
        dl {
          grid-template-columns: 1fr;
          gap: 0;
        }

        dd {
          margin-bottom: 0.625rem;
        }
      }
    `,
  ];
}

function answer(statement: string): Request {
  const headers = { 'content-type': 'application/json' };
  return new Request('/api/v1/consent', { method: 'POST', headers, body: JSON.stringify({ statement }) });
}

const SIGNAL = html`<p class="notice" role="note">
  ${icons.info}<strong>Your browser’s privacy signal speaks against this</strong
  ><span>Global Privacy Control is on. If you say yes all the same, that holds for this event alone.</span>
</p>`;

customElements.define('veilcast-consent-question', VeilcastConsentQuestion);
