import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Unplayable } from '../protocol/index.js';
import type { Access } from '../sdk/access.js';
import type { Cancel } from '../sdk/clock.js';
import { Viewer, type ViewerPlace } from '../sdk/viewer.js';
import { icons } from './icons.js';
import './player-tile.js';
import { onRequest } from './requests.js';
import { controls, theme } from './theme.js';

/** What a small picture needs; the rest of the line is for one's own. */
const ENOUGH = 'medium';

/**
 * The others on stage, seen and heard by one of them.
 *
 * `src`, `event` and `access` as the studio has them; `own` is the place that is left out.
 */
export class VeilcastStudioOthers extends LitElement {
  static override properties = {
    src: {},
    event: {},
    access: { attribute: false },
    own: { attribute: false },
    places: { state: true },
    unplayable: { state: true },
    muted: { state: true },
  };

  declare src: string;
  declare event: string;
  declare access: Access | null;
  declare own: number | null;
  declare places: readonly ViewerPlace[];
  declare unplayable: Unplayable | null;
  declare muted: boolean;

  #viewer: Viewer | null = null;
  #unsubscribe: Cancel[] = [];

  constructor() {
    super();
    this.src = '';
    this.event = '';
    this.access = null;
    this.own = null;
    this.places = [];
    this.unplayable = null;
    this.muted = false;
    onRequest(this, 'veilcast-sound-blocked', () => {
      this.muted = true;
    });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#drop();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('src') || changed.has('event') || changed.has('access')) this.#watch();
    if (changed.has('own')) this.#viewer?.skip(this.own);
  }

  protected override render(): TemplateResult {
    return html`<section aria-labelledby="others">
      <div class="head">
        <h2 id="others">${this.own === null ? 'On stage' : 'Also on stage'}</h2>
        <button
          type="button"
          class="button quiet small"
          aria-label=${this.muted ? 'Unmute the others' : 'Mute the others'}
          ?disabled=${this.places.length === 0}
          @click=${() => {
            this.muted = !this.muted;
          }}
        >
          ${this.muted ? icons.soundOff : icons.sound} ${this.muted ? 'Unmute' : 'Mute'}
        </button>
      </div>
      <div class="tiles">
        ${this.places.length === 0 ? html`<p role="status">Connecting…</p>` : nothing}
        ${repeat(
          this.places,
          ({ place }) => place,
          (place) => html`<veilcast-player-tile
            named
            .place=${place}
            .stream=${place.stream}
            .unplayable=${this.unplayable}
            ?muted=${this.muted}
          ></veilcast-player-tile>`,
        )}
      </div>
    </section>`;
  }

  #watch(): void {
    this.#drop();
    if (this.event === '' || this.access === null) return;
    const url = this.src === '' ? location.origin : this.src;
    const viewer = new Viewer({ url, event: this.event, access: this.access, lookingOn: true });
    this.#viewer = viewer;
    this.#unsubscribe = [
      viewer.on('places', (places) => {
        this.places = places;
      }),
      viewer.on('unplayable', (unplayable) => {
        this.unplayable = unplayable;
      }),
    ];
    viewer.skip(this.own);
    viewer.setMaxQuality(ENOUGH);
    viewer.start();
  }

  #drop(): void {
    for (const cancel of this.#unsubscribe) cancel();
    this.#unsubscribe = [];
    this.#viewer?.stop();
    this.#viewer = null;
    this.places = [];
  }

  static override styles = [
    theme,
    controls,
    css`
      :host {
        display: block;
        min-width: 0;
        padding: 1.125rem 1.25rem;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_surface);
      }

      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0.5rem 1rem;
        margin-bottom: 0.625rem;
      }

      h2 {
        margin: 0;
        font-size: 1.0625rem;
        font-weight: 650;
      }

      .tiles {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(8rem, 100%), 1fr));
        gap: 0.625rem;
      }

      p {
        margin: 0;
        color: var(--_soft);
      }

      veilcast-player-tile {
        aspect-ratio: 16 / 9;
      }
    `,
  ];
}

customElements.define('veilcast-studio-others', VeilcastStudioOthers);
