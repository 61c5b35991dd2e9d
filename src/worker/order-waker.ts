/**
 * Has a node handed out sooner when the venue says that its order has ended while no dispatch of it is out. A word that is lost, with this
 * process or on its way, costs time: the node is handed out then as it is without one.
 */
import type { OrderPending } from '../activities/order-pending';
import { messageOf } from '../errors';
import { nodeKey } from '../events/build';
import type { NodeTask } from '../graph/task';
import type { LookAgain } from '../workflows/messages';

export interface OrderWakerOptions {
  readonly wake: (execution_id: string, look: LookAgain) => Promise<void>;
  readonly onError: (error: string) => void;
}

export class OrderWaker {
  readonly #options: OrderWakerOptions;

  constructor(options: OrderWakerOptions) {
    this.#options = options;
  }

  /** From the end of this dispatch until the next one is due by itself. */
  keepWatch(task: NodeTask, { wake, retry_in_ms }: Pick<OrderPending, 'wake' | 'retry_in_ms'>): void {
    if (wake === undefined) return;
    const end = setTimeout(() => {
      stop();
    }, retry_in_ms).unref();
    const stop = wake(() => {
      clearTimeout(end);
      void this.#wake(task);
    });
  }

  /** An execution that has ended, or is halted, has nothing to be told; who is told twice looks once. */
  async #wake({ execution_id, frame, node_id, dispatch }: NodeTask): Promise<void> {
    try {
      await this.#options.wake(execution_id, { node: nodeKey(frame, node_id), dispatch });
    } catch (error) {
      this.#options.onError(messageOf(error));
    }
  }
}
