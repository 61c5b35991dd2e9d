/**
 * One read at a time for any number of callers. A caller never gets an answer that was asked for before its own call: it joins the
 * read that starts next, so a halt that was answered before the call is seen.
 */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  get(): Promise<T> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(ignore, ignore).then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  #start(): Promise<T> {
    const running = this.#read().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}

/** A `SharedRead` for each key, kept while somebody waits for it. */
export class SharedReads<T> {
  readonly #read: (key: string) => Promise<T>;
  readonly #reads = new Map<string, { readonly read: SharedRead<T>; waiting: number }>();

  constructor(read: (key: string) => Promise<T>) {
    this.#read = read;
  }

  async get(key: string): Promise<T> {
    const shared = this.#reads.get(key) ?? { read: new SharedRead(() => this.#read(key)), waiting: 0 };
    this.#reads.set(key, shared);
    shared.waiting += 1;
    try {
      return await shared.read.get();
    } finally {
      shared.waiting -= 1;
      if (shared.waiting === 0) this.#reads.delete(key);
    }
  }
}

const ignore = (): void => undefined;
