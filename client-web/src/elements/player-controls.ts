import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Quality, QualityCap } from '../protocol/index.js';
import { icons } from './icons.js';
import { barButton } from './player-styles.js';
import './quality-menu.js';
import { request } from './requests.js';
import { theme } from './theme.js';

/** The bar below the picture. Attributes say what is; requests say what the person wants. */
export class VeilcastPlayerControls extends LitElement {
  static override properties = {
    muted: { type: Boolean },
    volume: { type: Number },
    live: { type: Boolean },
    fullscreen: { type: Boolean },
    canChoose: { type: Boolean, attribute: 'can-choose' },
    wish: {},
    quality: {},
    canInset: { type: Boolean, attribute: 'can-inset' },
    canFullscreen: { type: Boolean, attribute: 'can-fullscreen' },
    plain: { type: Boolean, reflect: true },
    choices: { type: Boolean },
  };

  declare muted: boolean;
  declare volume: number;
  declare live: boolean;
  declare fullscreen: boolean;
  /** There is a picture whose quality can be chosen. */
  declare canChoose: boolean;
  declare wish: QualityCap;
  declare quality: Quality;
  declare canInset: boolean;
  declare canFullscreen: boolean;
  /** No picture behind: no shade needed. */
  declare plain: boolean;
  /** What the person agreed to can be seen and changed from here. */
  declare choices: boolean;

  constructor() {
    super();
    this.muted = false;
    this.volume = 1;
    this.live = false;
    this.fullscreen = false;
    this.canChoose = false;
    this.wish = 'high';
    this.quality = 'high';
    this.canInset = false;
    this.canFullscreen = false;
    this.plain = false;
    this.choices = false;
  }

  protected override render(): TemplateResult {
    return html`<div class="bar" role="group" aria-label="Player controls">
      <button
        type="button"
        aria-label=${this.muted ? 'Unmute' : 'Mute'}
        title=${this.muted ? 'Unmute (m)' : 'Mute (m)'}
        @click=${() => request(this, 'veilcast-mute-request', { muted: !this.muted })}
      >
        ${this.muted ? icons.soundOff : icons.sound}
      </button>
      <input
        class="volume"
        type="range"
        min="0"
        max="100"
        step="5"
        aria-label="Volume"
        .value=${String(Math.round((this.muted ? 0 : this.volume) * 100))}
        @input=${this.#volume}
      />
      <span class="space"></span>
      ${
        this.choices
          ? html`<button
              type="button"
              aria-label="Your choices"
              title="Your choices"
              @click=${() => request(this, 'veilcast-choices-request', null)}
            >
              ${icons.lock}
            </button>`
          : nothing
      }
      ${
        this.canChoose
          ? html`<veilcast-quality-menu wish=${this.wish} quality=${this.quality}></veilcast-quality-menu>`
          : nothing
      }
      ${this.canInset ? this.#button('Picture in picture', 'i', icons.inset, 'veilcast-inset-request') : nothing}
      ${
        this.canFullscreen
          ? this.#button(
              this.fullscreen ? 'Leave full screen' : 'Full screen',
              'f',
              this.fullscreen ? icons.shrink : icons.expand,
              'veilcast-fullscreen-request',
            )
          : nothing
      }
    </div>`;
  }

  #button(
    label: string,
    key: string,
    icon: TemplateResult,
    name: 'veilcast-inset-request' | 'veilcast-fullscreen-request',
  ): TemplateResult {
    return html`<button
      type="button"
      aria-label=${label}
      title="${label} (${key})"
      @click=${() => request(this, name, null)}
    >
      ${icon}
    </button>`;
  }

  #volume(event: Event): void {
    if (!(event.target instanceof HTMLInputElement)) return;
    request(this, 'veilcast-volume-request', { volume: event.target.valueAsNumber / 100 });
  }

  static override styles = [
    theme,
    barButton,
    css`
      /* The quality menu fits itself to it. */
      :host {
        container-type: inline-size;
      }

      .bar {
        display: flex;
        align-items: center;
        gap: 0.25rem;
        padding: 2.5rem 0.75rem 0.625rem;
        background: linear-gradient(transparent, rgb(0 0 0 / 72%));
        color: #ffffff;
      }

      :host([plain]) .bar {
        background: none;
      }

      .volume {
        width: min(7rem, 26vw);
        height: 2.75rem;
        margin: 0;
        accent-color: #8fe3d8;
        cursor: pointer;
      }

      .space {
        flex: 1;
      }
    `,
  ];
}

customElements.define('veilcast-player-controls', VeilcastPlayerControls);
