/** Undoes a subscription or a timer; calling it twice is harmless. */
export type Cancel = () => void;

/** Time as an argument, so that tests travel in it. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  after(ms: number, run: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};

/** Rejects with `error()` when `promise` has not settled in time. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>, error: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(error()));
    promise.then(resolve, reject).finally(cancel);
  });
}
