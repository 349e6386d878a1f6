import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { icons } from '../elements/icons.js';
import type { EventFigures, EventSummary } from '../protocol/index.js';
import { journal } from './api-journal.js';
import { counterWords, figuresWords, valueWords } from './figure-words.js';
import { Panel } from './panel.js';
import { errorNotice, loading } from './parts.js';

/** More is for whoever asks for more. */
const FIRST = 5;

/** What was told of events that are over: totals with noise, made once. */
class EventFiguresView extends Panel {
  static override properties = { events: { attribute: false }, told: { state: true }, all: { state: true } };

  declare events: readonly EventSummary[];
  /** By event, as soon as somebody looks. */
  declare told: ReadonlyMap<string, EventFigures>;
  declare all: boolean;

  constructor() {
    super();
    this.events = [];
    this.told = new Map();
    this.all = false;
  }

  protected override render(): TemplateResult {
    const ended = this.events.filter(({ state }) => state === 'ended');
    const shown = this.all ? ended : ended.slice(0, FIRST);
    return html`<section class="sheet event-figures" aria-labelledby="event-figures">
      <h2 id="event-figures">${icons.people} How events went</h2>
      <p class="lead">
        Totals of events that are over, with noise, of those who agreed to be counted. They are about nobody in particular, and stay.
      </p>
      ${errorNotice(this.error)}
      ${
        ended.length === 0
          ? html`<p>No event has ended yet. Its figures are made once, within a minute of its end.</p>`
          : html`<div class="events">${repeat(
              shown,
              ({ id }) => id,
              (event) => this.#event(event),
            )}</div>`
      }
      ${
        shown.length < ended.length
          ? html`<div class="actions">
              <button type="button" class="button quiet small" @click=${this.#more}>Show all ${ended.length}</button>
            </div>`
          : nothing
      }
    </section>`;
  }

  #event({ id, title }: EventSummary): TemplateResult {
    return html`<details @toggle=${(toggled: Event) => this.#toggled(toggled, id)}>
      <summary>${title}</summary>
      ${this.#figures(id)}
    </details>`;
  }

  #figures(id: string): TemplateResult | typeof nothing {
    const told = this.told.get(id);
    if (told === undefined) return this.error === null ? loading('Getting the figures…') : nothing;
    if (told.figures.length === 0) return html`<p>Not made yet: within a minute of the end.</p>`;
    return html`<dl>
        ${told.figures.map(
          ({ counter, value }) => html`<div>
            <dt>${counterWords(counter)}</dt>
            <dd class=${value === null ? 'few' : nothing}>${valueWords(value)}</dd>
          </div>`,
        )}
      </dl>
      ${figuresWords(told).map((words) => html`<p class="hint">${words}</p>`)}`;
  }

  #more(): void {
    this.all = true;
  }

  /** What was told stays told; what is not made yet is asked for again. */
  #toggled({ target }: Event, id: string): void {
    const known = this.told.get(id)?.figures.length ?? 0;
    if (!(target instanceof HTMLDetailsElement) || !target.open || known > 0) return;
    this.attempt(async () => {
      const figures = await journal.figures(id);
      this.told = new Map([...this.told, [id, figures]]);
    });
  }
}

customElements.define('vc-event-figures', EventFiguresView);
