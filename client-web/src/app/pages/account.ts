import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../../elements/icons.js';
import type { Account, AccountActivity, AccountSession } from '../../protocol/index.js';
import '../account-factors.js';
import '../account-recovery.js';
import { account, api } from '../api.js';
import { forgetOperator } from '../auth.js';
import { Page } from '../page.js';
import { errorNotice, loading } from '../parts.js';
import { navigate } from '../router.js';
import { activityWords, moment } from '../words.js';

/** One's own account: ways to sign in, who is signed in, what happened. */
class AccountPage extends Page {
  static override properties = { account: { state: true }, activity: { state: true } };

  declare account: Account | null;
  declare activity: readonly AccountActivity[];

  constructor() {
    super();
    this.account = null;
    this.activity = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#load();
  }

  protected override render(): TemplateResult {
    return html`<div class="frame account">
      <div class="title-row">
        <h1>Account</h1>
        <div class="actions">
          <button class="button quiet" ?disabled=${this.busy} @click=${this.#signOut}>Sign out</button>
        </div>
      </div>
      ${errorNotice(this.error)} ${this.#content()}
    </div>`;
  }

  #content(): TemplateResult | typeof nothing {
    const { account } = this;
    if (account === null) return this.error === null ? loading('Getting your account…') : nothing;
    return html`${this.#advice()}
      <vc-account-factors .account=${account} @vc-changed=${this.#load}></vc-account-factors>
      <vc-account-recovery .left=${account.recovery_codes} @vc-changed=${this.#load}></vc-account-recovery>
      <section class="sheet" aria-labelledby="sessions">
        <h2 id="sessions">${icons.people} Signed in now</h2>
        <p class="lead">Each ends by itself after twelve hours without use, and thirty days after signing in.</p>
        <ul class="rows">${account.sessions.map((session) => this.#session(session))}</ul>
      </section>
      <section class="sheet" aria-labelledby="receipts">
        <h2 id="receipts">${icons.check} What you agreed to</h2>
        <p class="lead">What you were asked at events while you were signed in, and what you chose, with a receipt of each.</p>
        <div class="actions"><a class="button quiet" href="/account/receipts">Your receipts</a></div>
      </section>
      <section class="sheet" aria-labelledby="activity">
        <h2 id="activity">${icons.hourglass} What happened</h2>
        <p class="lead">The last ninety days. From which place or device is not kept.</p>
        <ul class="rows">${this.activity.map((entry) => this.#entry(entry))}</ul>
      </section>`;
  }

  /** After somebody else was thrown out, what they came in with has to go. */
  #advice(): TemplateResult | typeof nothing {
    const changed = this.activity.findIndex(
      ({ kind }) => kind === 'factor-added' || kind === 'factor-replaced',
    );
    const thrown = this.activity.findIndex(({ kind }) => kind === 'not-me');
    if (thrown < 0 || (changed >= 0 && changed < thrown)) return nothing;
    const label = this.activity[thrown]?.label ?? '';
    return html`<p class="notice danger" role="status">
      ${icons.alert}<strong>Somebody else was in your account${label === '' ? '' : `: “${label}”`}.</strong>
      <span>Add a new way to sign in, then remove what they may have, or change the password.</span>
    </p>`;
  }

  #session(session: AccountSession): TemplateResult {
    const since = `since ${moment(session.opened)}`;
    return html`<li class="row">
      <div class="what">
        <strong class="name">${session.label}</strong>
        <p class="meta">${session.current ? html`<span class="badge">This one</span>` : nothing} ${since}</p>
      </div>
      ${
        session.current
          ? nothing
          : html`<div class="actions">
              <button
                type="button"
                class="button danger small"
                aria-label="End the sign-in with ${session.label}, ${since}"
                ?disabled=${this.busy}
                @click=${() => this.#act(() => account.endSession(session.id))}
              >
                End
              </button>
            </div>`
      }
    </li>`;
  }

  #entry(entry: AccountActivity): TemplateResult {
    const [words, at] = [activityWords(entry), moment(entry.at)];
    return html`<li class="row">
      <div class="what">
        <span class="name">${words}</span>
        <p class="meta">${at}</p>
      </div>
      ${
        entry.kind === 'not-me'
          ? nothing
          : html`<div class="actions">
              <button
                type="button"
                class="button danger small"
                aria-label="This was not me: ${words}, ${at}"
                ?disabled=${this.busy}
                @click=${() => this.#notMe(entry)}
              >
                This was not me
              </button>
            </div>`
      }
    </li>`;
  }

  /** Everybody is signed out by that, this page too. */
  async #notMe({ id }: AccountActivity): Promise<void> {
    const done = await this.attempt(() => account.wasNotMe(id));
    if (!done) return;
    await forgetOperator();
    this.account = null;
    await this.#load();
  }

  async #act(work: () => Promise<void>): Promise<void> {
    await this.attempt(work);
    await this.#load();
  }

  async #signOut(): Promise<void> {
    if (!(await this.attempt(() => api.signOut()))) return;
    await forgetOperator();
    navigate('/');
  }

  async #load(): Promise<void> {
    try {
      const [shown, activity] = [await account.show(), await account.activity()];
      this.account = shown;
      this.activity = activity;
    } catch (thrown) {
      await this.attempt(() => Promise.reject(thrown));
    }
  }
}

customElements.define('vc-account', AccountPage);
