import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Talk } from '../elements/chat.js';
import type { LocationCap } from '../protocol/index.js';
import { type Cancel, systemClock } from '../sdk/clock.js';
import type { Precision } from '../sdk/coarse.js';
import type { VeilcastError } from '../sdk/errors.js';
import { locateByBrowser, Sharer } from '../sdk/sharer.js';
import type { Whereabouts } from '../sdk/whereabouts.js';
import './location-map.js';
import { AreaNames } from './location-names.js';
import { leftWords, mapWords, precisionChoices } from './location-words.js';
import { errorNotice } from './parts.js';

/** What is left is told anew so often. */
const REFRESH_MS = 10_000;

/**
 * Where a person says whether and how roughly to show where they are, and stops; and what they see of others. `cap` is the most that
 * the event lets anybody choose. `broadcasts`: every viewer would see it.
 */
class LocationPanel extends LitElement {
  static override properties = {
    talk: { attribute: false },
    cap: { attribute: false },
    broadcasts: { type: Boolean },
    choosing: { state: true },
    precision: { state: true },
    busy: { state: true },
    error: { state: true },
    mapped: { state: true },
  };

  declare talk: Talk | null;
  declare cap: LocationCap;
  declare broadcasts: boolean;
  declare choosing: boolean;
  declare precision: Precision | null;
  declare busy: boolean;
  declare error: VeilcastError | null;
  /** The map is open. */
  declare mapped: boolean;
  readonly #names = new AreaNames(() => this.requestUpdate());
  #sharer: Sharer | null = null;
  #unsubscribe: Cancel[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.talk = null;
    this.cap = { finest: 'none', minutes: 0 };
    this.broadcasts = false;
    this.choosing = false;
    this.precision = null;
    this.busy = false;
    this.error = null;
    this.mapped = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = setInterval(() => this.requestUpdate(), REFRESH_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
    this.#drop();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('talk')) this.#connect();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { talk } = this;
    if (talk === null) return nothing;
    const sharing = talk.consents.standing('location') === 'granted';
    return html`<section class="location" aria-labelledby="location">
      <h2 id="location">Where you are</h2>
      ${sharing ? this.#sharing(talk) : this.choosing ? this.#choice() : this.#closed()}
      ${errorNotice(this.error)} ${this.broadcasts ? nothing : this.#others(talk.whereabouts)}
    </section>`;
  }

  #closed(): TemplateResult {
    const who = this.broadcasts ? 'viewers' : 'whoever broadcasts';
    return html`<p class="hint">Nobody is shown where you are. You may show it to ${who}, as roughly as you like.</p>
      <p>
        <button type="button" class="button quiet small" @click=${() => this.#choose(true)}>Choose what to show</button>
      </p>`;
  }

  #choice(): TemplateResult {
    const choices = precisionChoices(this.cap, this.broadcasts);
    const chosen = this.precision ?? choices[0]?.precision;
    return html`<form class="choice" @submit=${this.#begin}>
      <fieldset>
        <legend>How roughly</legend>
        ${choices.map(
          ({ precision, name, hint }) => html`<label>
            <input
              type="radio"
              name="precision"
              value=${precision}
              .checked=${precision === chosen}
              @change=${() => {
                this.precision = precision;
              }}
            />
            <span>${name}<small>${hint}</small></span>
          </label>`,
        )}
      </fieldset>
      <p class="hint">
        Your browser finds out where you are, and this page works out the area. Only the area leaves your device, and only the
        present one is kept. For how long is asked next.
      </p>
      <p class="answers">
        <button type="button" class="button quiet" @click=${() => this.#choose(false)}>Show nothing</button>
        <button type="submit" class="button quiet" ?disabled=${this.busy}>Show my area</button>
      </p>
    </form>`;
  }

  #sharing({ consents, whereabouts }: Talk): TemplateResult {
    const { own } = whereabouts;
    const what =
      own === null
        ? 'Your area is about to be shown.'
        : `Shown: ${this.#names.words(own.precision, own.area)}.`;
    return html`<div class="shown">
      <p role="status">${what} <span class="hint">${leftWords(consents.left('location'))}</span></p>
      <button type="button" class="button danger" @click=${() => this.#stop()}>Stop showing</button>
    </div>`;
  }

  #others(whereabouts: Whereabouts): TemplateResult | typeof nothing {
    const hosts = whereabouts.people.filter(({ broadcaster }) => broadcaster);
    if (hosts.length === 0 && whereabouts.map.length === 0) return nothing;
    const words = mapWords(whereabouts.map);
    const marked = [...whereabouts.map, ...hosts.map(({ area }) => ({ area, shade: 'strong' as const }))];
    return html`<details
      class="others"
      @toggle=${({ target }: Event) => {
        this.mapped = target instanceof HTMLDetailsElement && target.open;
      }}
    >
      <summary>Where people watch from</summary>
      ${hosts.map(({ precision, area }) => html`<p>The broadcast comes from: ${this.#names.words(precision, area)}</p>`)}
      <p class="hint">${words} Only areas with five people or more who share are shaded.</p>
      ${this.mapped ? html`<vc-location-map .marked=${marked} label=${words}></vc-location-map>` : nothing}
    </details>`;
  }

  /** Shows what can be chosen, and brings it into view. */
  async choose(): Promise<void> {
    this.#choose(true);
    await this.updateComplete;
    this.scrollIntoView({ block: 'nearest' });
    this.querySelector('input')?.focus();
  }

  #choose(choosing: boolean): void {
    this.choosing = choosing;
    this.error = null;
  }

  async #begin(event: Event): Promise<void> {
    event.preventDefault();
    const precision = this.precision ?? precisionChoices(this.cap, this.broadcasts)[0]?.precision;
    if (precision === undefined || this.busy) return;
    this.busy = true;
    this.error = null;
    await this.#sharer?.begin(precision);
    this.busy = false;
  }

  #stop(): void {
    this.choosing = false;
    this.#sharer?.stop();
  }

  #connect(): void {
    this.#drop();
    const { talk } = this;
    if (talk === null) return;
    const { consents, whereabouts } = talk;
    const update = (): void => this.requestUpdate();
    this.#unsubscribe = [
      consents.on('change', update),
      whereabouts.on('own', update),
      whereabouts.on('people', update),
      whereabouts.on('map', update),
    ];
    this.#sharer = new Sharer({
      consents,
      whereabouts,
      clock: systemClock,
      random: Math.random,
      locate: locateByBrowser,
      grid: async (precision) => (await import('../sdk/earth.js')).earthFor(precision),
      failed: (error) => {
        this.error = error;
      },
    });
  }

  #drop(): void {
    for (const cancel of this.#unsubscribe) cancel();
    this.#unsubscribe = [];
    this.#sharer?.dispose();
    this.#sharer = null;
  }
}

customElements.define('vc-location', LocationPanel);
