/** `alert`, `halt`, `shutdown` and `resume`: of one execution, or of a scope of the emergency desk. */
import { InvalidArgumentError, type Command } from 'commander';
import type { RaiseCommand } from '../../emergency/model';
import { isId } from '../../emergency/fields';
import { HoldfastError } from '../../errors';
import type { HoldfastClient } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { CONFIRM_MS, ifAnswered, isClosed, unconfirmed } from '../confirm';
import {
  addTargetOptions,
  epochOf,
  nonEmpty,
  reasonFor,
  targetOf,
  type Target,
  type TargetOptions,
} from '../desk-target';
import { uiOf, type Io, type Ui } from '../io';
import { lowerAtDesk } from '../lower-at-desk';
import { assertNotExecution, raiseAtDesk } from '../raise-at-desk';
import { until } from '../until';

type Raising = RaiseCommand['action'];

interface RaiseOptions extends TargetOptions {
  readonly reason?: string;
  readonly cancelOpen?: boolean;
  readonly cancelStops?: boolean;
  readonly commandId?: string;
  readonly wait: boolean;
}

interface ResumeOptions extends TargetOptions {
  readonly reason?: string;
  readonly expectedEpoch?: number;
  readonly approve?: boolean;
  readonly wait: boolean;
}

const MEANINGS: Readonly<Record<Raising, string>> = {
  alert: 'mark a scope for attention; nothing stops',
  halt: 'stop an execution where it stands, or a scope and with --all everything; durable until resumed',
  shutdown: 'as halt, but its executions are cancelled after what runs, and only two people can lift it',
};

export function addAlert(program: Command, io: Io): void {
  raising(program, 'alert', io).addHelpText(
    'after',
    '\nExample:\n  $ holdfast alert --bot bot_001 --reason "odd fills"',
  );
}

export function addHalt(program: Command, io: Io): void {
  raising(program, 'halt', io).addHelpText(
    'after',
    '\nExamples:\n  $ holdfast halt exec_first_graph_1a2b3c4d\n  $ holdfast halt --all --reason "odd prices"\n' +
      '  $ holdfast halt --symbol BTC/USDT --reason "odd prices"',
  );
}

export function addShutdown(program: Command, io: Io): void {
  raising(program, 'shutdown', io).addHelpText(
    'after',
    '\nExample:\n  $ holdfast shutdown --all --reason "keys leaked"',
  );
}

function raising(program: Command, action: Raising, io: Io): Command {
  const command = program.command(action).description(MEANINGS[action]).argument('[execution]', 'id of the execution');
  const cancels = action === 'alert' ? command : withCancels(command);
  return addTargetOptions(cancels)
    .option('--reason <text>', 'why, for the record', nonEmpty)
    .option('--command-id <id>', 'to be able to give the same command again', idOf)
    .option('--no-wait', 'do not wait for the seal and the executions')
    .action(async (execution: string | undefined, options: RaiseOptions, command: Command) => {
      const elapsed = stopwatch();
      const ui = uiOf(command, io);
      const target = targetOf(execution, options, action);
      const { reason = `${action} from the command line`, commandId, cancelOpen, cancelStops, desk, wait } = options;
      assertCancels(options, target);
      if ('execution' in target) {
        if (action !== 'halt') return assertNotExecution(action, target.execution);
        return steerOne(io, ui, { action, id: target.execution, reason, elapsed });
      }
      const flags = { cancel_open: cancelOpen, cancel_stops: cancelStops };
      const order = { action, scope: target.scope, desk, reason, command_id: commandId, ...flags };
      return raiseAtDesk(io, ui, { ...order, waits: wait, elapsed });
    });
}

function withCancels(command: Command): Command {
  return command
    .option('--cancel-open', 'cancel what rests at the venues, too, but for protective stops')
    .option('--cancel-stops', 'with --cancel-open: protective stops as well');
}

