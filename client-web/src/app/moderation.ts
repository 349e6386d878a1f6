import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import { placeName } from '../elements/player-view.js';
import type { Ban } from '../protocol/index.js';
import type { Access } from '../sdk/access.js';
import { VeilcastError } from '../sdk/errors.js';
import { type Moderation, moderation } from '../sdk/moderation.js';
import { errorNotice } from './parts.js';
import { banWords } from './words.js';

/** What another moderator did shows without a reload. */
const REFRESH_MS = 10_000;

/** Whom somebody is about to put out. */
interface Asked {
  place: number;
  forGood: boolean;
}

/**
 * For whoever looks after an event: puts out whoever is on stage, for now or for good, and lets them back in. `places` are those
 * on stage that it may be about, `access` a moderator's or an operator's. Not there while there is nothing to do, unless `shown`.
 */
class LookAfter extends LitElement {
  static override properties = {
    event: { attribute: false },
    access: { attribute: false },
    places: { attribute: false },
    shown: { type: Boolean },
    bans: { state: true },
    asked: { state: true },
    done: { state: true },
    error: { state: true },
    busy: { state: true },
  };

  declare event: string;
  declare access: Access | null;
  declare places: readonly number[];
  declare shown: boolean;
  declare bans: readonly Ban[];
  declare asked: Asked | null;
  /** What was done last, in words. */
  declare done: { title: string; remedy: string } | null;
  declare error: VeilcastError | null;
  declare busy: boolean;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.event = '';
    this.access = null;
    this.places = [];
    this.shown = false;
    this.bans = [];
    this.asked = null;
    this.done = null;
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setInterval(() => {
      if (document.visibilityState === 'visible') this.#load();
    }, REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('event') || changed.has('access')) this.#load();
  }

  protected override render(): TemplateResult | typeof nothing {
    const idle = this.places.length === 0 && this.bans.length === 0 && this.asked === null;
    if (idle && this.done === null && !this.shown) return nothing;
    return html`<section class="sheet look-after" aria-labelledby="look-after">
      <h2 id="look-after">${icons.people} Look after this event</h2>
      <p class="lead">Whoever you put out is told so. Nobody else is.</p>
      ${
        this.places.length === 0
          ? html`<p class="hint">Nobody is on stage whom you could remove.</p>`
          : html`<ul class="rows" aria-label="On stage">${this.places.map((place) => this.#place(place))}</ul>`
      }
      <div role="status">${this.done === null ? nothing : this.#told(this.done)}</div>
      ${errorNotice(this.error)} ${this.bans.length === 0 ? nothing : this.#kept()} ${this.#dialog()}
    </section>`;
  }

  #place(place: number): TemplateResult {
    const name = placeName(place);
    return html`<li class="row">
      <div class="what"><strong class="name">${name}</strong></div>
      <div class="actions">
        <button
          type="button"
          class="button quiet small"
          aria-label="Remove ${name}"
          ?disabled=${this.busy}
          @click=${() => this.#ask({ place, forGood: false })}
        >
          Remove
        </button>
        <button
          type="button"
          class="button danger small"
          aria-label="Remove and keep out ${name}"
          ?disabled=${this.busy}
          @click=${() => this.#ask({ place, forGood: true })}
        >
          Remove and keep out
        </button>
      </div>
    </li>`;
  }

  #told({ title, remedy }: { title: string; remedy: string }): TemplateResult {
    return html`<p class="notice">
      ${icons.info}<strong>${title}</strong>${remedy === '' ? nothing : html`<span>${remedy}</span>`}
    </p>`;
  }

  #kept(): TemplateResult {
    return html`<h3>Kept out</h3>
      <p class="hint">No name is kept here, only what each holds for and since when.</p>
      <ul class="rows" aria-label="Kept out">
        ${this.bans.map((ban) => {
          const { name, state } = banWords(ban);
          return html`<li class="row">
            <div class="what">
              <strong class="name">${name}</strong>
              <p class="meta">${state}</p>
            </div>
            <div class="actions">
              <button
                type="button"
                class="button quiet small"
                aria-label="Let back in: ${name}, ${state}"
                ?disabled=${this.busy}
                @click=${() => this.#letBackIn(ban)}
              >
                Let back in
              </button>
            </div>
          </li>`;
        })}
      </ul>`;
  }

  #dialog(): TemplateResult {
    const { place, forGood } = this.asked ?? { place: 0, forGood: false };
    const name = placeName(place);
    return html`<dialog aria-labelledby="remove-title" @close=${this.#decided}>
      <form method="dialog">
        <h2 id="remove-title">${forGood ? `Remove ${name} and keep them out?` : `Remove ${name}?`}</h2>
        ${
          forGood
            ? html`<p>
                They are off stage and out of the event at once, until somebody lets them back in. That holds for the account, the
                invitation or the stream key they came with. A guest can come back as another guest: nothing is kept that would
                recognise one.
              </p>`
            : html`<p>They are off stage and out of the event at once. They may come back.</p>`
        }
        <div class="actions">
          <button class="button quiet" value="keep">Cancel</button>
          <button class="button danger" value="remove">${forGood ? 'Keep them out' : 'Remove them'}</button>
        </div>
      </form>
    </dialog>`;
  }

  get #work(): Moderation | null {
    return this.access === null ? null : moderation(location.origin, this.event, this.access);
  }

  async #ask(asked: Asked): Promise<void> {
    this.asked = asked;
    await this.updateComplete;
    const dialog = this.querySelector('dialog');
    if (dialog === null) return;
    dialog.returnValue = '';
    dialog.showModal();
  }

  #decided(close: Event): void {
    const { asked } = this;
    this.asked = null;
    if (asked === null || !(close.target instanceof HTMLDialogElement)) return;
    if (close.target.returnValue !== 'remove') return;
    const name = placeName(asked.place);
    this.#attempt(async (work) => {
      if (asked.forGood) {
        const { title, remedy } = await work.keepOut(asked.place);
        this.done = { title: `${name} is out. ${title}`, remedy: remedy ?? '' };
      } else {
        await work.remove(asked.place);
        this.done = { title: `${name} is out, and may come back.`, remedy: '' };
      }
    });
  }

  #letBackIn(ban: Ban): void {
    this.#attempt(async (work) => {
      await work.letBackIn(ban.id);
      this.bans = this.bans.filter(({ id }) => id !== ban.id);
      this.done = { title: 'They may come back now.', remedy: '' };
    });
  }

  async #attempt(act: (work: Moderation) => Promise<void>): Promise<void> {
    const work = this.#work;
    if (work === null) return;
    this.busy = true;
    this.error = null;
    this.done = null;
    try {
      await act(work);
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
    await this.#load();
  }

  /** What was known stands while there is no newer answer. */
  async #load(): Promise<void> {
    const { event } = this;
    const bans = (await this.#work?.bans().catch(() => null)) ?? null;
    if (bans !== null && this.event === event) this.bans = bans;
  }
}

customElements.define('vc-look-after', LookAfter);
