/** `halt` and `resume`: the command, and how long until those concerned say that it holds. */
import type { Command } from 'commander';
import { HoldfastError, type ErrorCode } from '../../errors';
import type { ExecutionSummary, HoldfastClient } from '../../temporal-client/holdfast-client';
import type { DeskStatus, ExecutionState } from '../../workflows/messages';
import { withClient } from '../client';
import { uiOf, type Io, type Ui } from '../io';
import { until } from '../until';
import { deskLine } from './status';

type Action = 'halt' | 'resume';

interface Options {
  readonly all?: boolean;
  readonly reason: string;
}

interface Order {
  readonly action: Action;
  readonly reason: string;
  readonly actor: string;
  readonly client: HoldfastClient;
  /** Milliseconds since the command was given. */
  readonly elapsed: () => number;
}

const AT_ONCE = 20;
const CONFIRM_MS = 10_000;
const SILENCE: ReadonlySet<ErrorCode> = new Set(['WorkerUnavailable', 'EmergencyUnreachable']);
const CLOSED: ReadonlySet<ExecutionState> = new Set(['completed', 'failed', 'cancelled']);

export function addHalt(program: Command, io: Io): void {
  steering(program, 'halt', io)
    .description('stop an execution where it stands, or with --all everything; durable until resumed')
    .addHelpText('after', examples('halt'));
}

export function addResume(program: Command, io: Io): void {
  steering(program, 'resume', io)
    .description('let a halted execution go on, or with --all lift the global halt')
    .addHelpText('after', examples('resume'));
}

function examples(action: Action): string {
  return [
    '',
    'Examples:',
    `  $ holdfast ${action} exec_first_graph_1a2b3c4d`,
    `  $ holdfast ${action} --all --reason "${action === 'halt' ? 'odd prices' : 'prices are sound again'}"`,
  ].join('\n');
}

function steering(program: Command, action: Action, io: Io): Command {
  return program
    .command(action)
    .argument('[execution]', 'id of the execution')
    .option('--all', 'every execution, and new ones too')
    .option('--reason <text>', 'why, for the record', `${action} from the command line`)
    .action(async (id: string | undefined, options: Options, command: Command) => {
      const given = performance.now();
      const ui = uiOf(command, io);
      const target = targetOf(id, options, action);
      await withClient(io, async (client) => {
        const order: Order = {
          action,
          client,
          reason: options.reason,
          actor: io.actor,
          elapsed: () => Math.round(performance.now() - given),
        };
        await (target === 'all' ? steerAll(order, ui) : steerOne(order, target.id, ui));
      });
    });
}

/** A halt that guesses its scope is worse than one that asks. */
function targetOf(id: string | undefined, { all = false }: Options, action: Action): 'all' | { readonly id: string } {
  if (id !== undefined && !all) return { id };
  if (id === undefined && all) return 'all';
  const which = all ? 'not both' : 'one of both is needed';
  throw new HoldfastError('BadRequest', `Name an execution to ${action}, or give --all: ${which}.`);
}

async function steerOne(order: Order, id: string, ui: Ui): Promise<void> {
  const { client, action, reason, elapsed } = order;
  await (action === 'halt' ? client.haltExecution(id, reason) : client.resumeExecution(id, reason));
  const accepted_ms = elapsed();
  const confirmed = await until(CONFIRM_MS, () =>
    ifAnswered(async () => settled(await client.executionStatus(id), action)),
  );
  if (!confirmed) throw unconfirmed(`${id} does not say yet that the ${action} holds`, accepted_ms);
  const { state, halts } = confirmed;
  const confirmed_ms = elapsed();
  if (ui.json) {
    ui.data({ execution_id: id, action, reason, state, halts, accepted_ms, confirmed_ms });
    return;
  }
  ui.line(
    `${id} is ${ui.paint('strong', state)}: accepted after ${accepted_ms} ms, confirmed after ${confirmed_ms} ms.`,
  );
  if (action === 'halt') {
    ui.line(`reason: ${reason}`);
    return;
  }
  for (const halt of halts)
    ui.line(`Still halted by ${halt.scope}: ${halt.reason}. \`holdfast resume --all\` lifts it.`);
}

type Settled = Awaited<ReturnType<HoldfastClient['executionStatus']>>;

