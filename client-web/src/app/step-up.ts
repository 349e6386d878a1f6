import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { Account } from '../protocol/index.js';
import { VeilcastError } from '../sdk/errors.js';
import { account } from './api.js';
import { forgetTokens, signInAgain } from './auth.js';
import { text } from './form.js';
import { errorNotice } from './parts.js';
import { createPasskey, knowsPasskeys, usePasskey } from './passkeys.js';

/** What the person can be asked for. */
type Way = 'passkey' | 'app' | 'first' | 'password' | 'sign-in' | 'link';

/**
 * Does `work`, and where the server first wants to be surer of the person (RFC 9470), asks in a dialog and does it once more.
 * Nothing of the page is lost meanwhile. Whoever declines hears the server's refusal.
 */
export async function confirmed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!wantsMore(thrown)) throw thrown;
    const dialog = document.createElement('vc-step-up');
    if (!(dialog instanceof StepUp)) throw thrown;
    document.body.append(dialog);
    const done = await dialog.done.finally(() => dialog.remove());
    if (!done) throw thrown;
    await forgetTokens();
    return work();
  }
}

function wantsMore(thrown: unknown): boolean {
  return thrown instanceof VeilcastError && thrown.code === 'step-up-required';
}

/** Asks whoever is signed in to confirm that it is them. */
class StepUp extends LitElement {
  static override properties = {
    account: { state: true },
    way: { state: true },
    error: { state: true },
    busy: { state: true },
  };

  declare account: Account | null;
  declare way: Way | null;
  declare error: VeilcastError | null;
  declare busy: boolean;
  #settle: (done: boolean) => void = () => {};
  /** Whether the person was recognised. */
  readonly done = new Promise<boolean>((resolve) => {
    this.#settle = resolve;
  });

  constructor() {
    super();
    this.account = null;
    this.way = null;
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override firstUpdated(): void {
    this.querySelector('dialog')?.showModal();
    this.#attempt(async () => {
      this.account = await account.show();
      this.way = firstWay(this.account);
    });
  }

  protected override render(): TemplateResult {
    return html`<dialog class="step-up" aria-labelledby="step-up-title" @close=${() => this.#settle(false)}>
      <h2 id="step-up-title">${icons.lock} Confirm that it is you</h2>
      ${this.way === null ? html`<p class="lead">One moment…</p>` : WORDS[this.way]}
      ${errorNotice(this.error)} ${this.#fields()}
      <div class="actions">
        <button type="button" class="button quiet" @click=${() => this.querySelector('dialog')?.close()}>${this.way === 'link' ? 'Close' : 'Cancel'}</button>
        ${this.#button()}
      </div>
    </dialog>`;
  }

  #fields(): TemplateResult | typeof nothing {
    if (this.way !== 'app' && this.way !== 'password') return nothing;
    return html`<form id="step-up-form" @submit=${this.#password}>
      <input type="text" class="unseen" aria-hidden="true" tabindex="-1" autocomplete="username" .value=${this.account?.name ?? ''} />
      <label>Password <input name="step-up-password" type="password" autocomplete="current-password" required /></label>
      ${
        this.way === 'app'
          ? html`<label>
              Code of your app
              <input name="step-up-code" inputmode="numeric" autocomplete="one-time-code" maxlength="8" required />
            </label>`
          : nothing
      }
    </form>`;
  }

  #button(): TemplateResult | typeof nothing {
    switch (this.way) {
      case 'passkey':
        return this.#act('Use a passkey', this.#passkey);
      case 'first':
        return this.#act('Create a passkey', this.#first);
      case 'sign-in':
        return this.#act('Sign in again', signInAgain);
      case 'link':
      case null:
        return nothing;
      default:
        return html`<button class="button" form="step-up-form" ?disabled=${this.busy}>Confirm</button>`;
    }
  }

  #act(words: string, act: () => void): TemplateResult {
    return html`<button type="button" class="button" ?disabled=${this.busy} @click=${act}>${words}</button>`;
  }

  #passkey(): Promise<void> {
    return this.#attempt(async () => {
      await account.passkeyAgain(await usePasskey(await account.askAgain()));
      this.#finish();
    });
  }

  /** A first passkey, right here; who signed in long ago shows the password before. */
  #first(): Promise<void> {
    return this.#attempt(async () => {
      try {
        await account.addPasskey(await createPasskey(await account.askNewPasskey(), 'Passkey'));
        this.#finish();
      } catch (thrown) {
        if (!wantsMore(thrown)) throw thrown;
        const known = this.account?.factors.some(({ kind }) => kind === 'password') === true;
        if (this.account?.role === 'operator') this.way = 'link';
        else this.way = known ? 'password' : 'sign-in';
      }
    });
  }

  #password(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const password = text(submit, 'step-up-password');
    const code = text(submit, 'step-up-code');
    return this.#attempt(async () => {
      await account.passwordAgain(code === '' ? { password } : { password, code });
      if (this.way === 'app') return this.#finish();
      await forgetTokens();
      this.way = 'first';
    });
  }

  #finish(): void {
    this.#settle(true);
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      await act();
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
  }
}

const WORDS: Record<Way, TemplateResult> = {
  passkey: html`<p class="lead">This matters enough to ask. Use your passkey, then you go on where you were.</p>`,
  app: html`<p class="lead">This matters enough to ask. Then you go on where you were.</p>`,
  password: html`<p class="lead">You signed in a while ago. First your password, then a passkey to go with it.</p>`,
  first: html`<p class="lead">
    This needs more than a password. Create a passkey: your device keeps it, and unlocks it with your fingerprint, face or PIN. An
    <a href="/account" target="_blank">authenticator app</a> does, too.
  </p>`,
  'sign-in': html`<p class="lead">You signed in a while ago. Sign in again to go on.</p>`,
  link: html`<p class="lead">
    An operator’s first passkey or app comes with a link, so that a password which somebody learns is not enough. Run
    <code>veilcast setup --recover</code> on the server, open its link within 30 minutes, and make a passkey there.
  </p>`,
};

function firstWay({ factors }: Account): Way {
  const has = (wanted: string): boolean => factors.some(({ kind }) => kind === wanted);
  if (has('passkey') && knowsPasskeys()) return 'passkey';
  if (has('totp')) return 'app';
  return has('passkey') ? 'sign-in' : 'first';
}

customElements.define('vc-step-up', StepUp);
