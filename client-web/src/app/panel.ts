import {
  LitElement,
  type PropertyDeclarations,
  type ReactiveController,
  type ReactiveControllerHost,
} from 'lit';
import { VeilcastError } from '../sdk/errors.js';

/** A part of a page that lists something and lets its person change it. It lives in the document itself, as pages do. */
export class Panel extends LitElement {
  static override properties: PropertyDeclarations = {
    error: { state: true },
    busy: { state: true },
  };

  declare error: VeilcastError | null;
  declare busy: boolean;

  constructor() {
    super();
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Runs `work` with `busy` set, keeps what it throws in `error`, and reads `lists` again whatever came of it. */
  protected async attempt(work: () => Promise<void>, ...lists: { load(): Promise<void> }[]): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      await work();
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
    } finally {
      this.busy = false;
    }
    await Promise.all(lists.map((list) => list.load()));
  }
}

export interface FreshOptions {
  /** Read again so often while the page can be seen; otherwise only when it is asked for. */
  everyMs?: number;
  /** While nothing is listed, too: somebody else may add to it. */
  whenEmpty?: boolean;
}

/** What the server lists, as it was read last. What was known stands while there is no newer answer. */
export class Fresh<T> implements ReactiveController {
  #items: readonly T[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #asked = 0;

  constructor(
    private readonly host: ReactiveControllerHost,
    /** `null` while there is nothing to ask about. */
    private readonly read: () => Promise<readonly T[]> | null,
    private readonly options: FreshOptions = {},
  ) {
    host.addController(this);
  }

  get items(): readonly T[] {
    return this.#items;
  }

  hostConnected(): void {
    const { everyMs, whenEmpty } = this.options;
    if (everyMs === undefined) return;
    this.#timer = setInterval(() => {
      const worth = whenEmpty === true || this.#items.length > 0;
      if (worth && document.visibilityState === 'visible') this.load();
    }, everyMs);
  }

  hostDisconnected(): void {
    clearInterval(this.#timer);
  }

  /** An answer that is overtaken by a later question, about another event perhaps, counts for nothing. */
  async load(): Promise<void> {
    this.#asked += 1;
    const turn = this.#asked;
    const items = (await this.read()?.catch(() => null)) ?? null;
    if (items === null || turn !== this.#asked) return;
    this.#items = items;
    this.host.requestUpdate();
  }

  /** Takes out what is known to be gone, before the server says so. */
  drop(gone: (item: T) => boolean): void {
    this.#items = this.#items.filter((item) => !gone(item));
    this.host.requestUpdate();
  }

  /** Of something else from now on. */
  clear(): void {
    this.drop(() => true);
  }
}
