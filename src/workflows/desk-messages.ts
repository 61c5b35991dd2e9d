/**
 * What can be said to the emergency desk and what it answers. Names here are the names on the wire:
 * `temporal workflow signal --workflow-id desk/default --name halt --input '{"scope":"bot:bot_001","reason":"odd prices"}'`.
 */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { CancelOrder, CancelReport, CancelResult, CancelTarget } from '../emergency/cancels';
import type { DeskState, DeskStatus } from '../emergency/decide';
import type { ClosingTarget, FlattenReport, FlattenResult } from '../emergency/flatten';
import type {
  CommandAnswer,
  EmergencyState,
  FlattenOrder,
  OrderFact,
  PermitAnswer,
  Reply,
  Scope,
} from '../emergency/model';
import type { DeskFigures } from '../emergency/figures';
import type { AccountRef, OpenOrders, OpenOrdersQuestion } from '../emergency/open-orders';
import type { ReducibleQuestion } from '../emergency/reducible';
import type { Publication } from '../events/build';
import type { AuditEntry } from '../journal/entry';
import type { Trail } from './messages';

export const EMERGENCY_DESK = 'emergencyDesk';
export const EMERGENCY_BROADCAST = 'emergencyBroadcast';
export const ORDER_EXPORT = 'deskOrderExport';
export const CANCEL_OPEN_ORDERS = 'cancelOpenOrders';
export const FLATTEN_POSITIONS = 'flattenPositions';

/** What is asked of it; one that cannot be read halts `global`. */
export const alertSignal = defineSignal<[unknown?]>('alert');
export const haltDeskSignal = defineSignal<[unknown?]>('halt');
export const shutdownSignal = defineSignal<[unknown?]>('shutdown');

export interface RefusedCommand {
  readonly code: string;
  /** As it was given, with its actor. */
  readonly command: unknown;
}

/** A command that was refused before it came here. It changes nothing and is recorded. */
export const refusedSignal = defineSignal<[RefusedCommand]>('refused');

/** Any command; a refusal is an answer, and recorded. The other three take the same without `action`. */
export const commandUpdate = defineUpdate<CommandAnswer, [unknown]>('command');
export const setLimitsUpdate = defineUpdate<CommandAnswer, [unknown]>('set_limits');
export const registerBotUpdate = defineUpdate<CommandAnswer, [unknown]>('register_bot');
export const cashFlowUpdate = defineUpdate<CommandAnswer, [unknown]>('cash_flow');

export interface PermitBatch {
  readonly requests: readonly unknown[];
  readonly settlements: readonly unknown[];
}

/** Answers in the order of the requests. */
export const requestPermitsUpdate = defineUpdate<readonly PermitAnswer[], [PermitBatch]>('request_permits');

export type Acceptance = Extract<Reply, { kind: 'accepted' | 'refused' }>;

export const recordFillUpdate = defineUpdate<Acceptance, [unknown]>('record_fill');
export const recordMarkUpdate = defineUpdate<Acceptance, [unknown]>('record_mark');
export const recordPriceUpdate = defineUpdate<Acceptance, [unknown]>('record_price');

export const deskStatusQuery = defineQuery<DeskStatus>('status');
/** What a worker's gate must know, in one consistent answer; the ids are of commands it asks about. */
export const gateQuery = defineQuery<GateReading, [readonly string[]]>('gate');

/** What nobody has ended yet of one account, for those who ask its venue. */
/** Decimal text; of a desk that runs. */
export const reducibleQuery = defineQuery<string, [ReducibleQuestion]>('reducible');
export const openOrdersQuery = defineQuery<OpenOrders, [OpenOrdersQuestion]>('open_orders');

/** What its scopes earned, are worth and hold. */
export const figuresQuery = defineQuery<DeskFigures>('figures');

export interface GateReading {
  readonly epoch: number;
  readonly scopes: readonly GateScope[];
  /** Those of the ids asked about whose commands the desk has decided. */
  readonly known_commands: readonly string[];
}

export interface GateScope {
  readonly scope: Scope;
  /** Of its own causes. */
  readonly state: EmergencyState;
  /** Of its latest change; zero while it is normal. */
  readonly epoch: number;
  /** Of its latest halt, also when that was lifted since. */
  readonly halted_epoch?: number;
  readonly reason?: string;
}

/** Whether the command of this id was carried out or refused. */
export const knowsCommandQuery = defineQuery<boolean, [string]>('knows_command');

