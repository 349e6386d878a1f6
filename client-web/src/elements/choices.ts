import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { ConsentStanding, Purpose } from '../protocol/index.js';
import type { Added, Consents } from '../sdk/consents.js';
import { receiptFile } from '../sdk/receipt.js';
import { receiptsOf } from '../sdk/statement.js';
import { saveFile } from './save-file.js';
import { controls, theme } from './theme.js';

/** What a person can change their mind about. */
interface Choice {
  purpose: Purpose;
  name: string;
  about: string;
}

/** What is asked for, as it is called where somebody looks for it. */
export const PURPOSE_NAMES = {
  chat: 'Chat',
  location: 'Where you are',
  presence: 'Being listed',
  personalisation: 'Remembering',
  analytics: 'Figures',
} as const satisfies Readonly<Record<string, string>>;

const NAMES = PURPOSE_NAMES;

const CHOICES: readonly Choice[] = [
  { purpose: 'chat', name: NAMES.chat, about: 'Read and write, under a name for this event.' },
  { purpose: 'location', name: NAMES.location, about: 'Roughly, as you choose, for as long as you choose.' },
  { purpose: 'presence', name: NAMES.presence, about: 'Your name among those who are here.' },
  {
    purpose: 'personalisation',
    name: NAMES.personalisation,
    about: 'Your volume and picture quality, on this device.',
  },
  { purpose: 'analytics', name: NAMES.analytics, about: 'Count towards noisy totals after the event.' },
];

/** It is called by its question. */
function ofTheServer({ purpose, title }: Added): Choice {
  return { purpose, name: title.replace(/\?$/, ''), about: 'Asked by whoever runs this server.' };
}

const WORDS: Record<ConsentStanding, string> = {
  open: 'Off',
  changed: 'Off: the terms have changed',
  refused: 'Off',
  suspended: 'Off while your browser’s privacy signal is on',
  'left-out': 'This event does without',
  granted: 'On',
};

/**
 * Everything that is asked for, in one place; all of it is off until the person says yes. What this page can do nothing with is listed
 * only while it is on. Fires `veilcast-locate` when somebody wants to choose where they are shown, which takes more than a yes,
 * `veilcast-withdraw` with a purpose that is turned off, and `veilcast-choices` with the names of what is on.
 */
export class VeilcastChoices extends LitElement {
  static override properties = {
    consents: { attribute: false },
    locates: { type: Boolean },
    remembers: { type: Boolean },
    kept: { type: Boolean },
    own: { type: Boolean },
  };

  declare consents: Consents | null;
  /** This page lets people show where they are. */
  declare locates: boolean;
  /** This page remembers what somebody chooses. */
  declare remembers: boolean;
  /** Something is remembered on this device, from whichever event. */
  declare kept: boolean;
  /** A page of the server's own: only there can somebody choose against their browser's privacy signal. */
  declare own: boolean;
  #unsubscribe: () => void = () => {};

