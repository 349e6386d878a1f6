import { html, LitElement, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import { toClipboard } from './clipboard.js';

const DONE_MS = 2_500;

/** Something to be put into another program, with a button that copies it. */
class CopyField extends LitElement {
  static override properties = {
    label: { attribute: false },
    value: { attribute: false },
    words: { state: true },
  };

  declare label: string;
  declare value: string;
  declare words: string;

  constructor() {
    super();
    this.label = '';
    this.value = '';
    this.words = '';
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<label>
        ${this.label}
        <input
          readonly
          autocomplete="off"
          spellcheck="false"
          .value=${this.value}
          @focus=${(focus: FocusEvent) => {
            if (focus.target instanceof HTMLInputElement) focus.target.select();
          }}
        />
      </label>
      <button type="button" class="button quiet small" aria-label="Copy: ${this.label}" @click=${this.#copy}>
        ${this.words === '' ? icons.copy : icons.check} ${this.words || 'Copy'}
      </button>
      <span class="unseen" role="status">${this.words}</span>`;
  }

  async #copy(): Promise<void> {
    const done = await toClipboard(this.value);
    this.words = done ? 'Copied' : 'Copy it by hand';
    if (!done) this.querySelector('input')?.focus();
    setTimeout(() => {
      this.words = '';
    }, DONE_MS);
  }
}

customElements.define('vc-copy-field', CopyField);
