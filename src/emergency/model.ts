/**
 * What the emergency desk knows, is told and answers. Amounts, prices and quantities are decimal strings in the desk's currency; times are
 * milliseconds since 1970 on the desk's own monotone clock, unless a line says otherwise.
 */
import type { ErrorCode } from '../errors';
import type { Mode } from '../events/envelope';
import type { CancelOrder } from './cancels';

/** From the mildest to the most severe. */
export type EmergencyState = 'normal' | 'alert' | 'halt' | 'shutdown';

/** `global`, `venue:<profile>`, `bot:<id>`, `strategy:<id>` or `symbol:<symbol>`. */
export type Scope = string;

/** Why a scope is not `normal`. It is in the most severe state of its causes. */
export interface Cause {
  /** Unique within its scope: `operator:<actor>`, `signal`, `limit:<name>`, `uninitialised`, `rewound`, `others`. */
  readonly id: string;
  readonly state: Exclude<EmergencyState, 'normal'>;
  readonly reason: string;
  readonly actor: string;
  readonly since: number;
  readonly epoch: number;
}

export type LimitName =
  | 'daily_loss'
  | 'max_order_notional'
  | 'max_position_notional'
  | 'max_drawdown_percent'
  | 'max_open_orders'
  | 'order_rate'
  | 'price_collar_percent'
  | 'consecutive_losses'
  | 'max_price_age';

/**
 * By limit: a decimal string (`order_rate`: orders per minute, `max_price_age`: seconds, `max_open_orders` and `consecutive_losses`:
 * counts); null takes a limit away, and one that is not named stays.
 */
export type Limits = Readonly<Partial<Record<LimitName, string | null>>>;

export interface Bot {
  readonly bot_id: string;
  readonly name: string;
  /** Of the venues it may trade on. */
  readonly venues: readonly string[];
  readonly starting_equity: string;
  /** IANA; where its trading day begins. */
  readonly time_zone: string;
}

interface Command<Action extends string> {
  readonly action: Action;
  /** Chosen by the caller: the same command again gets the same answer. */
  readonly command_id: string;
  readonly actor: string;
  /** Why, for the record; not empty. */
  readonly reason: string;
}

export interface RaiseCommand extends Command<'alert' | 'halt' | 'shutdown'> {
  readonly scope: Scope;
  /** Of `halt` and `shutdown`: cancel what rests at the venues, too. */
  readonly cancel_open?: boolean;
  /** With `cancel_open`: protective stops as well. */
  readonly cancel_stops?: boolean;
}

/**
 * Lowers one scope: it must name every cause that holds, but for `uninitialised` and `rewound`, which go by `init` alone. After
 * `shutdown` it waits for `approve` by somebody else.
 */
export interface ResumeCommand extends Command<'resume'> {
  readonly scope: Scope;
  /** Ids of the causes it has seen. */
  readonly causes: readonly string[];
  /** The desk's epoch it has seen: at least that of the scope's latest change, at most the desk's; else `StaleResume`. */
  readonly expected_epoch: number;
  /** Milliseconds since 1970 on the caller's clock; it expires ten seconds later. */
  readonly issued_at: number;
}

/** The second person's word for a resume after `shutdown`. */
export interface ApproveCommand extends Command<'approve'> {
  readonly scope: Scope;
  /** That of the resume it approves. */
  readonly expected_epoch: number;
  readonly issued_at: number;
}

export interface SetLimitsCommand extends Command<'set_limits'> {
  readonly scope: Scope;
  readonly limits: Limits;
  /** Whether a breach halts the scope; unchanged when absent, at first true. */
  readonly auto_halt?: boolean;
}

export interface RegisterBotCommand extends Command<'register_bot'> {
  readonly bot: Bot;
  readonly limits?: Limits;
}

/** Money paid in (positive) or out of a scope: it moves equity, and is neither profit nor loss. */
export interface CashFlowCommand extends Command<'cash_flow'> {
  readonly scope: Scope;
  readonly amount: string;
  readonly currency: string;
}

/** Takes the cause `uninitialised` or `rewound` away, once per desk. */
export interface InitCommand extends Command<'init'> {
  readonly currency: string;
  readonly time_zone: string;
}

/** Closes what a scope holds, by orders that only reduce. It halts nothing, and goes out in a halt. */
export interface FlattenCommand extends Command<'flatten'> {
  readonly scope: Scope;
  /** The scope once more, or it is refused: a word that nobody gives by mistake. */
  readonly confirm: string;
  /** How far from the last price an order may fill at worst, in percent. */
  readonly max_slippage_percent?: string;
}

