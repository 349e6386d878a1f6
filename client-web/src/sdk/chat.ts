import type {
  ChatListed,
  ChatMessage,
  ChatNews,
  ChatReaction,
  ChatSelf,
  ChatSum,
  ChatVerb,
  ClientMessage,
} from '../protocol/index.js';
import type { Cancel, Clock } from './clock.js';
import type { Consents } from './consents.js';
import { VeilcastError } from './errors.js';
import { TypedTarget } from './events.js';
import type { Lookout } from './lookout.js';
import type { Incoming } from './parse.js';

export interface ChatEvents {
  /** Something is to be drawn anew. */
  change: null;
  /** The last thing that was asked for was refused. */
  refused: VeilcastError;
}

/** A message as it is on the screen. */
export interface ChatLine extends ChatMessage {
  readonly sums: readonly ChatSum[];
}

/**
 * `closed`: the person takes no part, or not yet. `catching-up`: something may have been taken back meanwhile, and nothing is shown
 * before that is known. `open`: what is shown is what there is.
 */
export type ChatState = 'closed' | 'catching-up' | 'open';

/** The reactions that there are, in the order in which they are shown. */
export const REACTIONS: readonly ChatReaction[] = ['like', 'love', 'laugh', 'wow', 'sad', 'applause'];

/** As many as the server keeps. */
const MOST = 200;
/** The longest that any of it stays. */
const LONGEST_MS = 4 * 3_600_000;
/** And after the event. */
const AFTER_MS = 10 * 60_000;
/** Whoever takes part is told within this time after coming back. */
const CATCH_UP_MS = 5_000;
/** How often it is looked whether something is too old. */
const BEAT_MS = 1_000;

/**
 * An event's chat, for who has agreed to it (`consents.request('chat')`).
 *
 * It holds what may be shown and nothing else: a message goes as soon as its author takes it back, leaves the chat or is put out. While
 * the page is hidden, asleep or cut off ({@link Lookout}) it shows nothing, and again only when it has caught up.
 */
export class Chat extends TypedTarget<ChatEvents> {
  #part: 'none' | 'waits' | 'told' = 'none';
  #lines = new Map<string, { line: ChatLine; since: number }>();
  /** Told to go before they came. */
  #removed = new Set<string>();
  #pinned: string | null = null;
  #slow = 0;
  #own: ChatSelf | null = null;
  #listed: readonly ChatListed[] = [];
  #over = false;
  #beat: Cancel = () => {};
  #late: Cancel = () => {};

