import type { Chat } from './chat.js';
import type { Consents } from './consents.js';
import { TypedTarget } from './events.js';
import type { People } from './people.js';
import type { Whereabouts } from './whereabouts.js';

/** Who is at an event, in whatever part: there are other people, and what is asked in their sight. */
export abstract class Attendee<Events extends object> extends TypedTarget<Events> {
  /** What is heard of the other people here. */
  abstract readonly people: People;

  /** What this person has agreed to in this event. */
  get consents(): Consents {
    return this.people.consents;
  }

  /** The event's chat, for who has agreed to it. */
  get chat(): Chat {
    return this.people.chat;
  }

  /** Where people are who show it. */
  get whereabouts(): Whereabouts {
    return this.people.whereabouts;
  }
}
