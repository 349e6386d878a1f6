import { html, LitElement, nothing, type TemplateResult } from 'lit';
import '../elements/consent-ask.js';
import { icons } from '../elements/icons.js';
import type { ConsentStanding, Purpose } from '../protocol/index.js';
import type { Consents } from '../sdk/consents.js';

/** What a person can change their mind about, in the order in which it is shown. */
const CHOICES: readonly { purpose: Purpose; name: string; about: string }[] = [
  { purpose: 'chat', name: 'Chat', about: 'Read and write, under a name for this event.' },
  { purpose: 'presence', name: 'Being listed', about: 'Your name among those who are here.' },
];

const WORDS: Record<ConsentStanding, string> = {
  open: 'Off',
  changed: 'Off: the terms have changed',
  refused: 'Off',
  suspended: 'Off while your browser’s privacy signal is on',
  'left-out': 'This event does without',
  granted: 'On',
};

/** Everything that is asked for, in one place; all of it is off until the person says yes. */
class Choices extends LitElement {
  static override properties = { consents: { attribute: false }, open: { state: true } };

  declare consents: Consents | null;
  declare open: boolean;
  #unsubscribe: () => void = () => {};

  constructor() {
    super();
    this.consents = null;
    this.open = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe();
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has('consents')) return;
    this.#unsubscribe();
    this.#unsubscribe = this.consents?.on('change', () => this.requestUpdate()) ?? (() => {});
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.consents === null) return nothing;
    return html`<details class="choices" ?open=${this.open}>
      <summary>${icons.lock}<span>Your choices</span><small>${this.#summary()}</small></summary>
      <p>Nothing here is on unless you say yes, and watching needs none of it.</p>
      <ul>
        ${CHOICES.map((choice) => this.#row(choice))}
      </ul>
    </details>`;
  }

  #summary(): string {
    const on = CHOICES.filter(({ purpose }) => this.consents?.standing(purpose) === 'granted');
    return on.length === 0 ? 'All off' : on.map(({ name }) => name).join(', ');
  }

  #row({ purpose, name, about }: (typeof CHOICES)[number]): TemplateResult {
    const standing = this.consents?.standing(purpose) ?? 'open';
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
    return html`<button
      type="button"
      class="button quiet small"
      aria-label=${on ? `Turn off: ${name}` : `Ask me: ${name}`}
      @click=${() => (on ? this.consents?.withdraw(purpose) : this.consents?.request(purpose, true))}
    >
      ${on ? 'Turn off' : 'Ask me'}
    </button>`;
  }
}

customElements.define('vc-choices', Choices);
