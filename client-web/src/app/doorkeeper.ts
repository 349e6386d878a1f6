import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { KnockSummary } from '../protocol/index.js';
import type { Access } from '../sdk/access.js';
import { moderation } from '../sdk/moderation.js';
import { Fresh, Panel } from './panel.js';
import { errorNotice } from './parts.js';
import { knockWords } from './words.js';

/** Nobody likes to wait at a door. */
const REFRESH_MS = 3_000;

/** Who waits to be let in to an event, with a yes and a no for each. `access` is that of whoever looks after it or broadcasts to it. */
class Doorkeeper extends Panel {
  static override properties = {
    event: { attribute: false },
    access: { attribute: false },
    done: { state: true },
  };

  declare event: string;
  declare access: Access | null;
  declare done: string;
  readonly #knocks = new Fresh<KnockSummary>(this, () => this.#work?.knocks() ?? null, {
    everyMs: REFRESH_MS,
    whenEmpty: true,
  });

  constructor() {
    super();
    this.event = '';
    this.access = null;
    this.done = '';
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('event') || changed.has('access')) this.#knocks.load();
  }

  protected override render(): TemplateResult {
    const waiting = this.#knocks.items.filter((knock) => !knock.turned_away);
    const away = this.#knocks.items.filter((knock) => knock.turned_away);
    return html`<h3>At the door</h3>
      ${
        waiting.length === 0
          ? html`<p class="hint">Nobody waits to be let in.</p>`
          : html`<p class="hint">Anybody can type any name.</p>
              <ul class="rows" aria-label="At the door">${this.#rows(waiting)}</ul>`
      }
      <div role="status">${this.done === '' ? nothing : html`<p class="hint">${this.done}</p>`}</div>
      ${errorNotice(this.error)}
      ${
        away.length === 0
          ? nothing
          : html`<details>
              <summary>Turned away (${away.length})</summary>
              <ul class="rows" aria-label="Turned away">${this.#rows(away)}</ul>
            </details>`
      }`;
  }

  /** Each row is one person’s for as long as it is there: a button that has the focus must not become another’s when somebody leaves. */
  #rows(knocks: readonly KnockSummary[]): unknown {
    return repeat(
      knocks,
      ({ number }) => number,
      (knock) => this.#row(knock),
    );
  }

  #row(knock: KnockSummary): TemplateResult {
    const { name, state } = knockWords(knock);
    return html`<li class="row">
      <div class="what">
        <strong class="name">${name}</strong>
        <p class="meta">${state}</p>
      </div>
      <div class="actions">
        <button type="button" class="button small" aria-label="Let in ${name}" ?disabled=${this.busy}
          @click=${() => this.#decide(knock, true)}>
          Let in
        </button>
        ${
          knock.turned_away
            ? nothing
            : html`<button type="button" class="button quiet small" aria-label="Turn away ${name}" ?disabled=${this.busy}
                @click=${() => this.#decide(knock, false)}>
                Turn away
              </button>`
        }
      </div>
    </li>`;
  }

  get #work(): ReturnType<typeof moderation> | null {
    return this.access === null ? null : moderation(location.origin, this.event, this.access);
  }

  #decide(knock: KnockSummary, letIn: boolean): Promise<void> {
    const { name } = knockWords(knock);
    this.done = '';
    return this.attempt(async () => {
      await this.#work?.answerKnock(knock.number, letIn);
      this.#knocks.drop(({ number }) => number === knock.number);
      this.done = letIn ? `${name} may come in.` : `${name} was turned away.`;
    }, this.#knocks);
  }
}

customElements.define('vc-doorkeeper', Doorkeeper);
