/** Something read over REST: the last answer, how old it is, and why there is no newer one. */
import { useEffect } from 'react';
import { wordsOf } from './api';
import { Observable, useValue } from './observable';

export interface Reading<T> {
  readonly data?: T;
  /** When it was read. */
  readonly at?: Date;
  /** Why the last try gave nothing. */
  readonly problem?: string;
}

export class Resource<T> {
  readonly reading = new Observable<Reading<T>>({});
  readonly #read: () => Promise<T>;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  /** Asked for while it is being read, it is read once more: the answer under way may be of before. */
  async refresh(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#readAll();
    await this.#running;
  }

  async #readAll(): Promise<void> {
    do {
      this.#again = false;
      await this.#readOnce();
      // Set by a refresh that came meanwhile.
    } while (this.#wasAskedAgain());
    this.#running = undefined;
  }

  #wasAskedAgain(): boolean {
    return this.#again;
  }

  async #readOnce(): Promise<void> {
    try {
      const data = await this.#read();
      this.reading.set({ data, at: new Date() });
    } catch (error) {
      this.reading.set({ ...this.reading.get(), problem: wordsOf(error) });
    }
  }
}

/** Read when it is first shown, and again at this pace while it is. */
export function useResource<T>(resource: Resource<T>, every_ms: number): Reading<T> {
  useEffect(() => {
    void resource.refresh();
    const timer = setInterval(() => void resource.refresh(), every_ms);
    return () => {
      clearInterval(timer);
    };
  }, [resource, every_ms]);
  return useValue(resource.reading);
}
