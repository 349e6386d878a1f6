import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { type ChatReaction, MAX_CHAT_NAME, MAX_CHAT_TEXT, type Role } from '../protocol/index.js';
import type { Chat, ChatLine } from '../sdk/chat.js';
import type { Cancel } from '../sdk/clock.js';
import type { Consents } from '../sdk/consents.js';
import type { Whereabouts } from '../sdk/whereabouts.js';
import { type Act, chatLine } from './chat-line.js';
import { chatStyles } from './chat-styles.js';
import { controls, theme } from './theme.js';

/** Whoever takes part is told this before they write for the first time. */
export const BEFORE_THE_FIRST =
  'You can take back what you write, and it goes from every screen that runs our player; a photograph, or a program made to keep it, keeps what it saw.';

const PACES: readonly (readonly [number, string])[] = [
  [0, 'No slow mode'],
  [5, 'One message in 5 s'],
  [30, 'One message in 30 s'],
  [120, 'One message in 2 min'],
];

/** What a panel shows: somebody's place in an event. */
export interface Talk {
  chat: Chat;
  consents: Consents;
  /** Where people are who show it. */
  whereabouts: Whereabouts;
}

/**
 * The chat of an event. The properties `talk` (`chat` and `consents` of a viewer or broadcaster) and `authority` say whose. Nothing is
 * asked before the person opens it, and nothing is shown before they have agreed.
 */
export class VeilcastChat extends LitElement {
  static override properties = {
    talk: { attribute: false },
    authority: { attribute: false },
    open: { state: true },
    answering: { state: true },
    wrong: { state: true },
    muted: { state: true },
  };

  declare talk: Talk | null;
  declare authority: Role | null;
  /** The message whose actions are shown. */
  declare open: string | null;
  /** The message that is answered. */
  declare answering: string | null;
  declare wrong: string;
  /** Whom this person has muted here, the last at the end: by what is no name, since theirs goes with what they wrote. */
  declare muted: readonly string[];

  #unsubscribe: Cancel[] = [];
  #mine = new Set<string>();
  /** What is on its way, to be put back if it is refused. */
  #sent = '';
  #atEnd = true;
  /** Asked to be listed. */
  #listing = false;

  constructor() {
    super();
    this.talk = null;
    this.authority = null;
    this.open = null;
    this.answering = null;
    this.wrong = '';
    this.muted = [];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#drop();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('talk')) this.#follow();
    const log = this.renderRoot?.querySelector('.log');
    this.#atEnd = log == null || log.scrollHeight - log.scrollTop - log.clientHeight < 48;
  }

  protected override updated(): void {
    const log = this.renderRoot.querySelector('.log');
    if (log !== null && this.#atEnd) log.scrollTop = log.scrollHeight;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.talk === null || this.talk.consents.standing('chat') === 'left-out') return nothing;
    const { state, over } = this.talk.chat;
    if (over && state === 'closed') return nothing;
    return html`<section aria-labelledby="chat">
      <header>
        <h2 id="chat">Chat</h2>
        ${state === 'closed' || over ? nothing : this.#leave()}
      </header>
      ${state === 'closed' ? this.#invitation() : this.#inside(this.talk.chat)}
    </section>`;
  }

  #leave(): TemplateResult {
    return html`<button type="button" class="small" @click=${() => this.talk?.consents.withdraw('chat')}>
      Leave and clear what I wrote
    </button>`;
  }

