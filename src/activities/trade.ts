/** What a kind of effect `trade` is given to send orders by: nothing goes to a venue without a permit of the desk. */
import type { NodeContext } from './define-node';
import type { ReducibleQuestion } from '../emergency/reducible';
import type { Fill, PermitRequest, Settlement } from '../emergency/model';
import type { VenueOrder } from '../venues/venue';

/** One order of a node, complete: the desk judges exactly this one. */
export type OrderDraft = Pick<
  PermitRequest,
  'account' | 'venue' | 'symbol' | 'side' | 'quantity' | 'price' | 'currency' | 'market'
> & {
  /** Tells several orders of one node apart; default `order`. */
  readonly leg?: string;
  /** In place of the number under which this dispatch asks for permits; of a leg that an earlier one may have asked for. */
  readonly permits_of?: number;
};

export interface TradePermit {
  readonly permit_id: string;
  /** What the venue is to know the order by: the same for every attempt of the node's generation. 32 characters. */
  readonly client_order_id: string;
  readonly epoch: number;
  /** The desk has found that the order only reduces a proven position. */
  readonly reduces: boolean;
  /** Whether its one request was let through. */
  readonly isUsed: boolean;
  /** How long a venue may still accept the order; the request says so to the venue. */
  remainingMs(): number;
  /**
   * The last check, to be made when the bytes of the request are about to be written, and once: it uses the permit up. Throws
   * `PermitExpired`, `EmergencyHalted`, or `AlreadyUsed` the second time; the permit is then settled `unused` unless it was used.
   */
  assertUsable(): void;
  /**
   * How its request ended. Returns at once. What comes after `unused`, `rejected` or `closed` is ignored, and so is `unused` once it
   * was used: the reservation then stays, which is safe. One that was not used cannot be used any more.
   */
  settle(outcome: Settlement['outcome'], filled_quantity?: string): void;
}

export interface Trade {
  /**
   * Asks the desk. Throws `EmergencyHalted`, `LimitExceeded`, `PositionUnproven`, `StalePrice`, `AlreadyUsed`, `EmergencyUnreachable`
   * and what else the desk denies with; nothing was sent then. Let `EmergencyHalted` through: the node is then taken back and
   * tried again after the halt, unless an order of it was sent already.
   */
  request(order: OrderDraft): Promise<TradePermit>;
  /** What `request` gives a leg, also without asking. */
  idsOf(leg?: string, permits_of?: number): OrderIds;
  /** As `TradePermit.settle`, for a permit of an earlier dispatch. */
  settle(settlement: Settlement): void;
  /**
   * Tells the desk what an order has filled so far in all, and whether it has ended, and waits for its word; may be repeated. Throws what the
   * desk refuses it for.
   */
  report(fill: OrderFill): Promise<void>;
  /**
   * Tells the desk how an order ended that another node sent, where it still holds something back for it: the sweeper would tell it within half
   * a minute. Throws what the desk refuses it for, and when the desk does not answer.
   */
  tellEnd(ended: EndedOrder): Promise<void>;
  /** How much of the position an order may reduce, in base currency: what fills have proven of it, also as its bot and strategy hold it. */
  reducible(question: PositionQuestion): Promise<string>;
  /** Whether the execution was put back by a reset of its workflow: what it did after that point is not in its history any more. */
  wasReset(): Promise<boolean>;
}

/** What orders are sent and followed in: of a node, or of what an operator has asked for. */
export interface OrderSurroundings extends Pick<NodeContext, 'signal' | 'log'> {
  readonly task: Pick<NodeContext['task'], 'trail' | 'dispatch'>;
  readonly trade: Trade;
}

export interface OrderIds {
  readonly permit_id: string;
  readonly client_order_id: string;
}

/** Bot and strategy are those of the node. */
export type PositionQuestion = Omit<ReducibleQuestion, 'bot_id' | 'strategy_id'>;

/** An order of an account, as the venue has it. */
export interface EndedOrder {
  readonly venue: string;
  readonly account: string;
  readonly order: VenueOrder;
}

/** Bot and strategy are those of the node. */
export type OrderFill = Omit<Fill, 'bot_id' | 'strategy_id'>;
