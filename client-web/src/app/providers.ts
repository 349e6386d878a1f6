import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { SignInProvider } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { api } from './api.js';
import { errorNotice } from './parts.js';

const RETURN = 'veilcast-return';

/**
 * One button for each provider that people may sign in at. `returnTo` is where they go on afterwards: this tab remembers it,
 * so that neither the provider nor its address ever hears of it. Shows nothing while there is none.
 */
class Providers extends LitElement {
  static override properties = {
    providers: { attribute: false },
    returnTo: { attribute: false },
    leaving: { state: true },
    error: { state: true },
  };

  declare providers: readonly SignInProvider[];
  declare returnTo: string;
  declare leaving: boolean;
  declare error: VeilcastError | null;

  constructor() {
    super();
    this.providers = [];
    this.returnTo = '/';
    this.leaving = false;
    this.error = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.providers.length === 0) return nothing;
    return html`${errorNotice(this.error)}
      <div class="providers">
        ${this.providers.map(
          ({ number, name }) => html`<button
            type="button"
            class="button"
            ?disabled=${this.leaving}
            @click=${() => this.#leave(number)}
          >
            Sign in with ${name}${icons.arrow}
          </button>`,
        )}
      </div>`;
  }

  async #leave(number: number): Promise<void> {
    this.leaving = true;
    this.error = null;
    try {
      const { location: address } = await api.startAtProvider(number);
      sessionStorage.setItem(RETURN, this.returnTo);
      location.assign(address);
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
      this.leaving = false;
    }
  }
}

/** Where this tab wanted to go when it left for a provider; asked once. */
export function takeReturn(): string {
  const path = sessionStorage.getItem(RETURN) ?? '/';
  sessionStorage.removeItem(RETURN);
  // Only a path of this origin: `//host` would be another one.
  return /^\/(?![/\\])/.test(path) ? path : '/';
}

customElements.define('vc-providers', Providers);
