import { LitElement, type PropertyDeclarations } from 'lit';
import { VeilcastError } from '../sdk/errors.js';

/** A page lives in the document itself: its labels, headings and password fields stay plain HTML. */
export class Page extends LitElement {
  static override properties: PropertyDeclarations = {
    params: { attribute: false },
    error: { state: true },
    busy: { state: true },
  };

  declare params: Readonly<Record<string, string>>;
  declare error: VeilcastError | null;
  declare busy: boolean;

  constructor() {
    super();
    this.params = {};
    this.error = null;
    this.busy = false;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Runs `work` with `busy` set; what it throws is kept in `error`. Tells whether it went well. */
  protected async attempt(work: () => Promise<void>): Promise<boolean> {
    this.busy = true;
    this.error = null;
    try {
      await work();
      return true;
    } catch (thrown) {
      this.error = VeilcastError.from(thrown, 'unreachable');
      return false;
    } finally {
      this.busy = false;
    }
  }
}
