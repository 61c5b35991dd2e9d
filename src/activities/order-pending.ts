/** What the body of a kind that follows its orders ends an attempt with when they have not ended: the node is handed out again later. */
import { HoldfastError } from '../errors';

/** With all members a memo travels from run to run in the execution's state. */
const LARGEST_MEMO = 8_192;

export interface PendingOrder {
  /** `OrderUnknown`: it is not known whether it was placed. */
  readonly type: 'OrderOpen' | 'OrderUnknown';
  readonly message: string;
  readonly retry_in_ms: number;
  /** What the next dispatch is given; JSON of at most 8 KiB. */
  readonly memo: unknown;
  /** Has `look` called when the node had better be handed out sooner, until what is returned is called; absent: nobody would say so. */
  readonly wake?: ((look: () => void) => () => void) | undefined;
}

export class OrderPending extends Error {
  override readonly name = 'OrderPending';
  readonly type: PendingOrder['type'];
  readonly retry_in_ms: number;
  readonly memo: unknown;
  readonly wake: PendingOrder['wake'];

  /** Throws `OutputTooLarge` when the memo is. */
  constructor({ type, message, retry_in_ms, memo, wake }: PendingOrder) {
    super(message);
    this.type = type;
    this.retry_in_ms = retry_in_ms;
    this.memo = memo;
    this.wake = wake;
    const size = JSON.stringify(memo).length;
    if (size > LARGEST_MEMO)
      throw new HoldfastError('OutputTooLarge', `what is to be known of an order takes ${size} characters`);
  }
}
