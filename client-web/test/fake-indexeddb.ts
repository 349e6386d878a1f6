type Rows = Map<string, { name: string }>;
type Handler = (() => void) | null;

/** A request whose handlers run later, as the browser has it. */
class FakeRequest {
  result: unknown = null;
  error: unknown = null;
  onsuccess: Handler = null;
  onerror: Handler = null;
}

/** What the SDK uses of IndexedDB: one store, named rows, transactions that end by themselves or are aborted. */
export class FakeIndexedDb {
  /** By database; there is none before the first page makes it. */
  readonly databases = new Map<string, Rows>();
  /** Keeps nothing, as some private windows. */
  closed = false;

  open(name: string): FakeRequest & { onupgradeneeded: Handler; transaction: object | null } {
    const request = Object.assign(new FakeRequest(), {
      onupgradeneeded: null as Handler,
      transaction: null as object | null,
    });
    queueMicrotask(() => {
      if (this.closed) return fail(request);
      let rows = this.databases.get(name);
      if (rows === undefined) {
        let aborted = false;
        let made: Rows | null = null;
        request.transaction = {
          abort: () => {
            aborted = true;
          },
        };
        request.result = {
          createObjectStore: () => {
            made = new Map();
          },
        };
        request.onupgradeneeded?.();
        if (aborted || made === null) return fail(request);
        rows = made;
        this.databases.set(name, rows);
      }
      const stored = rows;
      request.result = { close: () => {}, transaction: () => new FakeTransaction(stored) };
      request.onsuccess?.();
    });
    return request;
  }
}

class FakeTransaction {
  oncomplete: Handler = null;
  onabort: Handler = null;
  error: unknown = null;
  #pending = 0;

  constructor(private readonly rows: Rows) {}

  objectStore(): object {
    return {
      get: (name: string) => this.#run(() => this.rows.get(name)),
      put: (row: { name: string }) => this.#run(() => this.rows.set(row.name, row)),
      delete: (name: string) => this.#run(() => this.rows.delete(name)),
      openCursor: () => this.#cursor(),
    };
  }

  #cursor(): FakeRequest {
    const names = [...this.rows.keys()];
    const request = new FakeRequest();
    const step = (): unknown => {
      const name = names.shift();
      if (name === undefined) return null;
      return {
        value: this.rows.get(name),
        delete: () => this.rows.delete(name),
        continue: () => this.#run(step, request),
      };
    };
    return this.#run(step, request);
  }

  #run(work: () => unknown, request = new FakeRequest()): FakeRequest {
    this.#pending += 1;
    queueMicrotask(() => {
      request.result = work();
      request.onsuccess?.();
      this.#pending -= 1;
      if (this.#pending === 0) this.oncomplete?.();
    });
    return request;
  }
}

function fail(request: FakeRequest): void {
  request.error = new DOMException('not here', 'InvalidStateError');
  request.onerror?.();
}