/** From the desk to an execution: the state of one scope. */
export interface EmergencyNotice {
  readonly state: EmergencyState;
  readonly scope: Scope;
  readonly epoch: number;
  readonly reason: string;
}

/** What the desk has decided and not yet told. */
export interface CarriedOutbox {
  /** Of the next audit entry; grows for ever. */
  readonly ordinal: number;
  readonly audit: readonly AuditEntry[];
  readonly events: readonly Publication[];
  readonly notices: readonly EmergencyNotice[];
  /** The epoch of the latest halt of each scope, also when that was lifted since: permits from before are of no use. */
  readonly halts: readonly (readonly [scope: Scope, epoch: number])[];
  /** Absent from a run that started none. */
  readonly cancels?: readonly CancelOrder[];
  /** Absent from a run that started none. */
  readonly flattens?: readonly FlattenOrder[];
  /** Absent from a run that did not tell of orders. */
  readonly orders?: CarriedOrders;
}

/** What is owed of orders. By permit id, what the desk's own state holds; in full, what it has forgotten. */
export interface CarriedOrders {
  readonly young?: readonly string[];
  readonly open?: readonly string[];
  readonly ended?: readonly OrderFact[];
  readonly untold?: readonly OrderFact[];
}

/** How long a run lasts; shorter ones than the desk's own make a test quick. */
export interface DeskSettings {
  readonly events_per_run?: number;
  readonly updates_per_run?: number;
  /** Orders that may wait for the journal. */
  readonly orders_waiting?: number;
  /** And how many characters those may have that it has forgotten itself. */
  readonly orders_text?: number;
}

export interface DeskStart {
  readonly desk_id: string;
  readonly settings?: DeskSettings;
  /** From the run before. */
  readonly carried?: { readonly desk: DeskState; readonly outbox: CarriedOutbox };
}

/** What the desk hands on because it cannot carry it. */
export interface OrderExport {
  readonly desk_id: string;
  readonly facts: readonly OrderFact[];
}

export interface BroadcastInput {
  readonly desk_id: string;
  readonly notice: EmergencyNotice;
}

export interface CancelInput extends CancelOrder {
  readonly desk_id: string;
  /** Shorter runs make a test quick. */
  readonly settings?: Pick<DeskSettings, 'events_per_run'>;
  /** From the run before. */
  readonly carried?: CarriedCancels;
}

export interface CarriedCancels {
  readonly accounts: readonly CarriedAccount[];
  readonly unreachable: readonly AccountRef[];
}

/** One account's orders between two rounds. */
export interface CarriedAccount extends AccountRef {
  /** Undefined until the orders were listed. */
  readonly terms?: CancelTerms;
  readonly pending: readonly CancelTarget[];
  readonly results: readonly CancelResult[];
  /** Pauses since the list was made: at least so much time has passed. */
  readonly waited_ms: number;
  readonly pause_ms: number;
}

/** What the rounds of one account go by. */
export interface CancelTerms {
  /** The desk's. */
  readonly currency: string;
  /** From the list on: then the venue accepts nothing more that was permitted before it, and shows all it has. Absent: never. */
  readonly fenced_after_ms?: number;
  readonly query_lag_ms: number;
}

/** How far a cancel is; of its closed workflow it is the result. */
export const cancelReportQuery = defineQuery<CancelReport>('cancels');

export function cancelsWorkflowId(deskId: string, name: string | number): string {
  return `desk/${deskId}/cancels/${name}`;
}

export interface FlattenInput extends FlattenOrder {
  readonly desk_id: string;
  /** Shorter runs make a test quick. */
  readonly settings?: Pick<DeskSettings, 'events_per_run'>;
  /** From the run before. */
  readonly carried?: CarriedFlatten;
}

export interface CarriedFlatten {
  readonly pass: number;
  readonly has_cancelled: boolean;
  readonly results: readonly FlattenResult[];
  /** Whose orders have not ended. */
  readonly legs: readonly CarriedLeg[];
}

/** One order between two dispatches. */
export interface CarriedLeg {
  readonly target: ClosingTarget;
  readonly dispatch: number;
  readonly trail?: Trail;
}

/** How far a flatten is; of its closed workflow it is the result. */
export const flattenReportQuery = defineQuery<FlattenReport>('flatten');

export function flattenWorkflowId(deskId: string, name: string | number): string {
  return `desk/${deskId}/flatten/${name}`;
}
