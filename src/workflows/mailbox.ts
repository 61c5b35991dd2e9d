/** Messages that came before a node waited for them, by name, in the order they came. */
import { escapeReserved } from '../graph/blob';
import { MAX_VALUE_DEPTH } from '../graph/limits';
import { isMessageName } from '../graph/names';
import { weightOf } from '../graph/output-ledger';
import { isDeeperThan } from '../json';
import type { Delivery } from './messages';

/** Bytes of all messages kept, and of one. */
const MOST_KEPT = 128 * 1024;
export const LARGEST_MESSAGE = 64 * 1024;

export class Mailbox {
  readonly #mail: Map<string, unknown[]>;
  #weight = 0;

  constructor(carried: readonly (readonly [string, readonly unknown[]])[] = []) {
    this.#mail = new Map(carried.map(([name, payloads]) => [name, [...payloads]]));
    // Each by itself, as they are taken: one that is not plain ASCII would weigh the others threefold, and that room stay lost.
    for (const [name, payloads] of carried) for (const each of payloads) this.#weight += weightOfMail(name, each);
  }

  get all(): [string, readonly unknown[]][] {
    return [...this.#mail];
  }

  /** False when there is no room. */
  keep({ name, payload = null }: Delivery): boolean {
    const size = weightOfMail(name, payload);
    if (this.#weight + size > MOST_KEPT) return false;
    this.#weight += size;
    const before = this.#mail.get(name);
    if (before === undefined) this.#mail.set(name, [payload]);
    else before.push(payload);
    return true;
  }

  /** Takes the oldest; undefined when there is none. A message without a payload is null. */
  take(name: string): { readonly payload: unknown } | undefined {
    const payloads = this.#mail.get(name);
    if (payloads === undefined) return undefined;
    const payload = payloads.shift();
    if (payloads.length === 0) this.#mail.delete(name);
    this.#weight -= weightOfMail(name, payload);
    return { payload };
  }
}

function weightOfMail(name: string, payload: unknown): number {
  return weightOf(payload) + name.length;
}

/** A delivery as it was signalled, or why it cannot be one. */
export function readDelivery(signalled: unknown): Delivery | string {
  if (typeof signalled !== 'object' || signalled === null) return 'it is not {name, payload}';
  const { name, payload = null } = signalled as { name?: unknown; payload?: unknown };
  if (!isMessageName(name)) return 'its name is not a text of 1 to 200 characters';
  if (isDeeperThan(payload, MAX_VALUE_DEPTH)) return `its payload is nested deeper than ${MAX_VALUE_DEPTH} levels`;
  if (weightOf(payload) > LARGEST_MESSAGE) return `its payload is larger than ${LARGEST_MESSAGE} bytes`;
  return { name, payload: escapeReserved(payload) };
}
