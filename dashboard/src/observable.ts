/** A value that changes and says so. What is put in is never changed in place, so that "is it the same" is a comparison of references. */
import { useSyncExternalStore } from 'react';

export class Observable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };
}

export function useValue<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.subscribe, observable.get);
}

/** A part of it; a component that reads one draws again only when that part is another. */
export function usePart<T, P>(observable: Observable<T>, part: (value: T) => P): P {
  return useSyncExternalStore(observable.subscribe, () => part(observable.get()));
}
