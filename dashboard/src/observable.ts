/**
 * A value that changes and says so. What is put in is not changed in place, so that "is it the same" is a comparison of references; the one
 * exception is a large one of which everybody reads parts, whose owner says so with `tell`.
 */
import { startTransition, useCallback, useEffect, useState, useSyncExternalStore } from 'react';

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
    this.tell();
  }

  /** Something within it is another. */
  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };
}

/** Of many members by name, of which most readers want one each: with a thousand of them, asking all what changed costs more than the change. */
export class ObservableRecord<T> extends Observable<Readonly<Record<string, T>>> {
  readonly #ofOne = new Map<string, Set<() => void>>();

  override tell(): void {
    super.tell();
    for (const name of this.#ofOne.keys()) this.#tellReadersOf(name);
  }

  /** These members are others, and no more than these. */
  tellOf(names: Iterable<string>): void {
    super.tell();
    for (const name of names) this.#tellReadersOf(name);
  }

  subscribeTo(name: string, listener: () => void): () => void {
    const listeners = this.#ofOne.get(name) ?? new Set();
    this.#ofOne.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#ofOne.get(name) === listeners) this.#ofOne.delete(name);
    };
  }

  #tellReadersOf(name: string): void {
    for (const listener of this.#ofOne.get(name) ?? []) listener();
  }
}

export function useValue<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.subscribe, observable.get);
}

/** A part of it; a component that reads one draws again only when that part is another. */
export function usePart<T, P>(observable: Observable<T>, part: (value: T) => P): P {
  return useSyncExternalStore(observable.subscribe, () => part(observable.get()));
}

/** One member; a component that reads one is asked again only when that one was told of. */
export function useMember<T>(record: ObservableRecord<T>, name: string): T | undefined {
  const subscribe = useCallback((listener: () => void) => record.subscribeTo(name, listener), [record, name]);
  return useSyncExternalStore(subscribe, () => record.get()[name]);
}

/** For what comes faster than it can be read: after a pause at once, then at most every so often, and behind all else there is to draw. */
export function usePaced<T extends object>(observable: Observable<T>, every_ms: number): T {
  const [value, setValue] = useState(observable.get);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let told = -Infinity;
    const tell = () => {
      timer = undefined;
      told = performance.now();
      startTransition(() => {
        setValue(observable.get());
      });
    };
    const stop = observable.subscribe(() => {
      timer ??= setTimeout(tell, Math.max(0, told + every_ms - performance.now()));
    });
    tell();
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [observable, every_ms]);
  return value;
}
