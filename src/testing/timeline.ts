/** Time as a test drives it: what is to happen, when, and which of two things that happen at one instant comes first. */

/** At one instant: first come, first served, or an order drawn from this seed. */
export type Order = 'fifo' | number;

interface Happening {
  readonly at: number;
  readonly act: () => void;
  /** False once it has become pointless; it then neither happens nor moves the time. */
  readonly isLive: () => boolean;
}

export class Timeline {
  #now: number;
  #happenings: Happening[] = [];
  readonly #choose: (count: number) => number;

  constructor(now: number, order: Order) {
    this.#now = now;
    this.#choose = order === 'fifo' ? () => 0 : chooser(order);
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  schedule(at: number, act: () => void, isLive: () => boolean = () => true): void {
    this.#happenings.push({ at: Math.max(at, this.#now), act, isLive });
  }

  /** Takes what happens next, at `limit` at the latest, and moves the time there. Undefined when there is none. */
  take(limit: number): (() => void) | undefined {
    this.#happenings = this.#happenings.filter(({ isLive }) => isLive());
    const at = this.#happenings.reduce((least, each) => Math.min(least, each.at), Infinity);
    if (at > limit || at === Infinity) return undefined;
    const due = this.#happenings.filter((each) => each.at === at);
    const chosen = due[this.#choose(due.length)];
    this.#happenings = this.#happenings.filter((each) => each !== chosen);
    this.#now = at;
    return chosen?.act;
  }

  moveTo(instant: number): void {
    this.#now = Math.max(this.#now, instant);
  }
}

/** The generator mulberry32: small, and the same on every machine. */
function chooser(seed: number): (count: number) => number {
  let state = seed | 0;
  return (count) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  };
}
