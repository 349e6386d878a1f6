import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Unplayable } from '../protocol/index.js';
import { icons } from './icons.js';
import { cover, type PlaceModel, placeName, tileLabel } from './player-view.js';
import { request } from './requests.js';
import { picture, theme } from './theme.js';

/**
 * One broadcaster's picture and sound. `named` says whose it is and, in its place, why there is no picture: for one of
 * several.
 */
export class VeilcastPlayerTile extends LitElement {
  static override properties = {
    place: { attribute: false },
    stream: { attribute: false },
    unplayable: { attribute: false },
    named: { type: Boolean, reflect: true },
    muted: { type: Boolean },
    volume: { type: Number },
  };

  declare place: PlaceModel | null;
  declare stream: MediaStream | null;
  declare unplayable: Unplayable | null;
  declare named: boolean;
  declare muted: boolean;
  declare volume: number;

  constructor() {
    super();
    this.place = null;
    this.stream = null;
    this.unplayable = null;
    this.named = false;
    this.muted = false;
    this.volume = 1;
  }

  /** For picture in picture. */
  get video(): HTMLVideoElement | null {
    return this.renderRoot.querySelector('video');
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { video } = this;
    if (video === null) return;
    if (changed.has('volume')) video.volume = this.volume;
    if (changed.has('muted')) video.muted = this.muted;
    if (changed.has('stream') && video.srcObject !== this.stream) video.srcObject = this.stream;
    if (changed.has('stream') || (changed.has('muted') && !this.muted)) this.#play(video);
  }

  protected override render(): TemplateResult {
    // One template for both, so that the picture goes on when others join.
    const place = this.named ? this.place : null;
    const covered = place === null ? null : cover(place, this.unplayable);
    const of = place === null ? '' : `: ${placeName(place.place)}`;
    return html`<div
      class="tile"
      role=${place === null ? nothing : 'group'}
      aria-label=${place === null ? nothing : tileLabel(place, covered)}
    >
      <video playsinline autoplay tabindex="-1" aria-label="Live picture${of}"></video>
      ${
        covered === null
          ? nothing
          : html`<div class="cover" aria-hidden="true">${icons[covered.icon]}<span>${covered.words}</span></div>`
      }
      ${place === null ? nothing : this.#name(place)}
    </div>`;
  }

  #name(place: PlaceModel): TemplateResult {
    return html`<div class="name" aria-hidden="true">
      ${place.audio === 'live' ? nothing : icons.microphoneOff}<span>${placeName(place.place)}</span>
    </div>`;
  }

  /** Browsers refuse sound before a gesture: then start without it, and say so. */
  async #play(video: HTMLVideoElement): Promise<void> {
    if (this.stream === null) return;
    try {
      await video.play();
    } catch (thrown) {
      if (video.muted || !(thrown instanceof DOMException) || thrown.name !== 'NotAllowedError') return;
      request(this, 'veilcast-sound-blocked', null);
      video.muted = true;
      await video.play().catch(() => {});
    }
  }

  static override styles = [
    theme,
    picture,
    css`
      :host {
        display: block;
        position: relative;
        overflow: hidden;
        color: #f0f6f4;
        font: 400 1rem/1.4 var(--_font);
        container-type: size;
      }

      :host([named]) {
        border-radius: var(--_radius-s);
        background: #000000;
      }

      .tile {
        display: contents;
      }

      .cover {
        gap: 0.375rem;
        padding: 0.5rem 0.5rem 2rem;
        background: #12211f;
        color: #b9cbc6;
        font-size: clamp(0.8125rem, 4cqi, 1rem);
        text-wrap: balance;
      }

      .cover svg {
        width: clamp(1.25rem, 10cqi, 2.25rem);
        height: clamp(1.25rem, 10cqi, 2.25rem);
        color: #8fe3d8;
        stroke-width: 1.4;
      }

      .name {
        position: absolute;
        inset: auto auto 0.5rem 0.5rem;
        display: inline-flex;
        align-items: center;
        gap: 0.375rem;
        max-width: calc(100% - 1rem);
        padding: 0.125rem 0.5rem;
        border-radius: 999px;
        background: rgb(0 0 0 / 66%);
        color: #ffffff;
        font-weight: 600;
        font-size: 0.8125rem;
        white-space: nowrap;
      }

      @container (height < 6.5rem) {
        .cover span {
          display: none;
        }
      }
    `,
  ];
}

customElements.define('veilcast-player-tile', VeilcastPlayerTile);
