/** All that stands between the nodes of this worker and the outside for one emergency desk, put together. */
import type { OpenTrade, TradeAttempt } from '../activities/node-activities';
import { ClosingSubscriber, type ClosingCounts } from '../event-log';
import type { Effect } from '../graph/kinds';
import type { NodeTask } from '../graph/task';
import type { DeskPort } from './desk-port';
import { GateKeeper } from './gate-keeper';
import type { GateVerdict } from './gate';
import { nodeVerdict } from './node-gate';
import type { OrderLookup } from '../venues/order-lookup';
import { PermitSweeper } from './permit-sweeper';
import { PermitDesk } from './permits';
import type { Resets } from './resets';
import { AttemptTrade, type TradeSurroundings } from './trade';

export interface DeskGuardOptions {
  readonly desk_id: string;
  readonly port: DeskPort;
  readonly redis_url: string;
  /** What closings are signed with. */
  readonly closing_key: string;
  readonly log: Pick<Console, 'warn'>;
  /** Of the venue accounts this worker can ask. */
  readonly lookups?: readonly OrderLookup[];
}

export class DeskGuard {
  readonly gate: GateKeeper;
  readonly permits: PermitDesk;
  readonly #port: DeskPort;
  readonly #closings: ClosingSubscriber;
  readonly #sweeper: PermitSweeper;

  constructor({ desk_id, port, redis_url, closing_key, log, lookups = [] }: DeskGuardOptions) {
    const said = (what: string) => (why: unknown) => {
      log.warn({ desk_id, error: why instanceof Error ? why.message : why }, what);
    };
    this.#port = port;
    this.gate = new GateKeeper({ port, onError: said('desk_not_read') });
    const onHalted = () => {
      this.gate.refresh();
    };
    this.permits = new PermitDesk({ port, gate: this.gate, onHalted, onError: said('permits_not_answered') });
    this.#sweeper = new PermitSweeper({
      ...{ port, lookups, onError: said('permits_not_swept') },
      settle: (settlement) => {
        this.permits.settle(settlement);
      },
      onSwept: ({ permit_id, execution_id, symbol }, outcome) => {
        log.warn({ desk_id, permit_id, execution_id, symbol, outcome }, 'permit_swept');
      },
    });
    this.#sweeper.start();
    this.#closings = new ClosingSubscriber({
      ...{ url: redis_url, desk: desk_id, key: closing_key },
      onClosing: (closing) => {
        this.gate.onClosing(closing);
      },
      onLive: () => {
        this.gate.onLive();
      },
      onBeat: () => {
        this.gate.onBeat();
      },
      onGap: (why) => {
        said('closings_not_heard')(why);
        this.gate.onGap();
      },
      onRefused: said('closing_refused'),
    });
  }

  /** What was heard on the channel since the start, and what of it counted for nothing. */
  get closings(): ClosingCounts {
    return this.#closings.counts;
  }

  verdict(task: NodeTask, effect: Effect): GateVerdict {
    return nodeVerdict(task, effect, this.gate);
  }

  openTrade(attempt: TradeAttempt, resets: Pick<Resets, 'of'>, modeOf: TradeSurroundings['modeOf']): OpenTrade {
    return new AttemptTrade(attempt, {
      desk: this.permits,
      recordFill: (fill) => this.#port.recordFill(fill),
      reducible: (question) => this.#port.reducible(question),
      openOrders: (question) => this.#port.openOrders(question),
      wasReset: () => resets.of(attempt.task.execution_id, attempt.run_id),
      modeOf,
    });
  }

  /** Tells the desk how the last permits ended, within two seconds. Returns how many it could not tell: those are left to the sweeper. */
  async close(): Promise<number> {
    this.#sweeper.close();
    const untold = await this.permits.close();
    this.#closings.close();
    this.gate.close();
    return untold;
  }
}