/** Cancels what rests at the venues and was permitted before; it halts nothing. */
export interface CancelOrdersCommand extends Command<'cancel_orders'> {
  readonly scope: Scope;
  readonly symbol?: string;
  /** Protective stops as well. */
  readonly cancel_stops?: boolean;
}

export type DeskCommand =
  | RaiseCommand
  | ResumeCommand
  | ApproveCommand
  | SetLimitsCommand
  | RegisterBotCommand
  | CashFlowCommand
  | InitCommand
  | CancelOrdersCommand
  | FlattenCommand;

/** A `flatten` that was accepted. */
export interface FlattenOrder extends Pick<FlattenCommand, 'scope' | 'reason' | 'actor' | 'command_id'> {
  /** Its own; permits of its orders are of this one or a later. */
  readonly epoch: number;
  readonly max_slippage_percent?: string;
}

/** One order that wants to go out. A permit is for one request of exactly this order. */
export interface PermitRequest {
  readonly permit_id: string;
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly quantity: string;
  /** The limit price; for a market order the worst price it may fill at. */
  readonly price: string;
  readonly currency: string;
  /** The market's last price and its age in milliseconds, for the collar and `max_price_age`. */
  readonly market?: { readonly price: string; readonly age_ms: number };
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly execution_id: string;
  /** Graph and mode of the execution, for what is told of the order. */
  readonly workflow_id?: string;
  readonly mode?: Mode;
  /** What the venue will know the order by; without it nobody can look up how it ended. */
  readonly client_order_id?: string;
  /** Who may reduce in a halt: a node of `on_halt`, or an operator. Without it no order passes a halt. */
  readonly purpose?: 'on_halt' | 'operator';
}

/** How the one request of a permit ended. `unused`, `rejected` and `closed` end its reservation. */
export interface Settlement {
  readonly permit_id: string;
  /**
   * `acknowledged`: the venue has the order; `unknown`: it may have been sent, and nobody knows whether the venue has it, so its symbol is
   * unproven until another settlement says; `fenced`: the venue can accept it no more, and it is not known whether it did; `unused`:
   * never sent; `rejected`: the venue said no; `closed`: the order is in a terminal state at the venue, or it is fenced and was not found.
   */
  readonly outcome: 'acknowledged' | 'unknown' | 'fenced' | 'unused' | 'rejected' | 'closed';
  /** With `closed`: filled in all. What of it no fill has recorded yet stays reserved until one does. */
  readonly filled_quantity?: string;
}

/** Cumulative per order, so a repeat and a late one are harmless. */
export interface Fill {
  /** The client order id where there is one, so that an order counts once, whoever reports it. */
  readonly order_id: string;
  readonly permit_id?: string;
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  /** Filled so far in all. */
  readonly filled_quantity: string;
  /** Price times quantity, so far in all. */
  readonly filled_notional: string;
  /** So far in all. */
  readonly fees: string;
  readonly currency: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  /** Of the latest part; decides the trading day. */
  readonly at: number;
  /** The order has ended, and has filled no more than this: its permit ends in the same step. */
  readonly ended?: boolean;
}

/** The worth of a scope and, by symbol, of what it holds, at a moment. */
export interface Mark {
  readonly scope: Scope;
  readonly at: number;
  readonly equity: string;
  readonly currency: string;
}

/** The price positions in a symbol are valued with. */
export interface PriceMark {
  readonly venue: string;
  readonly symbol: string;
  readonly price: string;
  readonly at: number;
}

export type DeskInput =
  /** `audit_available` false: the journal is down, and what lowers or loosens is refused with `AuditUnavailable`. */
  | { readonly kind: 'command'; readonly command: unknown; readonly audit_available?: boolean }
  /** A command somebody else refused, for the record. */
  | { readonly kind: 'refused_command'; readonly command?: unknown; readonly code?: unknown }
  /** A signal: it raises, and what cannot be read halts `global`. */
  | { readonly kind: 'signal'; readonly name: 'alert' | 'halt' | 'shutdown'; readonly payload: unknown }
  | {
      readonly kind: 'permits';
      readonly requests: readonly unknown[];
      readonly settlements: readonly unknown[];
      /** For how many more orders there is room until the journal has caught up; beyond it nothing that increases is granted. */
      readonly order_room?: number;
    }
  | { readonly kind: 'fill'; readonly fill: unknown }
  | { readonly kind: 'mark'; readonly mark: unknown }
  | { readonly kind: 'price'; readonly price: unknown }
  /** Time has passed: pending approvals expire, trading days turn. */
  | { readonly kind: 'tick' }
  /** What the journal last saw of this desk. */
  | { readonly kind: 'witness'; readonly epoch: number };