  #invitation(): TemplateResult {
    return html`<div class="invitation">
      <p>Take part under a name that you choose for this event. Watching needs none of this.</p>
      <button type="button" class="button" @click=${() => this.talk?.consents.request('chat')}>Open the chat</button>
    </div>`;
  }

  #inside(chat: Chat): TemplateResult {
    if (chat.over) return html`${this.#pinned(chat)} ${this.#log(chat)} ${this.#afterwards(chat)}`;
    return html`${this.#pinned(chat)} ${this.#log(chat)} ${this.#composer(chat)} ${this.#foot(chat)}`;
  }

  /** The server has forgotten all of it, and this screen will. */
  #afterwards(chat: Chat): TemplateResult {
    return html`<div class="foot soft">
      <span>The event is over. This goes from your screen in ten minutes; the server has forgotten it.</span>
      <button type="button" class="small" @click=${() => chat.stop()}>Clear it now</button>
    </div>`;
  }

  #pinned(chat: Chat): TemplateResult | typeof nothing {
    const line = chat.pinned;
    if (line === null) return nothing;
    return html`<div class="pinned">
      <p class="soft">Pinned</p>
      <span class="text"><bdi class="name">${line.name}</bdi>: ${line.text}</span>
      ${this.#keeps && !chat.over ? html`<button type="button" class="small" @click=${() => chat.pin(null)}>Take down</button>` : nothing}
    </div>`;
  }

  #log(chat: Chat): TemplateResult {
    const { lines } = chat;
    const empty = chat.state === 'open' ? 'Nobody has written anything yet.' : 'Catching up…';
    const on = {
      toggle: (id: string) => {
        this.open = this.open === id ? null : id;
      },
      act: (act: Act, line: ChatLine) => this.#act(chat, act, line),
      react: (line: ChatLine, reaction: ChatReaction) => this.#react(chat, line, reaction),
    };
    const may = (line: ChatLine) => ({
      own: line.author === chat.own?.author,
      keeps: this.#keeps,
      bans: this.authority === 'moderator',
      anything: !chat.over,
    });
    return html`<div class="log" role="log" aria-label="Messages" tabindex="0">
      ${lines.length === 0 ? html`<p class="none">${empty}</p>` : nothing}
      <ul>${repeat(
        lines,
        ({ id }) => id,
        (line) => chatLine(line, chat.line(line.reply), this.open === line.id, may(line), this.#mine, on),
      )}</ul>
    </div>`;
  }

  #composer(chat: Chat): TemplateResult {
    const answered = chat.line(this.answering);
    return html`<form @submit=${(event: SubmitEvent) => this.#submit(event, chat)}>
      ${chat.own === null ? this.#firstWords() : nothing}
      ${
        answered === null
          ? nothing
          : html`<p class="quote">
              Reply to <bdi>${answered.name}</bdi>
              <button type="button" class="small" @click=${() => this.#answer(null)}>Do not reply</button>
            </p>`
      }
      <div class="row">
        <label>
          <span class="unseen">Message</span>
          <input
            name="text"
            maxlength=${MAX_CHAT_TEXT}
            autocomplete="off"
            enterkeyhint="send"
            placeholder="Write a message"
            dir="auto"
          />
        </label>
        <button class="button">Send</button>
      </div>
      ${chat.slow === 0 ? nothing : html`<p class="soft">Slow mode: one message in ${chat.slow} s.</p>`}
      <p class="wrong" role="status">${this.wrong}</p>
    </form>`;
  }

  #firstWords(): TemplateResult {
    return html`<label>
        <span class="soft">Your name in this event; without one you are a guest with a number</span>
        <input name="name" maxlength=${MAX_CHAT_NAME} autocomplete="off" dir="auto" />
      </label>
      <p class="soft">${BEFORE_THE_FIRST}</p>`;
  }

  #foot(chat: Chat): TemplateResult {
    const { consents } = this.talk ?? {};
    const listed = consents?.standing('presence') === 'granted';
    return html`<div class="foot soft">
      ${
        listed
          ? html`<span>Listed: ${chat.listed.length === 0 ? (chat.own === null ? 'once you have a name' : 'in half a minute') : chat.listed.map(({ name }, at) => html`${at === 0 ? '' : ', '}<bdi>${name}</bdi>`)}</span>
              <button type="button" class="small" @click=${() => consents?.withdraw('presence')}>Take me off the list</button>`
          : html`<span>Your name is on no list.</span>
              <button type="button" class="small" @click=${() => consents?.request('presence')}>List me by name</button>`
      }
      ${this.#keeps ? this.#paces(chat) : nothing} ${this.#keeps && this.muted.length > 0 ? this.#unmute(chat) : nothing}
    </div>`;
  }

  /** A wrong press is mended; what the muting took away stays away. */
  #unmute(chat: Chat): TemplateResult {
    const last = this.muted.at(-1);
    const undo = (): void => {
      this.muted = this.muted.slice(0, -1);
      if (last !== undefined) chat.mute(last, false);
    };
    return html`<span>${this.muted.length === 1 ? 'You muted one person.' : `You muted ${this.muted.length} people.`}</span>
      <button type="button" class="small" @click=${undo}>Let the last one write again</button>`;
  }

  #paces(chat: Chat): TemplateResult {
    const slow = (event: Event): void => {
      if (event.target instanceof HTMLSelectElement) chat.slowDown(Number(event.target.value));
    };
    return html`<select aria-label="Slow mode" @change=${slow}>
      ${PACES.map(([seconds, words]) => html`<option value=${seconds} ?selected=${chat.slow === seconds}>${words}</option>`)}
    </select>`;
  }

  get #keeps(): boolean {
    return this.authority === 'moderator' || this.authority === 'broadcaster';
  }

  #act(chat: Chat, act: Act, line: ChatLine): void {
    this.open = null;
    this.wrong = '';
    if (act === 'reply') this.#answer(line.id);
    else if (act === 'delete') chat.delete(line.id);
    else if (act === 'remove') chat.remove(line.id);
    else if (act === 'mute') this.#mute(chat, line.author);
    else if (act === 'pin') chat.pin(line.id);
    else chat.ban(line.author);
  }

  #mute(chat: Chat, author: string): void {
    chat.mute(author);
    this.muted = [...this.muted.filter((other) => other !== author), author];
  }

  #react(chat: Chat, line: ChatLine, reaction: ChatReaction): void {
    const key = `${line.id} ${reaction}`;
    const on = !this.#mine.has(key);
    if (on) this.#mine.add(key);
    else this.#mine.delete(key);
    chat.react(line.id, reaction, on);
    this.requestUpdate();
  }

  #answer(id: string | null): void {
    this.answering = id;
    this.#field('text')?.focus();
  }

  #submit(event: SubmitEvent, chat: Chat): void {
    event.preventDefault();
    const text = this.#field('text');
    const name = this.#field('name')?.value.trim() ?? '';
    if (text === null || text.value.trim() === '') return;
    this.wrong = '';
    if (name !== '') chat.name(name);
    this.#sent = text.value;
    chat.say(text.value, this.answering);
    text.value = '';
    this.answering = null;
  }

  #field(name: string): HTMLInputElement | null {
    return this.renderRoot.querySelector<HTMLInputElement>(`input[name=${name}]`);
  }

  #follow(): void {
    this.#drop();
    if (this.talk === null) return;
    const { chat, consents } = this.talk;
    this.#unsubscribe = [
      chat.on('change', () => this.#changed(chat)),
      chat.on('refused', (error) => {
        this.wrong = `${error.title} ${error.remedy}`;
        if (error.code === 'not-removable') this.muted = this.muted.slice(0, -1);
        const text = this.#field('text');
        if (text !== null && text.value === '') text.value = this.#sent;
        this.#sent = '';
      }),
      consents.on('change', () => this.#changed(chat)),
    ];
  }

  #changed(chat: Chat): void {
    if (chat.state === 'closed') {
      this.#mine.clear();
      this.#sent = '';
      this.answering = null;
      this.wrong = '';
      this.muted = [];
    }
    this.#list(chat);
    this.requestUpdate();
  }

  /** Once there is a name to be listed by. */
  #list(chat: Chat): void {
    const granted = this.talk?.consents.standing('presence') === 'granted';
    if (granted && !this.#listing && chat.own !== null) chat.listMe(chat.own.name);
    this.#listing = granted && chat.own !== null;
  }

  #drop(): void {
    for (const cancel of this.#unsubscribe) cancel();
    this.#unsubscribe = [];
  }

  static override styles = [theme, controls, chatStyles];
}

customElements.define('veilcast-chat', VeilcastChat);
