/** First wait. Long enough for a process to restart, short enough not to be noticed. */
const BASE_MS = 500;
/** No wait is longer: somebody is looking at the page. */
const LIMIT_MS = 15_000;

/** Exponential backoff with full jitter above half, so that a hall of viewers does not come back at once. */
export class Backoff {
  #attempt = 0;

  constructor(private readonly random: () => number) {}

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const ceiling = Math.min(LIMIT_MS, BASE_MS * 2 ** this.#attempt);
    this.#attempt += 1;
    return ceiling / 2 + (this.random() * ceiling) / 2;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