  constructor(
    private readonly send: (message: ClientMessage) => void,
    private readonly consents: Consents,
    private readonly lookout: Lookout,
    private readonly clock: Clock,
  ) {
    super();
    lookout.watch(() => this.#part !== 'none' || this.#listed.length > 0);
    lookout.on('change', () => this.emit('change', null));
    consents.on('change', () => this.#consentChanged());
    consents.on('retracted', ({ purpose, generation }) => this.#retracted(purpose, generation));
  }

  get state(): ChatState {
    if (this.#part === 'none') return 'closed';
    return this.#part === 'told' && this.lookout.clear ? 'open' : 'catching-up';
  }

  /** Oldest first; empty while there may be too much in it. */
  get lines(): readonly ChatLine[] {
    return this.state === 'open' ? [...this.#lines.values()].map(({ line }) => line) : [];
  }

  /** A message that is there. */
  line(id: string | null): ChatLine | null {
    return this.state === 'open' && id !== null ? (this.#lines.get(id)?.line ?? null) : null;
  }

  get pinned(): ChatLine | null {
    return this.line(this.#pinned);
  }

  /** Seconds between two messages of one person; 0: no more than within reason. */
  get slow(): number {
    return this.#slow;
  }

  /** What this person goes by, once they have said something or chosen a name. */
  get own(): ChatSelf | null {
    return this.#own;
  }

  /** Who is here and listed by name, for who is, too. */
  get listed(): readonly ChatListed[] {
    return this.lookout.clear ? this.#listed : [];
  }

  say(text: string, reply: string | null = null): void {
    this.#act({ verb: 'say', text, reply });
  }

  /** Chooses a name for this event. */
  name(name: string): void {
    this.#act({ verb: 'name', name });
  }

  delete(message: string): void {
    this.#act({ verb: 'delete', message });
  }

  react(message: string, reaction: ChatReaction, on: boolean): void {
    this.#act({ verb: 'react', message, reaction, on });
  }

  /** Is listed by name from the next tick on; needs the consent to `presence`. */
  listMe(name: string): void {
    this.#act({ verb: 'list-me', name });
  }

  remove(message: string): void {
    this.#act({ verb: 'remove', message });
  }

  mute(author: string, on = true): void {
    this.#act({ verb: 'mute', author, on });
  }

  pin(message: string | null): void {
    this.#act({ verb: 'pin', message });
  }

  slowDown(seconds: number): void {
    this.#act({ verb: 'slow', seconds });
  }

  ban(author: string): void {
    this.#act({ verb: 'ban', author });
  }

  /** A connection has begun: whatever was shown may have been taken back meanwhile. */
  reconnected(): void {
    this.#clear();
    this.#removed.clear();
    if (this.#part === 'none') return;
    this.#enter('waits');
    this.#late();
    // Nobody who takes part is told nothing: this server does not know of it any more.
    this.#late = this.clock.after(CATCH_UP_MS, () => this.#close());
  }

  /** The event is over: nobody can join, say or take back anything any more. */
  get over(): boolean {
    return this.#over;
  }

  /** The event is over: what is on the screen goes a little later; what may have been taken back meanwhile does not come again. */
  ended(): void {
    this.#over = true;
    this.#beat();
    if (this.state === 'open') this.#beat = this.clock.after(AFTER_MS, () => this.#close());
    else this.#close();
    this.emit('change', null);
  }

  stop(): void {
    this.#close();
  }

  /** Takes a message of the server; false: it is not about the chat. */
  take(message: Incoming): boolean {
    if (message.type === 'chat') this.#hear(message);
    else if (message.type === 'fault' && isAside(message.fault.code)) {
      this.emit('refused', VeilcastError.refused(message.fault));
    } else return false;
    return true;
  }

  #act(verb: ChatVerb): void {
    this.send({ type: 'chat', ...verb });
  }

  #hear(news: ChatNews): void {
    switch (news.news) {
      case 'begin':
        this.#clear();
        this.#enter('waits');
        this.#late();
        this.#age();
        break;
      case 'message':
        this.#add(news);
        break;
      case 'removed':
        this.#remove(news.messages);
        break;
      case 'sums':
        this.#sum(news.message, news.sums);
        break;
      case 'board':
        this.#pinned = news.pinned;
        this.#slow = news.slow;
        break;
      case 'own':
        this.#own = { author: news.author, name: news.name };
        break;
      case 'listed':
        this.#listed = news.people.filter(
          ({ generation }) => !this.consents.hasEnded('presence', generation),
        );
        break;
      case 'end':
        if (this.#part === 'waits') this.#enter('told');
    }
    this.emit('change', null);
  }

  #add({ id, author, role, name, generation, text, reply }: ChatMessage): void {
    if (this.#removed.has(id) || this.consents.hasEnded('chat', generation)) return;
    const line = { id, author, role, name, generation, text, reply, sums: [] };
    this.#lines.set(id, { line, since: this.clock.now() });
    for (const oldest of this.#lines.keys()) {
      if (this.#lines.size <= MOST) break;
      if (oldest !== this.#pinned) this.#lines.delete(oldest);
    }
  }

  #remove(messages: readonly string[]): void {
    for (const id of messages) {
      this.#removed.add(id);
      this.#lines.delete(id);
    }
  }

  #sum(id: string, sums: readonly ChatSum[]): void {
    const entry = this.#lines.get(id);
    if (entry !== undefined) this.#lines.set(id, { ...entry, line: { ...entry.line, sums } });
  }

  #retracted(purpose: string, generation: number): void {
    if (purpose === 'presence')
      this.#listed = this.#listed.filter((listed) => listed.generation !== generation);
    if (purpose === 'chat') {
      for (const [id, { line }] of this.#lines) if (line.generation === generation) this.#lines.delete(id);
    }
    this.emit('change', null);
  }

  #consentChanged(): void {
    if (this.consents.standing('chat') !== 'granted') this.#close();
    if (this.consents.standing('presence') !== 'granted') this.#listed = [];
    this.emit('change', null);
  }

  /** Nothing stays longer than the server would keep it. */
  #age(): void {
    this.#beat();
    this.#beat = this.clock.after(BEAT_MS, () => {
      this.#expire(this.clock.now());
      this.#age();
    });
  }

  #expire(now: number): void {
    for (const [id, { since }] of this.#lines) {
      if (now - since < LONGEST_MS) break;
      this.#lines.delete(id);
      this.emit('change', null);
    }
  }

  #clear(): void {
    this.#lines.clear();
    this.#pinned = null;
    this.#slow = 0;
    this.#own = null;
    this.#listed = [];
  }

  #close(): void {
    this.#beat();
    this.#late();
    this.#clear();
    this.#enter('none');
  }

  #enter(part: 'none' | 'waits' | 'told'): void {
    this.#part = part;
    this.emit('change', null);
  }
}

/** Refusals that concern what somebody said, and not their connection. */
export function isAside(code: string): boolean {
  return code.startsWith('chat-') || code.startsWith('consent-') || code === 'not-removable';
}
