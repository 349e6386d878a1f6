import type { Cancel, Clock } from './clock.js';

/** Fine enough for a first-frame time, coarse enough to cost nothing. */
const POLL_MS = 100;

/**
 * Calls `done` once when `read` has grown beyond `from` (`null`: beyond what it is now). Statistics rather than a
 * `<video>`'s events, so that it works before anything is attached to the page.
 */
export function awaitGrowth(
  clock: Clock,
  read: () => Promise<number>,
  from: number | null,
  done: () => void,
): Cancel {
  let baseline = from;
  let over = false;
  let cancel: Cancel = () => {};
  const poll = async (): Promise<void> => {
    const value = await read();
    if (over) return;
    baseline ??= value;
    if (value > baseline) done();
    else cancel = clock.after(POLL_MS, run);
  };
  const run = (): void => {
    // The peer may close while it is read; whoever closed it also cancels this.
    poll().catch(() => {});
  };
  run();
  return () => {
    over = true;
    cancel();
  };
}
