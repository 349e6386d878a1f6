import { html, LitElement, nothing, type TemplateResult } from 'lit';
import '../elements/choices.js';
import { icons } from '../elements/icons.js';
import type { PlayerPreferences } from '../elements/player.js';
import type { Purpose } from '../protocol/index.js';
import type { Consents } from '../sdk/consents.js';
import './own-receipts.js';
import type { Preferences } from './preferences.js';
import './receipts-here.js';

/**
 * Everything that is asked for, in one place, with the receipts of it. `locates`: this page lets people show where they are. Fires
 * `vc-locate` when somebody wants to choose that, which takes more than a yes.
 */
class Choices extends LitElement {
  static override properties = {
    event: { attribute: false },
    consents: { attribute: false },
    locates: { type: Boolean },
    preferences: { attribute: false },
    preferred: { attribute: false },
    open: { state: true },
    on: { state: true },
  };

  declare event: string;
  declare consents: Consents | null;
  declare locates: boolean;
  /** Of this device: they outlive the event in which they were agreed to. `null`: this page has none to remember. */
  declare preferences: Preferences | null;
  /** What is chosen at this moment. */
  declare preferred: () => PlayerPreferences;
  declare open: boolean;
  /** What is on, by name. */
  declare on: readonly string[];
  #unsubscribe: (() => void)[] = [];

  constructor() {
    super();
    this.event = '';
    this.consents = null;
    this.locates = false;
    this.preferences = null;
    this.preferred = () => ({ volume: 1, max: 'high' });
    this.open = false;
    this.on = [];
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
      consents.on('receipt', () => this.querySelector<LitElement>('vc-own-receipts')?.requestUpdate()),
    ];
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.consents === null) return nothing;
    return html`<details class="choices" ?open=${this.open}>
      <summary>
        ${icons.lock}<span>Your choices</span><small>${this.on.length === 0 ? 'All off' : this.on.join(', ')}</small>
      </summary>
      <p>Nothing here is on unless you say yes, and watching needs none of it.</p>
      <veilcast-choices
        own
        .consents=${this.consents}
        ?locates=${this.locates}
        ?remembers=${this.preferences !== null}
        ?kept=${this.preferences?.read() != null}
        @veilcast-locate=${() => this.dispatchEvent(new CustomEvent('vc-locate'))}
        @veilcast-withdraw=${(event: CustomEvent<Purpose>) => this.#withdrawn(event.detail)}
        @veilcast-choices=${(event: CustomEvent<readonly string[]>) => this.#told(event.detail)}
      ></veilcast-choices>
      <vc-own-receipts .event=${this.event}></vc-own-receipts>
      <vc-receipts-here></vc-receipts-here>
    </details>`;
  }

  #told(on: readonly string[]): void {
    if (on.join() !== this.on.join()) this.on = on;
  }

  #changed(): void {
    const standing = this.consents?.standing('personalisation');
    if (standing === 'granted' && this.preferences?.read() === null) this.preferences.begin(this.preferred());
    if (standing === 'refused') this.preferences?.forget();
    this.requestUpdate();
  }

  #withdrawn(purpose: Purpose): void {
    if (purpose === 'personalisation') this.preferences?.forget();
    this.requestUpdate();
  }
}

customElements.define('vc-choices', Choices);
