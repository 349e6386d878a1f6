import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icons } from '../elements/icons.js';
import type { Access } from '../sdk/access.js';
import { Door, type DoorState } from '../sdk/door.js';
import type { VeilcastError } from '../sdk/errors.js';
import { text } from './form.js';
import { Panel } from './panel.js';

/** Before an event whose host lets people in: asks, waits, and fires `vc-let-in`. */
class AtTheDoor extends Panel {
  static override properties = {
    event: { attribute: false },
    access: { attribute: false },
    member: { type: Boolean },
    state: { state: true },
  };

  declare event: string;
  declare access: Access | null;
  /** Whoever asks is signed in. */
  declare member: boolean;
  declare state: DoorState;
  #door: Door | null = null;

  constructor() {
    super();
    this.event = '';
    this.access = null;
    this.member = false;
    this.state = 'idle';
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#door?.stop();
  }

  /** What is read next stands where the person's eyes and a screen reader are. */
  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('state') && changed.get('state') !== undefined && this.state !== 'asking') {
      this.querySelector<HTMLElement>('h1')?.focus();
    }
  }

  protected override render(): TemplateResult {
    return html`<section class="sheet" aria-labelledby="door">${this.#part()}</section>`;
  }

  #part(): TemplateResult {
    switch (this.state) {
      case 'waiting':
        return this.#waiting();
      case 'refused':
        return this.#refused();
      case 'ended':
        return html`<h1 id="door" tabindex="-1">This event has ended</h1>
          <p class="lead">Ask the organiser whether there will be another.</p>`;
      default:
        return this.#question();
    }
  }

  #question(): TemplateResult {
    const asking = this.state === 'asking';
    return html`<h1 id="door" tabindex="-1">Ask to come in</h1>
      <p class="lead">The host of this event lets people in one by one.</p>
      <form class="fields" @submit=${this.#ask}>
        <label>
          What the host may call you, if you like
          <input name="name" maxlength="32" autocomplete="off" spellcheck="false" ?disabled=${asking} aria-describedby="door-name" />
          <small id="door-name" class="hint">For this event only. It is forgotten when the host has decided.</small>
        </label>
        <div class="actions">
          <button class="button" ?disabled=${asking}>${asking ? 'Asking…' : 'Ask to come in'}</button>
        </div>
      </form>
      ${this.#assurance()}`;
  }

  #waiting(): TemplateResult {
    return html`<h1 id="door" tabindex="-1">The host has been asked</h1>
      <p class="loading" role="status">
        <span class="dots" aria-hidden="true"></span>Keep this page open. You are let in here as soon as they say yes.
      </p>
      <div class="actions">
        <button type="button" class="button quiet" @click=${this.#giveUp}>Stop asking</button>
      </div>
      ${this.#assurance()}`;
  }

  #refused(): TemplateResult {
    const { error } = this;
    const final = error?.code === 'turned-away' || error?.code === 'banned';
    return html`<h1 id="door" tabindex="-1">${error?.title ?? 'You were not let in.'}</h1>
      <p class="lead">${error?.fault?.detail ?? error?.remedy ?? nothing}</p>
      ${
        final
          ? html`<p class="onward"><a href="/">See other events</a></p>`
          : html`<div class="actions"><button type="button" class="button" @click=${this.#again}>Ask again</button></div>`
      }`;
  }

  #assurance(): TemplateResult {
    return html`<p class="assurance">
      ${icons.lock}
      <span>
        ${
          this.member
            ? 'They see a number, what you call yourself here, and that you have an account: not which.'
            : 'They see a number and what you call yourself here: no address, no device.'
        }
        <a href="/privacy">What this server knows</a>
      </span>
    </p>`;
  }

  #ask(submit: SubmitEvent): void {
    submit.preventDefault();
    const { access } = this;
    if (access === null) return;
    this.error = null;
    const options = { url: location.origin, event: this.event, access, name: text(submit, 'name') };
    const door = new Door(options);
    this.#door?.stop();
    this.#door = door;
    door.on('error', (error: VeilcastError) => {
      this.error = error;
    });
    door.on('state', (state) => {
      if (this.#door !== door) return;
      this.state = state;
      if (state === 'let-in') this.dispatchEvent(new CustomEvent('vc-let-in'));
    });
    door.start();
  }

  #giveUp(): void {
    this.#door?.stop();
    this.#again();
  }

  #again(): void {
    this.#door = null;
    this.error = null;
    this.state = 'idle';
  }
}

customElements.define('vc-door', AtTheDoor);
