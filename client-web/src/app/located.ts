import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Talk } from '../elements/chat.js';
import type { LocatedPerson } from '../protocol/index.js';
import type { Cancel } from '../sdk/clock.js';
import './location-map.js';
import { AreaNames } from './location-names.js';

/** For whoever broadcasts: where those are who show it, in words and on a map. Not there while nobody does. */
class Located extends LitElement {
  static override properties = { talk: { attribute: false }, mapped: { state: true } };

  declare talk: Talk | null;
  declare mapped: boolean;
  readonly #names = new AreaNames(() => this.requestUpdate());
  #unsubscribe: Cancel = () => {};

  constructor() {
    super();
    this.talk = null;
    this.mapped = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('talk')) return;
    this.#unsubscribe();
    this.#unsubscribe = this.talk?.whereabouts.on('people', () => this.requestUpdate()) ?? ((): void => {});
    this.requestUpdate();
  }

  protected override render(): TemplateResult | typeof nothing {
    const people = this.talk?.whereabouts.people.filter(({ broadcaster }) => !broadcaster) ?? [];
    if (people.length === 0) return nothing;
    const rows = this.#counted(people);
    const words = rows.map(([name, count]) => `${name}: ${count}`).join('; ');
    const marked = [...new Set(people.map(({ area }) => area))].map((area) => ({
      area,
      shade: 'medium' as const,
    }));
    return html`<section class="located" aria-labelledby="located">
      <h2 id="located">Where people watch from</h2>
      <p class="hint">They chose to show you this, as roughly as each of them likes. It goes when they stop.</p>
      <ul class="plain">
        ${rows.map(([name, count]) => html`<li><span>${name}</span> <span>${count}</span></li>`)}
      </ul>
      <details
        @toggle=${({ target }: Event) => {
          this.mapped = target instanceof HTMLDetailsElement && target.open;
        }}
      >
        <summary>Show them on a map</summary>
        ${this.mapped ? html`<vc-location-map .marked=${marked} label=${words}></vc-location-map>` : nothing}
      </details>
    </section>`;
  }

  /** Countries, and how many people are in each: the most first. Where in them is on the map. */
  #counted(people: readonly LocatedPerson[]): [string, number][] {
    const countries = new Map<string, number>();
    for (const { area } of people) {
      const name = this.#names.country(area) || 'Elsewhere';
      countries.set(name, (countries.get(name) ?? 0) + 1);
    }
    return [...countries].sort(([, a], [, b]) => b - a);
  }
}

customElements.define('vc-located', Located);
