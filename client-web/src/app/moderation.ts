import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import { placeName } from '../elements/player-view.js';
import type { Ban, Removal } from '../protocol/index.js';
import type { Access } from '../sdk/access.js';
import { type Moderation, moderation } from '../sdk/moderation.js';
import './doorkeeper.js';
import { Fresh, Panel } from './panel.js';
import { errorNotice } from './parts.js';
import { banWords } from './words.js';

/** What another moderator did shows without a reload. */
const REFRESH_MS = 10_000;

/** Whom somebody is about to put out. */
interface Asked {
  whom: Removal;
  forGood: boolean;
}

/**
 * For whoever looks after an event: puts out whoever is on stage, for now or for good, and lets them back in. `places` are those
 * on stage that it may be about, `access` a moderator's or an operator's. Not there while there is nothing to do, unless `shown`.
 */
class LookAfter extends Panel {
  static override properties = {
    event: { attribute: false },
    access: { attribute: false },
    places: { attribute: false },
    shown: { type: Boolean },
    door: { type: Boolean },
    asked: { state: true },
    done: { state: true },
  };

  declare event: string;
  declare access: Access | null;
  declare places: readonly Removal[];
  declare shown: boolean;
  /** The event has a door at which people wait. */
  declare door: boolean;
  declare asked: Asked | null;
  /** What was done last, in words. */
  declare done: { title: string; remedy: string } | null;
  readonly #bans = new Fresh<Ban>(this, () => this.#work?.bans() ?? null, {
    everyMs: REFRESH_MS,
    whenEmpty: true,
  });

  constructor() {
    super();
    this.event = '';
    this.access = null;
    this.places = [];
    this.shown = false;
    this.door = false;
    this.asked = null;
    this.done = null;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('event') || changed.has('access')) this.#bans.load();
  }

  protected override render(): TemplateResult | typeof nothing {
    const bans = this.#bans.items;
    const idle = this.places.length === 0 && bans.length === 0 && this.asked === null && !this.door;
    if (idle && this.done === null && !this.shown) return nothing;
    return html`<section class="sheet look-after" aria-labelledby="look-after">
      <h2 id="look-after">${icons.people} Look after this event</h2>
      <p class="lead">Whoever you put out is told so. Nobody else is.</p>
      ${this.door ? html`<vc-doorkeeper .event=${this.event} .access=${this.access}></vc-doorkeeper>` : nothing}
      ${
        this.places.length === 0
          ? html`<p class="hint">Nobody is on stage whom you could remove.</p>`
          : html`<ul class="rows" aria-label="On stage">${this.places.map((place) => this.#place(place))}</ul>`
      }
      <div role="status">${this.done === null ? nothing : this.#told(this.done)}</div>
      ${errorNotice(this.error)} ${bans.length === 0 ? nothing : this.#kept(bans)} ${this.#dialog()}
    </section>`;
  }

  #place(whom: Removal): TemplateResult {
    const name = placeName(whom.place);
    return html`<li class="row">
      <div class="what"><strong class="name">${name}</strong></div>
      <div class="actions">
        <button
          type="button"
          class="button quiet small"
          aria-label="Remove ${name}"
          ?disabled=${this.busy}
          @click=${() => this.#ask({ whom, forGood: false })}
        >
          Remove
        </button>
        <button
          type="button"
          class="button danger small"
          aria-label="Remove and keep out ${name}"
          ?disabled=${this.busy}
          @click=${() => this.#ask({ whom, forGood: true })}
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

  #kept(bans: readonly Ban[]): TemplateResult {
    return html`<h3>Kept out</h3>
      <p class="hint">No name is kept here, only what each holds for and since when.</p>
      <ul class="rows" aria-label="Kept out">
        ${bans.map((ban) => {
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
    const { whom, forGood } = this.asked ?? { whom: { place: 0, tenure: 0 }, forGood: false };
    const name = placeName(whom.place);
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
    const name = placeName(asked.whom.place);
    this.#act(async (work) => {
      if (asked.forGood) {
        const { title, remedy } = await work.keepOut(asked.whom);
        this.done = { title: `${name} is out. ${title}`, remedy: remedy ?? '' };
      } else {
        await work.remove(asked.whom);
        this.done = { title: `${name} is out, and may come back.`, remedy: '' };
      }
    });
  }

  #letBackIn(ban: Ban): void {
    this.#act(async (work) => {
      await work.letBackIn(ban.id);
      this.#bans.drop(({ id }) => id === ban.id);
      this.done = { title: 'They may come back now.', remedy: '' };
    });
  }

  async #act(act: (work: Moderation) => Promise<void>): Promise<void> {
    const work = this.#work;
    if (work === null) return;
    this.done = null;
    await this.attempt(() => act(work), this.#bans);
  }
}

customElements.define('vc-look-after', LookAfter);
