import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../../elements/icons.js';
import type { Admission, EventSummary, Latency, SignInProvider } from '../../protocol/index.js';
import { api } from '../api.js';
import { checked, text } from '../form.js';
import '../new-sign-in.js';
import { Page } from '../page.js';
import { access, begins, broadcasterChoices, errorNotice, loading, stateBadge } from '../parts.js';
import { navigate } from '../router.js';
import '../share.js';

class Studio extends Page {
  static override properties = {
    events: { state: true },
    providers: { state: true },
    creating: { state: true },
  };

  declare events: EventSummary[] | null;
  /** Where viewers may sign in. */
  declare providers: readonly SignInProvider[];
  declare creating: boolean;

  constructor() {
    super();
    this.events = null;
    this.providers = [];
    this.creating = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.attempt(async () => {
      const [events, { providers }] = await Promise.all([api.events(), api.instance()]);
      this.events = events;
      this.providers = providers;
    });
  }

  protected override render(): TemplateResult {
    const open = this.events?.filter((event) => event.state !== 'ended') ?? [];
    const ended = this.events?.filter((event) => event.state === 'ended') ?? [];
    const first = this.events !== null && this.events.length === 0;
    return html`<div class="frame">
      <div class="title-row">
        <h1>Studio</h1>
        <div class="actions">
          <a class="button quiet" href="/account">Account</a>
          ${
            this.events !== null && !first && !this.creating
              ? html`<a class="button quiet" href="/operator">Operator</a>
                  <button class="button" @click=${this.#create}>${icons.plus} New event</button>`
              : nothing
          }
        </div>
      </div>
      <vc-new-sign-in></vc-new-sign-in>
      ${errorNotice(this.error)}
      ${this.events === null && this.error === null ? loading('Getting your events…') : nothing}
      ${this.creating || first ? this.#form(first) : nothing}
      ${open.length === 0 ? nothing : html`<ul class="rows">${open.map((event) => this.#row(event))}</ul>`}
      ${
        ended.length === 0
          ? nothing
          : html`<details class="past">
              <summary>Ended (${ended.length})</summary>
              <ul class="rows">${ended.map((event) => this.#row(event))}</ul>
            </details>`
      }
    </div>`;
  }

  #row(event: EventSummary): TemplateResult {
    return html`<li class="row">
      <div class="what">
        <strong class="name">${event.title}</strong>
        <p class="meta">${stateBadge(event.state)} ${begins(event)} ${access(event)}</p>
      </div>
      ${
        event.state === 'ended'
          ? nothing
          : html`<div class="actions">
              <vc-share .event=${event}></vc-share>
              <a class="button small" href="/studio/${event.id}" aria-label="Open ${event.title}">Open</a>
            </div>`
      }
    </li>`;
  }

  #form(first: boolean): TemplateResult {
    return html`<form class="sheet event-form" @submit=${this.#submit}>
      <h2>${first ? 'Your first event' : 'New event'}</h2>
      <label>Title <input name="title" maxlength="120" required placeholder="What is it about?" /></label>
      <fieldset>
        <legend>Who may watch</legend>
        <label class="check">
          <input type="radio" name="admission" value="public" checked />
          <span>Anyone with the link<small>No account, no sign-in.</small></span>
        </label>
        <label class="check">
          <input type="radio" name="admission" value="approval" />
          <span>Whom you let in<small>Anyone with the link can ask. You or a moderator says yes or no to each.</small></span>
        </label>
        ${this.providers.length === 0 ? nothing : this.#signIn()}
        <label class="check">
          <input type="radio" name="admission" value="invitation" />
          <span>By invitation<small>Each of your invitations lets one person in.</small></span>
        </label>
      </fieldset>
      <fieldset>
        <legend class="unseen">The home page</legend>
        <label class="check">
          <input type="checkbox" name="listed" />
          <span>Show it on the home page<small>Its title is visible to everyone who opens this server.</small></span>
        </label>
      </fieldset>
      <fieldset>
        <legend class="unseen">Questions</legend>
        <label class="check">
          <input type="checkbox" name="silent" />
          <span>Ask people for nothing<small>No chat, no names, no locations: they only watch. It cannot be changed later.</small></span>
        </label>
      </fieldset>
      <label>
        When it begins
        <input type="datetime-local" name="starts" aria-describedby="starts-hint" />
        <small id="starts-hint" class="hint">Shown to your viewers beforehand. You may leave it open, and begin when you like.</small>
      </label>
      <label>
        Who may broadcast at once
        <select name="broadcasters">
          ${broadcasterChoices(1)}
        </select>
      </label>
      <fieldset>
        <legend>How soon viewers see you</legend>
        <label class="check">
          <input type="radio" name="latency" value="interactive" checked />
          <span>Conversation<small>As soon as possible, to talk with them. Bad networks are noticed more.</small></span>
        </label>
        <label class="check">
          <input type="radio" name="latency" value="balanced" />
          <span>Smoother<small>Up to a second later, with fewer interruptions on bad networks.</small></span>
        </label>
      </fieldset>
      <div class="actions">
        <button class="button" ?disabled=${this.busy}>Create event</button>
        ${
          first
            ? nothing
            : html`<button
                type="button"
                class="button quiet"
                @click=${() => {
                  this.creating = false;
                }}
              >
                Cancel
              </button>`
        }
      </div>
    </form>`;
  }

  #signIn(): TemplateResult {
    const where = new Intl.ListFormat('en', { type: 'disjunction' }).format(
      this.providers.map(({ name }) => name),
    );
    return html`<label class="check">
      <input type="radio" name="admission" value="sign-in" />
      <span>Whoever signs in<small>With ${where}. You see how many watch, not who.</small></span>
    </label>`;
  }

  async #create(): Promise<void> {
    this.creating = true;
    await this.updateComplete;
    this.querySelector<HTMLInputElement>('[name=title]')?.focus();
  }

  async #submit(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    const starts = Date.parse(text(submit, 'starts'));
    const event = {
      title: text(submit, 'title').trim(),
      admission: admission(submit),
      listed: checked(submit, 'listed'),
      broadcasters: Number(text(submit, 'broadcasters')),
      latency: latency(submit),
      ...(checked(submit, 'silent') && { asks_nothing: true }),
      ...(Number.isNaN(starts) ? {} : { starts_at: Math.floor(starts / 1_000) }),
    };
    await this.attempt(async () => {
      const { id } = await api.createEvent(event);
      navigate(`/studio/${id}`);
    });
  }
}

function admission(submit: SubmitEvent): Admission {
  const chosen = text(submit, 'admission');
  return chosen === 'public' || chosen === 'approval' || chosen === 'sign-in' ? chosen : 'invitation';
}

function latency(submit: SubmitEvent): Latency {
  return text(submit, 'latency') === 'balanced' ? 'balanced' : 'interactive';
}

customElements.define('vc-studio', Studio);
