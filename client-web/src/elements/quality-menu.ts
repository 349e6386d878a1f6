import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import type { Quality, QualityCap } from '../protocol/index.js';
import { icons } from './icons.js';
import { barButton } from './player-styles.js';
import { CHOICES } from './player-view.js';
import { request } from './requests.js';
import { theme } from './theme.js';

/** Said under "Auto" while less than everything arrives. */
const NOW: Partial<Record<Quality, string>> = {
  low: 'Low just now, to suit your connection',
  medium: 'Medium just now, to suit your connection',
  paused: 'Paused just now: your connection is too slow',
};

/** A button and the panel that it opens above the bar: how good a picture is wanted. */
export class VeilcastQualityMenu extends LitElement {
  static override properties = { wish: {}, quality: {}, open: { type: Boolean, reflect: true } };

  declare wish: QualityCap;
  /** What arrives, for the words under "Auto". */
  declare quality: Quality;
  declare open: boolean;

  #byHand = false;

  constructor() {
    super();
    this.wish = 'high';
    this.quality = 'high';
    this.open = false;
    this.addEventListener('keydown', (event) => this.#key(event));
    this.addEventListener('focusout', (event) => this.#left(event));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('pointerdown', this.#outside);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('pointerdown', this.#outside);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('open') && this.open)
      this.renderRoot.querySelector<HTMLInputElement>(':checked')?.focus();
  }

  /** Radio buttons in a panel: arrow keys, names and states come with them. */
  protected override render(): TemplateResult {
    const chosen = CHOICES.find(({ max }) => max === this.wish)?.name ?? '';
    return html`<button
        type="button"
        class="opener"
        aria-label="Quality: ${chosen}"
        aria-expanded=${this.open ? 'true' : 'false'}
        aria-controls="qualities"
        title="Quality"
        @click=${() => {
          this.open = !this.open;
        }}
      >
        ${icons.quality}
      </button>
      <fieldset id="qualities" ?hidden=${!this.open} @mousedown=${keepFocus}>
        <legend>Quality</legend>
        ${CHOICES.map(
          ({ max, name, hint }) => html`<label
            @pointerup=${() => {
              this.#byHand = true;
            }}
          >
            <input
              type="radio"
              name="quality"
              value=${max}
              .checked=${max === this.wish}
              @change=${() => request(this, 'veilcast-quality-request', { max })}
              @click=${this.#chosen}
            />
            <span>${name}<small>${max === 'high' ? this.#now(hint) : hint}</small></span>
          </label>`,
        )}
      </fieldset>`;
  }

  /** What "Auto" comes to, once it comes to less than everything. */
  #now(hint: string): string {
    if (this.wish !== 'high') return hint;
    return NOW[this.quality] ?? hint;
  }

  /** A choice by hand closes the panel; one by arrow keys, which click too, is still being made. Closed after the click: a
      radio button that is hidden during it does not tell of its change in Firefox. */
  #chosen(): void {
    if (this.#byHand) setTimeout(() => this.#close());
    this.#byHand = false;
  }

  #close(): void {
    if (!this.open) return;
    this.open = false;
    this.renderRoot.querySelector<HTMLElement>('.opener')?.focus();
  }

  #key(event: KeyboardEvent): void {
    this.#byHand = false;
    if (!this.open || (event.key !== 'Escape' && event.key !== 'Enter')) return;
    if (event.composedPath()[0] instanceof HTMLButtonElement && event.key === 'Enter') return;
    event.preventDefault();
    event.stopPropagation();
    this.#close();
  }

  #left(event: FocusEvent): void {
    if (event.relatedTarget !== null && event.relatedTarget !== this) this.open = false;
  }

  readonly #outside = (event: Event): void => {
    if (!event.composedPath().includes(this)) this.open = false;
  };

  static override styles = [
    theme,
    barButton,
    css`
      :host {
        display: block;
      }

      button[aria-expanded='true'] {
        background: rgb(255 255 255 / 16%);
      }

      fieldset {
        position: absolute;
        right: 0.75rem;
        bottom: 3.75rem;
        display: grid;
        width: 19.5rem;
        max-width: calc(100cqi - 1.5rem);
        margin: 0;
        padding: 0.375rem;
        border: 1px solid rgb(255 255 255 / 16%);
        border-radius: var(--_radius);
        background: rgb(10 22 20 / 96%);
        box-shadow: 0 8px 30px rgb(0 0 0 / 45%);
      }

      fieldset[hidden] {
        display: none;
      }

      legend {
        float: left;
        padding: 0.375rem 0.625rem 0.25rem;
        color: #b9cbc6;
        font-weight: 600;
        font-size: 0.8125rem;
      }

      label {
        display: flex;
        align-items: center;
        gap: 0.75rem;
        min-height: 2.75rem;
        padding: 0.25rem 0.625rem;
        border-radius: var(--_radius-s);
        line-height: 1.3;
        cursor: pointer;
      }

      label:hover {
        background: rgb(255 255 255 / 10%);
      }

      label:has(:focus-visible) {
        outline: 3px solid #8fe3d8;
        outline-offset: -3px;
      }

      input[type='radio'] {
        flex: none;
        width: 1.125rem;
        height: 1.125rem;
        margin: 0;
        outline: none;
        accent-color: #8fe3d8;
      }

      small {
        display: block;
        color: #b9cbc6;
        font-size: 0.8125rem;
      }

      /* On a phone the player is not much higher than the panel: two by two, without the explanations. */
      @container (max-width: 32rem) {
        fieldset {
          grid-template-columns: 1fr 1fr;
          width: 100%;
        }

        /* Still the group's name for those who listen. */
        legend {
          position: absolute;
          width: 1px;
          height: 1px;
          padding: 0;
          overflow: hidden;
          clip-path: inset(50%);
        }

        small {
          display: none;
        }
      }
    `,
  ];
}

/** A label takes no focus, so that pressing one would hand it to the page behind, and the panel would close under the hand. */
function keepFocus(event: Event): void {
  event.preventDefault();
}

customElements.define('veilcast-quality-menu', VeilcastQualityMenu);
