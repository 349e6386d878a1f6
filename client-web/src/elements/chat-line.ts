import { html, nothing, type TemplateResult } from 'lit';
import type { ChatReaction, ChatRole } from '../protocol/index.js';
import { type ChatLine, REACTIONS } from '../sdk/chat.js';

/** What somebody may do to a message. */
export interface LineActs {
  own: boolean;
  /** Removes, mutes and pins. */
  keeps: boolean;
  /** Bans, too. */
  bans: boolean;
  /** Before the event is over. */
  anything: boolean;
}

/** What was asked of one message. */
export type Act = 'reply' | 'delete' | 'remove' | 'mute' | 'pin' | 'ban';

export interface LineHandlers {
  toggle(id: string): void;
  act(act: Act, line: ChatLine): void;
  react(line: ChatLine, reaction: ChatReaction): void;
}

const FACES: Record<ChatReaction, readonly [string, string]> = {
  like: ['👍', 'Thumbs up'],
  love: ['❤️', 'Heart'],
  laugh: ['😂', 'Laughing'],
  wow: ['😮', 'Astonished'],
  sad: ['😢', 'Sad'],
  applause: ['👏', 'Applause'],
};

const ROLES: Record<ChatRole, string | null> = { viewer: null, host: 'Host', moderator: 'Moderator' };

/** One message: its text is text, whatever is in it. */
export function chatLine(
  line: ChatLine,
  quoted: ChatLine | null,
  open: boolean,
  may: LineActs,
  mine: ReadonlySet<string>,
  on: LineHandlers,
): TemplateResult {
  const role = ROLES[line.role];
  return html`<li class="line ${may.own ? 'own' : ''}" data-id=${line.id}>
    ${
      line.reply === null
        ? nothing
        : html`<p class="quote">
            ${quoted === null ? 'In reply to a message that is not here' : html`<bdi>${quoted.name}</bdi>: <bdi>${quoted.text}</bdi>`}
          </p>`
    }
    <div class="by">
      <bdi class="name">${line.name}</bdi>
      ${role === null ? nothing : html`<span class="role">${role}</span>`}
      ${may.own ? html`<span class="soft">You</span>` : nothing}
      ${may.anything ? more(line, open, on) : nothing}
    </div>
    <span class="text">${line.text}</span>
    ${line.sums.length === 0 || !may.anything ? nothing : chips(line, mine, on)}
    ${open && may.anything ? acts(line, may, mine, on) : nothing}
  </li>`;
}

function more(line: ChatLine, open: boolean, on: LineHandlers): TemplateResult {
  return html`<button
    type="button"
    class="small more"
    aria-expanded=${open ? 'true' : 'false'}
    aria-label=${`What to do with the message of ${line.name}`}
    @click=${() => on.toggle(line.id)}
  >
    ⋯
  </button>`;
}

function chips(line: ChatLine, mine: ReadonlySet<string>, on: LineHandlers): TemplateResult {
  return html`<div class="chips">
    ${line.sums.map(({ reaction, count }) => face(line, reaction, `${count}`, mine, on))}
  </div>`;
}

function face(
  line: ChatLine,
  reaction: ChatReaction,
  count: string,
  mine: ReadonlySet<string>,
  on: LineHandlers,
): TemplateResult {
  const [sign, name] = FACES[reaction];
  return html`<button
    type="button"
    class="small"
    aria-pressed=${mine.has(`${line.id} ${reaction}`) ? 'true' : 'false'}
    aria-label=${count === '' ? name : `${name}, ${count}`}
    @click=${() => on.react(line, reaction)}
  >
    <span aria-hidden="true">${sign}${count === '' ? '' : ` ${count}`}</span>
  </button>`;
}

function acts(line: ChatLine, may: LineActs, mine: ReadonlySet<string>, on: LineHandlers): TemplateResult {
  const button = (act: Act, words: string, danger = false): TemplateResult =>
    html`<button type="button" class="small ${danger ? 'danger' : ''}" @click=${() => on.act(act, line)}>${words}</button>`;
  const others = may.keeps && !may.own;
  return html`<div class="acts">
    ${REACTIONS.map((reaction) => face(line, reaction, '', mine, on))} ${button('reply', 'Reply')}
    ${may.own ? button('delete', 'Delete', true) : nothing} ${may.keeps ? button('pin', 'Pin') : nothing}
    ${others ? html`${button('remove', 'Remove', true)} ${button('mute', 'Mute', true)}` : nothing}
    ${may.bans && !may.own ? button('ban', 'Ban from the event', true) : nothing}
  </div>`;
}
