/** What the worker's side asks of one emergency desk. */
import type { OpenOrders, OpenOrdersQuestion } from '../emergency/open-orders';
import type { ReducibleQuestion } from '../emergency/reducible';
import type {
  EmergencyState,
  Fill,
  PermitAnswer,
  PermitRequest,
  RaiseCommand,
  Scope,
  Settlement,
} from '../emergency/model';

export interface ScopeReading {
  readonly scope: Scope;
  /** Of its own causes. */
  readonly state: EmergencyState;
  /** Of its latest change; zero while nothing is known of it. */
  readonly epoch: number;
  /** Of its latest halt, also when that was lifted since. */
  readonly halted_epoch?: number;
  readonly reason?: string;
}

/** The desk's own answer at one moment. */
export interface DeskReading {
  readonly epoch: number;
  /** A scope that is not among them is normal. */
  readonly scopes: readonly ScopeReading[];
  /** Those of the command ids asked about whose commands the desk has decided. */
  readonly known_commands: readonly string[];
}

export interface PermitBatch {
  readonly requests: readonly PermitRequest[];
  readonly settlements: readonly Settlement[];
}

/** Every call settles within seconds; what is thrown means that nobody knows whether the desk heard it. */
export interface DeskPort {
  /** One consistent answer, of a moment after the call. */
  read(commandIds: readonly string[]): Promise<DeskReading>;
  /**
   * Resolves when the desk has decided the command, whoever delivered it first. Throws what the desk refuses with a code that a
   * repetition does not help, which is a decision too.
   */
  deliver(command: RaiseCommand): Promise<void>;
  /** Answers in the order of the requests; settlements are taken first. The same batch may arrive at the desk twice. */
  requestPermits(batch: PermitBatch): Promise<readonly PermitAnswer[]>;
  /** How much of a position an order may reduce, in base currency. */
  reducible(question: ReducibleQuestion): Promise<string>;
  /** What nobody has ended yet of one account. */
  openOrders(question: OpenOrdersQuestion): Promise<OpenOrders>;
  /** May be told twice. Throws what the desk refuses it for. */
  recordFill(fill: Fill): Promise<void>;
}
