/**
 * Hears the ends of local activities in the order of their starts, whatever the order and the grouping they come in.
 *
 * A live worker hands each result over as it comes; a replay hands over together all that one workflow task recorded, in the order of their
 * starts (github.com/temporalio/sdk-python/issues/1881). So what follows from an end must not depend on either: it is commanded at once, in
 * this order, and behind whatever the server brought with the same task.
 */
interface Place {
  end?: () => void;
}

/** The SDK's way from a job to the code that awaits it takes more promises for a child's start than for a local activity; these are more. */
const BEHIND_THE_SERVER = 16;

export class InOrder {
  /** Whether something is out whose end takes a longer way through promises than a local activity's. */
  readonly #mustFallBehind: () => boolean;
  readonly #places: Place[] = [];
  #falling = false;

  constructor(mustFallBehind: () => boolean) {
    this.#mustFallBehind = mustFallBehind;
  }

  /** Takes the next place; what is returned hands its end in. */
  begin(): (end: () => void) => void {
    const place: Place = {};
    this.#places.push(place);
    return (end) => {
      place.end = end;
      this.#hear();
    };
  }

  #hear(): void {
    if (this.#falling) return;
    if (!this.#mustFallBehind()) {
      this.#inTurn();
      return;
    }
    this.#falling = true;
    void fallBehind(BEHIND_THE_SERVER).then(() => {
      this.#falling = false;
      this.#inTurn();
    });
  }

  #inTurn(): void {
    for (let [first] = this.#places; first?.end !== undefined; [first] = this.#places) {
      this.#places.shift();
      first.end();
    }
  }
}

async function fallBehind(promises: number): Promise<void> {
  for (let fallen = 0; fallen < promises; fallen += 1) await Promise.resolve();
}
