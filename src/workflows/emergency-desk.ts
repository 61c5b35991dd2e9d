/**
 * The emergency desk: one workflow for ever, the single place where halts and order permits are put in one order. The rules are
 * `src/emergency`; here an input is decided in one step, answered, and what follows goes out by the outbox.
 */
import { ApplicationFailure } from '@temporalio/common';
import {
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  patched,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { leadingCause } from '../emergency/causes';
import { decide, initialDesk, statusOf, type DeskState } from '../emergency/decide';
import type { CommandAnswer, DeskInput, Effect, PermitAnswer, Reply, Scope } from '../emergency/model';
import { figuresOf } from '../emergency/figures';
import { openOrdersOf } from '../emergency/open-orders';
import { NEED_NO_AUDIT } from '../emergency/obey';
import { reducibleOf } from '../emergency/reducible';
import { GLOBAL, mostSevere } from '../emergency/scopes';
import { present } from '../json';
import {
  alertSignal,
  cashFlowUpdate,
  commandUpdate,
  deskStatusQuery,
  figuresQuery,
  gateQuery,
  haltDeskSignal,
  knowsCommandQuery,
  openOrdersQuery,
  reducibleQuery,
  recordFillUpdate,
  recordMarkUpdate,
  recordPriceUpdate,
  refusedSignal,
  registerBotUpdate,
  requestPermitsUpdate,
  setLimitsUpdate,
  shutdownSignal,
  type Acceptance,
  type DeskSettings,
  type DeskStart,
  type GateReading,
  type GateScope,
  type PermitBatch,
} from './desk-messages';
import { startBroadcast, startCancels, startFlatten } from './desk-children';
import { probe } from './desk-calls';
import { DeskOutbox, emptyOutbox } from './desk-outbox';
import { DeskTeller } from './desk-teller';
import { OrderOutbox } from './order-outbox';
import { isUnreadable } from './payload-converter';

const TELLS_ORDERS = 'orders';
const CANCELS = 'cancels';
const FLATTENS = 'flattens';

/**
 * Events after which the desk goes on in a new run. Another worker replays them all within one workflow task of three seconds, or takes
 * over never: a task that timed out begins anew, ever later. On two busy cores a thousand events took a second (3 ms for each of 170 tasks);
 * 400 leave room for what comes while a run is to end, and for a machine many times as slow. With a second for a task, such a machine had
 * desks that stood still for half a minute.
 */
const LONGEST_HISTORY = 400;
/** The server ends a run's updates at 2,000. */
const MOST_UPDATES = 1_000;
/** Of those: beyond it permits are refused, so that what is left is for commands while a run cannot end yet. */
const PERMITS_END_AT = 1.8;
/** What is told when a run is to end has so long to arrive. */
const PATIENCE_MS = 1_000;
/** How often it asks what the journal saw, and looks at the clock. */
const CHECK_EVERY_MS = 30_000;

/** A cancel request would lift a halt by ending the workflow that holds it, so it is not heard. */
export async function emergencyDesk(input: DeskStart): Promise<void> {
  return CancellationScope.nonCancellable(() => new Desk(input).hold());
}

class Desk {
  readonly #id: string;
  readonly #settings: DeskSettings | undefined;
  readonly #mostUpdates: number;
  readonly #outbox: DeskOutbox;
  /** Undefined in a run that a release began which told of none. */
  readonly #orders: OrderOutbox | undefined;
  /** Whether this run starts cancels; what is owed waits for one that does. */
  readonly #cancels = patched(CANCELS);
  /** The same for what closes positions. */
  readonly #flattens = patched(FLATTENS);
  #state: DeskState;
  #updates = 0;
  #leaving = false;
  readonly #teller: DeskTeller;
  /** Loops that tell; each ends when the run is to end. */
  #telling = 0;
  /** Given up when it keeps a run from its end; whatever was told may be told again. */
  readonly #outside = new CancellationScope();

  constructor({ desk_id, settings, carried }: DeskStart) {
    this.#id = desk_id;
    this.#settings = settings;
    this.#mostUpdates = settings?.updates_per_run ?? MOST_UPDATES;
    this.#state = carried?.desk ?? initialDesk({ desk_id, initialised: false }, Date.now());
    this.#orders = patched(TELLS_ORDERS) ? new OrderOutbox(this.#state, carried?.outbox.orders, settings) : undefined;
    this.#outbox = new DeskOutbox(desk_id, carried?.outbox ?? emptyOutbox(Date.now()), this.#orders);
    this.#teller = new DeskTeller({
      ...{ desk_id, outbox: this.#outbox, orders: this.#orders, outside: this.#outside },
      isLeaving: () => this.#leaving,
      onSeen: (epoch) => {
        this.#compare(epoch);
      },
    });
    if (carried === undefined) this.#outbox.take(beginning(this.#state), Date.now());
  }

  async hold(): Promise<void> {
    this.#listen();
    this.#teller.start();
    void this.#start(
      () => this.#outbox.owesNotices,
      () => this.#outbox.takeNotices().map((notice) => startBroadcast({ desk_id: this.#id, notice })),
    );
    if (this.#cancels) {
      void this.#start(
        () => this.#outbox.owesCancels,
        () => this.#outbox.takeCancels().map((order) => startCancels({ desk_id: this.#id, ...order })),
      );
    }
    if (this.#flattens) {
      void this.#start(
        () => this.#outbox.owesFlattens,
        () => this.#outbox.takeFlattens().map((order) => startFlatten({ desk_id: this.#id, ...order })),
      );
    }
    void this.#check();
    await condition(() => this.#isLong);
    await this.#leave();
    const orders = this.#orders?.carry(this.#state);
    const carried = { desk: this.#state, outbox: { ...this.#outbox.carry(), ...present({ orders }) } };
    await continueAsNew<typeof emergencyDesk>({
      desk_id: this.#id,
      ...present({ settings: this.#settings }),
      carried,
    });
  }

  /**
   * What is being told ends first: its end, arriving while the run ends, would make the server refuse that, and with it the updates of the
   * same task.
   */
  async #leave(): Promise<void> {
    const isQuiet = () => this.#telling + this.#teller.telling === 0 && allHandlersFinished();
    this.#leaving = true;
    if (await condition(isQuiet, PATIENCE_MS)) return;
    this.#outside.cancel();
    await condition(isQuiet);
  }

  get #isLong(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const longest = this.#settings?.events_per_run ?? LONGEST_HISTORY;
    return historyLength >= longest || continueAsNewSuggested || this.#updates >= this.#mostUpdates;
  }

  #listen(): void {
    setHandler(deskStatusQuery, () => statusOf(this.#state, Date.now()));
    setHandler(knowsCommandQuery, (id) => this.#state.commands.some(({ command_id }) => command_id === id));
    setHandler(gateQuery, (ids) => this.#gateReading(ids));
    setHandler(figuresQuery, () => figuresOf(this.#state, Date.now()));
    setHandler(reducibleQuery, (question) => reducibleOf(this.#state, question));
    setHandler(openOrdersQuery, (question) => openOrdersOf(this.#state, question));
    for (const signal of [alertSignal, haltDeskSignal, shutdownSignal]) {
      const name = signal.name as 'alert' | 'halt' | 'shutdown';
      setHandler(signal, (payload) => {
        this.#decide({ kind: 'signal', name, payload: isUnreadable(payload) ? undefined : payload });
      });
    }
    setHandler(refusedSignal, (refusal) => {
      this.#decide({ kind: 'refused_command', ...asObject(refusal) });
    });
    setHandler(commandUpdate, (command) => this.#command(command));
    setHandler(setLimitsUpdate, (command) => this.#command({ ...asObject(command), action: 'set_limits' }));
    setHandler(registerBotUpdate, (command) => this.#command({ ...asObject(command), action: 'register_bot' }));
    setHandler(cashFlowUpdate, (command) => this.#command({ ...asObject(command), action: 'cash_flow' }));
    setHandler(requestPermitsUpdate, (batch) => this.#permits(batch), {
      validator: (_batch: PermitBatch) => {
        this.#assertRoomForPermits();
      },
    });
    setHandler(recordFillUpdate, (fill) => this.#update({ kind: 'fill', fill }) as Acceptance);
    setHandler(recordMarkUpdate, (mark) => this.#update({ kind: 'mark', mark }) as Acceptance);
    setHandler(recordPriceUpdate, (price) => this.#update({ kind: 'price', price }) as Acceptance);
    setDefaultSignalHandler((name) => {
      log.warn('signal_ignored', { signal: name });
    });
  }

  #gateReading(ids: readonly string[]): GateReading {
    const { epoch, scopes, commands } = this.#state;
    const known = new Set(commands.map(({ command_id }) => command_id));
    return {
      epoch,
      scopes: [...new Set([...Object.keys(scopes), ...this.#outbox.haltedScopes])].map((scope) =>
        this.#gateScope(scope),
      ),
      known_commands: ids.filter((id) => known.has(id)),
    };
  }

  #gateScope(scope: Scope): GateScope {
    const standing = this.#state.scopes[scope];
    const causes = standing?.causes ?? [];
    return {
      ...{ scope, state: mostSevere(causes.map(({ state }) => state)), epoch: standing?.epoch ?? 0 },
      ...present({ halted_epoch: this.#outbox.haltOf(scope), reason: leadingCause(causes)?.reason }),
    };
  }

  #decide(input: DeskInput): Reply {
    const now = Date.now();
    const { state, reply, effects } = decide(this.#state, input, now);
    this.#state = state;
    this.#outbox.take(effects, state.clock);
    return reply;
  }

  #update(input: DeskInput): Reply {
    this.#updates += 1;
    return this.#decide(input);
  }

  #permits(batch: unknown): readonly PermitAnswer[] {
    const { requests, settlements } = asObject(batch);
    // What is no list is refused by the rules, and recorded.
    const asked = { requests: requests as [], settlements: settlements as [] };
    const reply = this.#update({ kind: 'permits', ...asked, ...present({ order_room: this.#orders?.room }) });
    return reply.kind === 'permits' ? reply.answers : [];
  }

  /** A refusal here leaves no trace in the run, so it is no step towards the server's bound. */
  #assertRoomForPermits(): void {
    if (this.#updates < this.#mostUpdates * PERMITS_END_AT) return;
    throw ApplicationFailure.create({
      type: 'DeskBusy',
      message: 'the desk is about to go on in a new run; ask again',
    });
  }

  /** What raises waits for nothing; what lowers or sets must be recorded, so the journal is asked first. */
  async #command(command: unknown): Promise<CommandAnswer> {
    const audit_available = NEED_NO_AUDIT.includes(asObject(command)['action']) || (await this.#canRecord());
    const reply = this.#update({ kind: 'command', command, audit_available });
    if (reply.kind !== 'command') throw new RangeError('a command is answered by an answer');
    return reply.answer;
  }

  /** A handler's own scope is the workflow's, which a cancel request that is not heard has cancelled all the same. */
  async #canRecord(): Promise<boolean> {
    return CancellationScope.nonCancellable(() => this.#isJournalUp());
  }

  /** What the journal saw beyond what is known here was forgotten, by a database put back: then the desk is halted and says so. */
  async #isJournalUp(): Promise<boolean> {
    try {
      this.#compare(await probe.journalWitness(this.#id));
      return true;
    } catch {
      return false;
    }
  }

  #compare(seen: number): void {
    if (seen > this.#state.epoch) this.#decide({ kind: 'witness', epoch: seen });
  }

  /** What a database put back has forgotten nobody says, so it is asked for: at the start of every run, and now and then. */
  async #check(): Promise<void> {
    this.#telling += 1;
    do {
      await this.#outside.run(() => this.#isJournalUp());
      this.#decide({ kind: 'tick' });
    } while (!(await condition(() => this.#leaving, this.#untilNextCheck)));
    this.#telling -= 1;
  }

  /** What was forgotten can be sealed after a moment. */
  get #untilNextCheck(): number {
    const { blind_until = 0, clock } = this.#state;
    return blind_until > clock ? blind_until - clock : CHECK_EVERY_MS;
  }

  /** A workflow of its own for each: telling or cancelling thousands must not hold up the desk, nor end with a run of it. */
  async #start(owes: () => boolean, next: () => readonly Promise<void>[]): Promise<void> {
    this.#telling += 1;
    for (;;) {
      await condition(() => this.#leaving || owes());
      if (this.#leaving) break;
      await Promise.all(next());
    }
    this.#telling -= 1;
  }
}

/** A desk that begins anew has forgotten what the one before it knew, and says so like any other halt. */
function beginning(state: DeskState): readonly Effect[] {
  const [global] = statusOf(state, state.clock).scopes;
  return (global?.causes ?? []).flatMap(({ state: now, reason, actor, epoch, since: at }): readonly Effect[] => [
    { kind: 'state_changed', scope: GLOBAL, previous: 'normal', state: now, epoch, reason, actor },
    { kind: 'audit', at, action: now, actor, scope: GLOBAL, reason, epoch, outcome: 'ok', body: '' },
  ]);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
