import { html, LitElement, nothing, type TemplateResult } from 'lit';
import '../elements/consent-ask.js';
import { icons } from '../elements/icons.js';
import type { PlayerPreferences } from '../elements/player.js';
import type { ConsentStanding, Purpose } from '../protocol/index.js';
import type { Added, Consents } from '../sdk/consents.js';
import { noteReceipt } from '../sdk/statement.js';
import './own-receipts.js';
import type { Preferences } from './preferences.js';
import { PURPOSE_NAMES as NAMES } from './receipt-words.js';
import './receipts-here.js';

/** What a person can change their mind about. */
interface Choice {
  purpose: Purpose;
  name: string;
  about: string;
}

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
 * Everything that is asked for, in one place; all of it is off until the person says yes. `locates`: this event lets people show where
 * they are. Fires `vc-locate` when somebody wants to choose that, which takes more than a yes.
 */
class Choices extends LitElement {
  static override properties = {
    event: { attribute: false },
    consents: { attribute: false },
    locates: { type: Boolean },
    preferences: { attribute: false },
    preferred: { attribute: false },
    open: { state: true },
  };

  declare event: string;
  declare consents: Consents | null;
  declare locates: boolean;
  /** Of this device: they outlive the event in which they were agreed to. */
  declare preferences: Preferences | null;
  /** What is chosen at this moment. */
  declare preferred: () => PlayerPreferences;
  declare open: boolean;
  #unsubscribe: (() => void)[] = [];

  constructor() {
    super();
    this.event = '';
    this.consents = null;
    this.locates = false;
    this.preferences = null;
    this.preferred = () => ({ volume: 1, max: 'high' });
    this.open = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leave();
  }

  #leave(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('consents')) return;
    this.#leave();
    const { consents } = this;
    if (consents === null) return;
    this.#unsubscribe = [
      consents.on('change', () => this.#changed()),
      // What was taken back has a receipt, too.
      consents.on('receipt', (receipt) => {
        noteReceipt(this.event, receipt);
        this.querySelector<LitElement>('vc-own-receipts')?.requestUpdate();
      }),
    ];
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.consents === null) return nothing;
    return html`<details class="choices" ?open=${this.open}>
      <summary>${icons.lock}<span>Your choices</span><small>${this.#summary()}</small></summary>
      <p>Nothing here is on unless you say yes, and watching needs none of it.</p>
      <ul>
        ${this.#choices.map((choice) => this.#row(choice))}
      </ul>
      <vc-own-receipts .event=${this.event}></vc-own-receipts>
      <vc-receipts-here></vc-receipts-here>
    </details>`;
  }

  /** In the order in which it is shown. */
  get #choices(): readonly Choice[] {
    const own = CHOICES.filter(({ purpose }) => purpose !== 'location' || this.locates);
    return [...own, ...(this.consents?.added ?? []).map(ofTheServer)];
  }

  #summary(): string {
    const on = this.#choices.filter(({ purpose }) => this.#standing(purpose) === 'granted');
    return on.length === 0 ? 'All off' : on.map(({ name }) => name).join(', ');
  }

  #row({ purpose, name, about }: Choice): TemplateResult {
    const standing = this.#standing(purpose);
    const against = standing !== 'granted' && this.consents?.signalAgainst(purpose) === true;
    return html`<li>
      <span><strong>${name}</strong> <small>${about}</small></span>
      <span class="standing">${against ? WORDS.suspended : WORDS[standing]}</span>
      ${this.#button(purpose, name, standing)}
    </li>`;
  }

  #button(purpose: Purpose, name: string, standing: ConsentStanding): TemplateResult | typeof nothing {
    if (standing === 'left-out') return nothing;
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
    const standing = this.consents?.standing(purpose) ?? 'open';
    const kept = purpose === 'personalisation' && this.preferences?.read() != null;
    return kept ? 'granted' : standing;
  }

  #changed(): void {
    const standing = this.consents?.standing('personalisation');
    if (standing === 'granted' && this.preferences?.read() === null) this.preferences.begin(this.preferred());
    if (standing === 'refused') this.preferences?.forget();
    this.requestUpdate();
  }

  #withdraw(purpose: Purpose): void {
    if (purpose === 'personalisation') this.preferences?.forget();
    this.consents?.withdraw(purpose);
    this.requestUpdate();
  }

  #ask(purpose: Purpose): void {
    if (purpose === 'location') this.dispatchEvent(new CustomEvent('vc-locate'));
    else this.consents?.request(purpose, true);
  }
}

customElements.define('vc-choices', Choices);
