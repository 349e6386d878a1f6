import type { Cancel } from './clock.js';

/** An `EventTarget` whose events are `CustomEvent`s named and typed by `Events`. */
export class TypedTarget<Events extends object> extends EventTarget {
  /** Like `addEventListener`, but hands over the detail and returns its own undoing. */
  on<Name extends keyof Events & string>(name: Name, listener: (detail: Events[Name]) => void): Cancel {
    const wrapped = (event: Event): void => {
      if (event instanceof CustomEvent) listener(event.detail);
    };
    this.addEventListener(name, wrapped);
    return () => this.removeEventListener(name, wrapped);
  }

  protected emit<Name extends keyof Events & string>(name: Name, detail: Events[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