export type PermitAnswer =
  | {
      readonly permit_id: string;
      readonly granted: true;
      readonly epoch: number;
      readonly lifetime_ms: number;
      readonly reduces: boolean;
    }
  | { readonly permit_id: string; readonly granted: false; readonly code: DenialCode; readonly message: string };

export type DenialCode =
  | 'EmergencyHalted'
  | 'LimitExceeded'
  | 'PositionUnproven'
  | 'AlreadyUsed'
  | 'InvalidInput'
  | 'WrongCurrency'
  | 'StalePrice'
  | 'UnknownScope'
  | 'Unexpected'
  | 'AuditUnavailable'
  | 'DeskBusy';

export interface CommandAnswer {
  readonly ok: boolean;
  /** When refused. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  readonly scope: Scope;
  readonly state: EmergencyState;
  readonly epoch: number;
  /** After `resume` of a `shutdown`: it waits for a second person until then. */
  readonly awaits_approval_until?: number;
}

/**
 * `intended`: a permit was granted, and nothing was said of it since; `unknown`, `fenced`, `rejected`, `unused`: as settled; `open`: the
 * venue has it; `cancelled`: it ended before it was filled whole, or never came to the venue; `unpermitted`: fills were reported of an
 * order the desk knows no permit of.
 */
export type OrderStatus =
  'intended' | 'unknown' | 'fenced' | 'open' | 'filled' | 'cancelled' | 'rejected' | 'unused' | 'unpermitted';

/** What the venue filled of an order, so far in all. */
export interface OrderFill {
  readonly quantity: string;
  readonly notional: string;
  readonly fees: string;
  /** What it realised against what was held, before fees; absent while it only added. */
  readonly realized?: string;
  /** Of the latest part, on the venue's clock. */
  readonly at: number;
}

/** An order as it stands: cumulative, so that the newest fact of an order holds all that older ones said. */
export interface OrderFact {
  /** The client order id where there is one, else the permit's. */
  readonly order_id: string;
  readonly permit_id?: string;
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly currency: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly status: OrderStatus;
  /** As it was permitted; absent where the desk knows no permit of it any more. */
  readonly permitted?: PermittedOrder;
  /** Absent while nothing was filled, or where the desk has forgotten what was. */
  readonly fill?: OrderFill;
  readonly updated_at: number;
}

export interface PermittedOrder {
  readonly client_order_id?: string;
  readonly quantity: string;
  readonly price: string;
  readonly execution_id: string;
  readonly workflow_id?: string;
  readonly mode?: Mode;
  readonly epoch: number;
  readonly reduces: boolean;
  readonly granted_at: number;
}

/** What of an order is new in a fact. */
export type OrderNews = 'granted' | 'acknowledged' | 'unknown' | 'fenced' | 'filled' | 'ended';

/** What the shell does after the decision, in this order; each may be repeated, none is lost. */
export type Effect =
  | {
      readonly kind: 'state_changed';
      readonly scope: Scope;
      readonly previous: EmergencyState;
      readonly state: EmergencyState;
      readonly epoch: number;
      readonly reason: string;
      readonly actor: string;
      readonly cancel_open?: boolean;
      readonly cancel_stops?: boolean;
    }
  | {
      readonly kind: 'limit';
      readonly level: 'update' | 'approaching' | 'exceeded';
      readonly scope: Scope;
      readonly limit: LimitName;
      readonly used: string;
      readonly allowed: string;
      readonly utilization: string;
      readonly epoch: number;
    }
  /** No increasing order of the halted scope can be accepted by a venue any more. `halted_at` to `at` is how long that took. */
  | {
      readonly kind: 'sealed';
      readonly scope: Scope;
      readonly state: EmergencyState;
      readonly epoch: number;
      readonly halted_at: number;
      readonly at: number;
    }
  | { readonly kind: 'cancel_orders'; readonly order: CancelOrder }
  | { readonly kind: 'flatten'; readonly order: FlattenOrder }
  /** One for each order an input changed, as it stands after that input. */
  | {
      readonly kind: 'order';
      readonly fact: OrderFact;
      readonly news: readonly OrderNews[];
      /** Its permit is open, so the desk itself still remembers all of the fact. */
      readonly is_open: boolean;
    }
  /** For the audit: each command with its answer, and each automatic change. */
  | {
      readonly kind: 'audit';
      readonly at: number;
      readonly action: string;
      readonly actor: string;
      readonly scope: Scope;
      readonly reason: string;
      readonly epoch: number;
      readonly command_id?: string;
      readonly outcome: string;
      readonly body: string;
    };

export type Reply =
  | { readonly kind: 'command'; readonly answer: CommandAnswer }
  | { readonly kind: 'permits'; readonly answers: readonly PermitAnswer[] }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: { readonly code: ErrorCode; readonly message: string } };
