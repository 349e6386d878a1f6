import type { ClientMessage } from '../protocol/index.js';
import { Chat } from './chat.js';
import type { Clock } from './clock.js';
import { Consents } from './consents.js';
import { Lookout } from './lookout.js';
import type { Incoming } from './parse.js';
import type { SessionState } from './session.js';
import { Whereabouts } from './whereabouts.js';

/** What a page hears of the other people at an event, and they of it, over one connection after the other. */
export class People {
  /** What this person has agreed to in this event. */
  readonly consents: Consents;
  /** The event's chat, for who has agreed to it. */
  readonly chat: Chat;
  /** Where people are who show it. */
  readonly whereabouts: Whereabouts;
  /** Whether any of it may be seen. */
  readonly lookout: Lookout;

  constructor(send: (message: ClientMessage) => boolean, clock: Clock) {
    this.lookout = new Lookout(send, clock);
    this.consents = new Consents(send, clock);
    this.chat = new Chat(send, this.consents, this.lookout, clock);
    this.whereabouts = new Whereabouts(send, this.consents, this.lookout);
  }

  /** A connection has begun: whatever was shown may have been taken back meanwhile. */
  begin(): void {
    this.lookout.begin();
    this.consents.begin();
    this.chat.reconnected();
    this.whereabouts.begin();
  }

  /** Takes a message of the server; false: it is about something else. */
  take(message: Incoming): boolean {
    if (message.type === 'synced') {
      this.lookout.synced(message);
      return true;
    }
    return this.consents.take(message) || this.chat.take(message) || this.whereabouts.take(message);
  }

  /** The connection holds, is in doubt, or is gone for good. */
  follow(state: SessionState): void {
    if (state === 'reconnecting') this.lookout.cover();
    else if (state === 'connected') this.lookout.uncover();
    else if (state === 'failed' || state === 'closed') this.stop();
  }

  /** The event is over. */
  end(): void {
    this.chat.ended();
    this.whereabouts.begin();
    this.lookout.end();
  }

  stop(): void {
    this.chat.stop();
    this.whereabouts.begin();
    this.lookout.stop();
  }
}
