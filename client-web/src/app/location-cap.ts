import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { EventSummary, LocationCap, LocationPrecision } from '../protocol/index.js';
import { api } from './api.js';
import { Panel } from './panel.js';
import { errorNotice } from './parts.js';
import { confirmed } from './step-up.js';

const FINEST: readonly { value: LocationPrecision; words: string }[] = [
  { value: 'none', words: 'Nothing: nobody is asked where they are' },
  { value: 'country', words: 'Their country' },
  { value: 'region', words: 'Their region' },
  { value: 'city', words: 'Their city' },
  { value: 'precise', words: 'As finely as their device knows it' },
];

const LENGTHS: readonly { minutes: number; words: string }[] = [
  { minutes: 15, words: '15 minutes' },
  { minutes: 60, words: '1 hour' },
  { minutes: 240, words: '4 hours' },
  { minutes: 1_440, words: '1 day' },
];

const USUAL_MINUTES = 60;

/** The most that anybody at an event could agree to of where they are. Fires `vc-event` with the event as it is then. */
class LocationLimit extends Panel {
  static override properties = {
    event: { attribute: false },
    done: { state: true },
  };

  declare event: EventSummary | null;
  declare done: boolean;

  constructor() {
    super();
    this.event = null;
    this.done = false;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { event } = this;
    if (event === null) return nothing;
    const { finest, minutes } = event.location;
    return html`<section class="sheet location-cap" aria-labelledby="location-cap">
      <h2 id="location-cap">${icons.globe} Where people are</h2>
      <p class="lead">
        The most that anybody here could agree to tell. It permits nothing by itself: each person decides, each time.
      </p>
      <label>
        At most
        <select name="finest" .value=${finest} ?disabled=${this.busy} @change=${this.#change}>
          ${FINEST.map(({ value, words }) => html`<option value=${value} ?selected=${value === finest}>${words}</option>`)}
        </select>
      </label>
      ${
        finest === 'none'
          ? nothing
          : html`<label>
              For how long at once
              <select name="minutes" ?disabled=${this.busy} @change=${this.#change}>
                ${lengths(minutes).map(
                  (length) =>
                    html`<option value=${length.minutes} ?selected=${length.minutes === minutes}>${length.words}</option>`,
                )}
              </select>
            </label>`
      }
      <p class="hint" role="status">${this.done ? 'Holds for whoever comes, or renews their pass, from now on.' : nothing}</p>
      ${errorNotice(this.error)}
    </section>`;
  }

  #change(): Promise<void> {
    const { event } = this;
    const finest = FINEST.find(({ value }) => value === this.#chosen('finest'))?.value;
    if (event === null || finest === undefined) return Promise.resolve();
    const known = event.location.minutes === 0 ? USUAL_MINUTES : event.location.minutes;
    const minutes = Number(this.#chosen('minutes') ?? known);
    const location: LocationCap = finest === 'none' ? { finest, minutes: 0 } : { finest, minutes };
    this.done = false;
    return this.attempt(async () => {
      try {
        this.event = await confirmed(() => api.changeEvent(event.id, { location }));
        this.done = true;
        this.dispatchEvent(new CustomEvent('vc-event', { detail: this.event }));
      } finally {
        // What holds is shown, whatever was chosen.
        const select = this.querySelector<HTMLSelectElement>('select[name=finest]');
        if (select !== null) select.value = this.event?.location.finest ?? 'none';
      }
    });
  }

  #chosen(name: string): string | undefined {
    return this.querySelector<HTMLSelectElement>(`select[name=${name}]`)?.value;
  }
}

/** The usual ones, and what a program or a command has set. */
function lengths(minutes: number): readonly { minutes: number; words: string }[] {
  const usual = LENGTHS.some((length) => length.minutes === minutes);
  return usual || minutes === 0 ? LENGTHS : [...LENGTHS, { minutes, words: `${minutes} minutes` }];
}

customElements.define('vc-location-cap', LocationLimit);