  constructor() {
    super();
    this.consents = null;
    this.locates = false;
    this.remembers = false;
    this.kept = false;
    this.own = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe();
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('consents')) return;
    this.#unsubscribe();
    this.#unsubscribe = this.consents?.on('change', () => this.requestUpdate()) ?? ((): void => {});
  }

  protected override updated(): void {
    const on = this.#choices.filter(({ purpose }) => this.#standing(purpose) === 'granted');
    this.dispatchEvent(new CustomEvent('veilcast-choices', { detail: on.map(({ name }) => name) }));
  }

  protected override render(): TemplateResult {
    return html`<ul>
      ${this.#choices.map((choice) => this.#row(choice))}
    </ul>`;
  }

  /** In the order in which it is shown. */
  get #choices(): readonly Choice[] {
    const of: Partial<Record<Purpose, boolean>> = { location: this.locates, personalisation: this.remembers };
    const own = CHOICES.filter(({ purpose }) => of[purpose] ?? true);
    const other = CHOICES.filter(
      (choice) => !own.includes(choice) && this.#standing(choice.purpose) === 'granted',
    );
    return [...own, ...other, ...(this.consents?.added ?? []).map(ofTheServer)];
  }

  #row({ purpose, name, about }: Choice): TemplateResult {
    const standing = this.#standing(purpose);
    const against = standing !== 'granted' && this.consents?.signalAgainst(purpose) === true;
    return html`<li>
      <span><strong>${name}</strong> <small>${about}</small></span>
      <span class="standing">${against ? WORDS.suspended : WORDS[standing]}</span>
      ${standing === 'left-out' || (against && !this.own) ? nothing : this.#button(purpose, name, standing)}
    </li>`;
  }

  #button(purpose: Purpose, name: string, standing: ConsentStanding): TemplateResult {
    const on = standing === 'granted';
    const ask = purpose === 'location' ? 'Choose' : 'Ask me';
    return html`<button
      type="button"
      class="button quiet small"
      aria-label=${on ? `Turn off: ${name}` : `${ask}: ${name}`}
      @click=${() => (on ? this.#withdraw(purpose) : this.#ask(purpose))}
    >
      ${on ? 'Turn off' : ask}
    </button>`;
  }

  /** What is remembered on this device stands, whichever event it was agreed to in. */
  #standing(purpose: Purpose): ConsentStanding {
    if (purpose === 'personalisation' && this.kept) return 'granted';
    return this.consents?.standing(purpose) ?? 'open';
  }

  #withdraw(purpose: Purpose): void {
    this.dispatchEvent(new CustomEvent('veilcast-withdraw', { detail: purpose }));
    this.consents?.withdraw(purpose);
    this.requestUpdate();
  }

  #ask(purpose: Purpose): void {
    if (purpose === 'location') this.dispatchEvent(new CustomEvent('veilcast-locate'));
    else this.consents?.request(purpose, this.own);
  }

  static override styles = [
    theme,
    controls,
    css`
      :host {
        display: block;
        color: var(--_ink);
        font: 400 1rem/1.5 var(--_font);
      }

      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }

      li {
        display: grid;
        grid-template-columns: 1fr max-content max-content;
        align-items: center;
        gap: 0.5rem 1rem;
        padding: 0.625rem 1.125rem;
        border-top: 1px solid var(--_line);
      }

      small {
        display: block;
        color: var(--_soft);
        font-size: 0.875em;
      }

      .standing {
        color: var(--_soft);
        font-size: 0.9375rem;
      }

      @media (max-width: 36rem) {
        li {
          grid-template-columns: 1fr max-content;
        }

        li > span:first-child {
          grid-column: 1 / -1;
        }
      }
    `,
  ];
}

/** Opens somebody's choices over the page that is open, whosever page that is. */
export function showChoices(consents: Consents, event: string, url: string): void {
  const shown = document.createElement('veilcast-choices-dialog');
  if (!(shown instanceof ChoicesDialog)) return;
  Object.assign(shown, { consents, event, own: new URL(url, location.href).origin === location.origin });
  document.body.append(shown);
}

class ChoicesDialog extends LitElement {
  static override properties = {
    consents: { attribute: false },
    event: { attribute: false },
    own: { type: Boolean },
  };

  declare consents: Consents | null;
  declare event: string;
  declare own: boolean;
  #unsubscribe: () => void = () => {};

  constructor() {
    super();
    this.consents = null;
    this.event = '';
    this.own = false;
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector('dialog')?.showModal();
    this.#unsubscribe = this.consents?.on('receipt', () => this.requestUpdate()) ?? ((): void => {});
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby="choices" @close=${() => this.remove()}>
      <h2 id="choices">Your choices</h2>
      <p>Nothing here is on unless you say yes, and watching needs none of it.</p>
      <veilcast-choices
        .consents=${this.consents}
        ?own=${this.own}
      ></veilcast-choices>
      <div class="actions">
        ${
          receiptsOf(this.event).length > 0
            ? html`<button type="button" class="button quiet small" @click=${this.#save}>Save the receipts</button>`
            : nothing
        }
        <button type="button" class="button quiet small" autofocus @click=${() => this.remove()}>Close</button>
      </div>
    </dialog>`;
  }

  /** Without a key: where a frame has asked, the key was the frame's. */
  #save(): void {
    saveFile('veilcast-receipts.json', receiptFile(receiptsOf(this.event)));
  }

  static override styles = [
    theme,
    controls,
    css`
      dialog {
        width: min(38rem, calc(100vw - 2rem));
        padding: 1.25rem 0 1.25rem;
        border: 1px solid var(--_line);
        border-radius: var(--_radius);
        background: var(--_surface);
        color: var(--_ink);
        font: 400 1rem/1.5 var(--_font);
        box-shadow: var(--_shadow);
      }

      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }

      h2 {
        margin: 0;
        padding-inline: 1.125rem;
        font-size: 1.25rem;
        font-weight: 650;
      }

      p {
        margin: 0.25rem 0 0.75rem;
        padding-inline: 1.125rem;
        color: var(--_soft);
      }

      .actions {
        display: flex;
        justify-content: flex-end;
        gap: 0.75rem;
        padding: 1rem 1.125rem 0;
        border-top: 1px solid var(--_line);
      }
    `,
  ];
}

customElements.define('veilcast-choices', VeilcastChoices);
customElements.define('veilcast-choices-dialog', ChoicesDialog);
