/** Tells what the desk owes outside Temporal, each kind in its order and by a loop of its own, so that none waits for another. */
import { ParentClosePolicy, condition, sleep, startChild, uuid4, type CancellationScope } from '@temporalio/workflow';
import { RETRY_FIRST_MS, RETRY_MOST_MS, activities } from './desk-calls';
import { ORDER_EXPORT, type OrderExport } from './desk-messages';
import type { DeskOutbox } from './desk-outbox';
import type { OrderOutbox } from './order-outbox';

const KINDS = ['audit', 'events', 'orders', 'order_events', 'overfull_orders'] as const;
type Told = (typeof KINDS)[number];

export interface DeskTellerOptions {
  readonly desk_id: string;
  readonly outbox: DeskOutbox;
  /** Undefined where none are told. */
  readonly orders: OrderOutbox | undefined;
  /** Given up when what hangs keeps a run from its end. */
  readonly outside: CancellationScope;
  /** The run is to end: nothing more is begun. */
  readonly isLeaving: () => boolean;
  /** Hears the highest epoch the journal saw. */
  readonly onSeen: (epoch: number) => void;
}

export class DeskTeller {
  /** Loops that have not ended. */
  telling = 0;
  readonly #options: DeskTellerOptions;

  constructor(options: DeskTellerOptions) {
    this.#options = options;
  }

  start(): void {
    for (const kind of KINDS) void this.#keep(kind);
  }

  /** Tells what is owed, in order, until it is taken. */
  async #keep(what: Told): Promise<void> {
    this.telling += 1;
    let pause = RETRY_FIRST_MS;
    for (;;) {
      await condition(() => this.#options.isLeaving() || this.#owes(what));
      if (this.#options.isLeaving()) break;
      try {
        await this.#options.outside.run(() => this.#tell(what));
        pause = RETRY_FIRST_MS;
      } catch {
        await Promise.race([sleep(pause), condition(() => this.#options.isLeaving())]);
        pause = Math.min(pause * 2, RETRY_MOST_MS);
      }
    }
    this.telling -= 1;
  }

  #owes(what: Told): boolean {
    switch (what) {
      case 'audit':
        return this.#options.outbox.owesAudit;
      case 'events':
        return this.#options.outbox.owesEvents;
      case 'orders':
        return this.#options.orders?.owesJournal(Date.now()) === true;
      case 'order_events':
        return this.#options.orders?.owesLog === true;
      case 'overfull_orders':
        return this.#options.orders?.isOverfull === true;
    }
  }

  async #tell(what: Told): Promise<void> {
    if (what === 'audit') {
      const entries = this.#options.outbox.nextAudit();
      this.#options.onSeen(await activities.appendAudit(entries));
      this.#options.outbox.audited(entries);
    } else if (what === 'events') {
      const events = this.#options.outbox.nextEvents();
      await activities.publishDeskEvents(events);
      this.#options.outbox.published(events);
    } else await this.#tellOrders(what);
  }

  async #tellOrders(what: Exclude<Told, 'audit' | 'events'>): Promise<void> {
    const { orders, desk_id } = this.#options;
    if (orders === undefined) return;
    if (what === 'orders') {
      const facts = orders.nextForJournal(Date.now());
      await activities.journalOrders(desk_id, facts);
      orders.journalled(facts);
    } else if (what === 'order_events') {
      const facts = orders.nextForLog();
      await activities.publishOrderEvents(orders.eventsOf(facts));
      orders.published(facts);
    } else {
      const facts = orders.nextToHandOn();
      await handOn({ desk_id, facts });
      orders.journalled(facts);
    }
  }
}

/** Once it has begun it is Temporal's to keep; begun twice it writes the same. */
async function handOn(input: OrderExport): Promise<void> {
  await startChild(ORDER_EXPORT, {
    args: [input],
    workflowId: `desk/${input.desk_id}/orders/${uuid4()}`,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `${input.facts.length} orders wait for the journal`,
  });
}