/** A resumed execution may still be halted by the desk; its own halt is what the command lifts. */
function settled(status: Settled, action: Action): Settled | undefined {
  if (CLOSED.has(status.state)) return status;
  if (action === 'halt') return status.state === 'halted' ? status : undefined;
  return status.halts.some((halt) => halt.scope === 'execution') ? undefined : status;
}

async function steerAll(order: Order, ui: Ui): Promise<void> {
  const { client, action, reason, actor, elapsed } = order;
  await (action === 'halt' ? client.haltDesk({ reason, actor }) : client.resumeDesk({ reason, actor }));
  const accepted_ms = elapsed();
  const wanted = action === 'halt' ? 'halt' : 'normal';
  const desk = await until(CONFIRM_MS, () =>
    ifAnswered(async () => {
      const status = await client.deskStatus();
      return status.state === wanted ? status : undefined;
    }),
  );
  if (!desk) throw unconfirmed(`the desk does not say yet that the ${action} holds`, accepted_ms);
  const desk_ms = elapsed();
  const executions = await settleAll(order);
  const answer = { action, reason, accepted_ms, desk_ms, executions_ms: elapsed(), desk, executions };
  if (ui.json) ui.data(answer);
  else showAll(answer, ui);
  if (executions.silent.length > 0) {
    throw unconfirmed(
      `${executions.silent.length} open executions do not say yet that the ${action} holds`,
      accepted_ms,
    );
  }
}

interface Everyone {
  readonly confirmed: readonly string[];
  readonly silent: readonly string[];
}

/** A few at a time: asking every open execution at once would compete with the very tasks that halt them. */
async function settleAll({ client, action }: Order): Promise<Everyone> {
  const confirmed: string[] = [];
  const silent: string[] = [];
  const deadline = Date.now() + CONFIRM_MS;
  const queue = (await openExecutions(client)).values();
  const lane = async (): Promise<void> => {
    for (const { execution_id } of queue) {
      const holds = await until(deadline - Date.now(), () =>
        unlessSilent(() => holdsFor(client, execution_id, action)),
      );
      (holds === true ? confirmed : silent).push(execution_id);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { confirmed, silent };
}

/** What one execution does not answer, for whatever reason, is no reason to leave out the others. */
async function unlessSilent<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

async function holdsFor(client: HoldfastClient, id: string, action: Action): Promise<true | undefined> {
  const { state, halts } = await client.executionStatus(id);
  if (CLOSED.has(state)) return true;
  return (action === 'halt' ? state === 'halted' : !halts.some(({ scope }) => scope === 'global')) || undefined;
}

async function openExecutions(client: HoldfastClient): Promise<ExecutionSummary[]> {
  const found: ExecutionSummary[] = [];
  let page: string | undefined;
  do {
    const next = await client.listExecutions({ open: true, limit: 1_000, ...(page === undefined ? {} : { page }) });
    found.push(...next.executions);
    page = next.next_page;
  } while (page !== undefined);
  return found;
}

interface Answer {
  readonly accepted_ms: number;
  readonly desk_ms: number;
  readonly executions_ms: number;
  readonly desk: DeskStatus;
  readonly executions: Everyone;
}

function showAll({ accepted_ms, desk_ms, executions_ms, desk, executions }: Answer, ui: Ui): void {
  const { confirmed, silent } = executions;
  ui.line(deskLine(desk, ui));
  ui.line(`accepted after ${accepted_ms} ms, in force at the desk after ${desk_ms} ms (epoch ${desk.epoch})`);
  const all = confirmed.length + silent.length;
  ui.line(`${confirmed.length} of ${all} open executions confirmed after ${executions_ms} ms`);
  for (const id of silent) ui.line(`  silent: ${id}`);
}

/** Nobody answers yet: no reason to stop asking before the deadline. */
async function ifAnswered<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HoldfastError && SILENCE.has(error.code)) return undefined;
    throw error;
  }
}

/** The signal is in Temporal's history: it cannot get lost, it is only not yet carried out. */
function unconfirmed(what: string, acceptedMs: number): HoldfastError {
  const message = `Temporal accepted it after ${acceptedMs} ms, but ${what}.`;
  return new HoldfastError('WorkerUnavailable', message, { accepted_ms: acceptedMs });
}