/** Throws `BadRequest`. */
function assertCancels({ cancelOpen, cancelStops }: RaiseOptions, target: Target): void {
  const given = [
    ...(cancelOpen === true ? ['--cancel-open'] : []),
    ...(cancelStops === true ? ['--cancel-stops'] : []),
  ];
  const [first] = given;
  if (first !== undefined && 'execution' in target) {
    throw new HoldfastError(
      'BadRequest',
      `${first} is for scopes of the desk; orders of one execution go with their bot or strategy.`,
    );
  }
  if (cancelStops === true && cancelOpen !== true) {
    throw new HoldfastError('BadRequest', '--cancel-stops is of use only together with --cancel-open.');
  }
}

export function addResume(program: Command, io: Io): void {
  const command = program
    .command('resume')
    .description('let a halted execution go on, or lift what holds a scope or with --all everything')
    .argument('[execution]', 'id of the execution');
  addTargetOptions(command)
    .option('--reason <text>', 'why, for the record; needed for a scope', nonEmpty)
    .option(
      '--expected-epoch <epoch>',
      'refuse when the scope changed after this epoch (default: what it shows)',
      epochOf,
    )
    .option('--approve', 'be the second person for the resume of a shutdown')
    .option('--no-wait', 'do not wait for the executions')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast resume exec_first_graph_1a2b3c4d\n' +
        '  $ holdfast resume --all --reason "prices are sound again"\n' +
        '  $ holdfast resume --all --approve --reason "keys are new"',
    )
    .action(async (execution: string | undefined, options: ResumeOptions, command: Command) => {
      const elapsed = stopwatch();
      const ui = uiOf(command, io);
      const target = targetOf(execution, options, 'resume');
      if ('execution' in target) {
        const { reason = 'resume from the command line' } = options;
        return steerOne(io, ui, { action: 'resume', id: target.execution, reason, elapsed });
      }
      const action = options.approve === true ? 'approve' : 'resume';
      const reason = reasonFor(`The ${action} of ${target.scope}`, options.reason);
      const { desk, expectedEpoch: expected_epoch, wait: waits } = options;
      return lowerAtDesk(io, ui, { action, scope: target.scope, desk, reason, expected_epoch, waits, elapsed });
    });
}

function stopwatch(): () => number {
  const given = performance.now();
  return () => Math.round(performance.now() - given);
}

function idOf(text: string): string {
  if (isId(text)) return text;
  throw new InvalidArgumentError('Use 1 to 200 characters without spaces.');
}

interface Order {
  readonly action: 'halt' | 'resume';
  readonly id: string;
  readonly reason: string;
  /** Milliseconds since the command was given. */
  readonly elapsed: () => number;
}

async function steerOne(io: Io, ui: Ui, order: Order): Promise<void> {
  const { action, id, reason, elapsed } = order;
  await withClient(io, async (client) => {
    await (action === 'halt' ? client.haltExecution(id, reason) : client.resumeExecution(id, reason));
    const accepted_ms = elapsed();
    const ask = () => ifAnswered(async () => settled(await client.executionStatus(id), action));
    const confirmed = await until(CONFIRM_MS, ask);
    if (!confirmed) throw unconfirmed(`${id} does not say yet that the ${action} holds`, accepted_ms);
    show(confirmed, order, { ui, accepted_ms });
  });
}

type Settled = Awaited<ReturnType<HoldfastClient['executionStatus']>>;

function show({ state, halts }: Settled, order: Order, { ui, accepted_ms }: { ui: Ui; accepted_ms: number }): void {
  const { action, id, reason, elapsed } = order;
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
  for (const halt of halts) {
    const which = halt.scope === 'global' ? '--all' : `--scope ${halt.scope}`;
    ui.line(`Still halted by ${halt.scope}: ${halt.reason}. \`holdfast resume ${which}\` lifts it.`);
  }
}

/** A resumed execution may still be halted by the desk; its own halt is what the command lifts. */
function settled(status: Settled, action: Order['action']): Settled | undefined {
  if (isClosed(status.state)) return status;
  if (action === 'halt') return status.state === 'halted' ? status : undefined;
  return status.halts.some((halt) => halt.scope === 'execution') ? undefined : status;
}
