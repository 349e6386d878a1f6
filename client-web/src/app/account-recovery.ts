import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import { VeilcastError } from '../sdk/errors.js';
import { account } from './api.js';
import { toClipboard } from './clipboard.js';
import { errorNotice } from './parts.js';
import { confirmed } from './step-up.js';

/** Codes for when everything else is lost. They are shown once. Fires `vc-changed` when there are new ones. */
class AccountRecovery extends LitElement {
  static override properties = {
    left: { attribute: false },
    codes: { state: true },
    copied: { state: true },
    error: { state: true },
    busy: { state: true },
  };

  declare left: number;
  /** Nobody can show them again when they are gone from here. */
  declare codes: readonly string[];
  declare copied: boolean;
  declare error: VeilcastError | null;
  declare busy: boolean;

  constructor() {
    super();
    this.left = 0;
    this.codes = [];
    this.copied = false;
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.codes = [];
  }

  protected override render(): TemplateResult {
    return html`<section class="sheet" aria-labelledby="recovery">
      <h2 id="recovery">${icons.retry} Recovery codes</h2>
      <p class="lead">
        ${
          this.left === 0
            ? 'You have none. Each lets you in once when your devices are lost.'
            : `${this.left} ${this.left === 1 ? 'is' : 'are'} left. Each lets you in once when your devices are lost.`
        }
      </p>
      ${this.codes.length === 0 ? this.#button() : this.#shown()} ${errorNotice(this.error)}
    </section>`;
  }

  #button(): TemplateResult {
    return html`<div class="actions">
      <button type="button" class="button quiet" ?disabled=${this.busy} @click=${this.#renew}>
        ${this.left === 0 ? 'Make ten codes' : 'Make ten new codes'}
      </button>
      ${this.left === 0 ? nothing : html`<span class="meta">The old ones are worth nothing then.</span>`}
    </div>`;
  }

  #shown(): TemplateResult {
    return html`<div role="status">
      <ol class="codes">
        ${this.codes.map((code) => html`<li><code>${groups(code)}</code></li>`)}
      </ol>
      <p class="hint">They are shown only now. Print them, or keep them in a password manager, apart from your devices.</p>
      <div class="actions">
        <button type="button" class="button quiet small" @click=${this.#copy}>
          ${this.copied ? icons.check : icons.copy} ${this.copied ? 'Copied' : 'Copy all'}
        </button>
        <button type="button" class="button quiet small" @click=${this.#hide}>I have kept them</button>
      </div>
    </div>`;
  }

  async #copy(): Promise<void> {
    this.copied = await toClipboard(this.codes.map(groups).join('\n'));
  }

  #hide(): void {
    this.codes = [];
    this.copied = false;
  }

  async #renew(): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      this.codes = await confirmed(() => account.renewRecoveryCodes());
      this.dispatchEvent(new CustomEvent('vc-changed'));
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
  }
}

/** Easier to type; the server does not mind what stands between. */
function groups(code: string): string {
  return code.match(/.{1,4}/g)?.join('-') ?? code;
}

customElements.define('vc-account-recovery', AccountRecovery);
