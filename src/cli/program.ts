import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { loadConfig } from '../config/config';
import { addAudit } from './commands/audit';
import { addDrill } from './commands/drill';
import { addBots } from './commands/bots';
import { addCancel } from './commands/cancel';
import { addCancelAll } from './commands/cancel-all';
import { addDeploy } from './commands/deploy';
import { addDesk } from './commands/desk';
import { addDoctor } from './commands/doctor';
import { addDraw } from './commands/draw';
import { addFlatten } from './commands/flatten';
import { addAlert, addHalt, addResume, addShutdown } from './commands/halt';
import { addImport } from './commands/import';
import { addLimits } from './commands/limits';
import { addList } from './commands/list';
import { addNew } from './commands/new';
import { addNodes } from './commands/nodes';
import { addOrders } from './commands/orders';
import { addRerun } from './commands/rerun';
import { addRun } from './commands/run';
import { addSchedules } from './commands/schedules';
import { addStatus } from './commands/status';
import { addApprove, addMessage, addRetry, addSkip } from './commands/steer-node';
import { addBackfill, addPause, addTrigger, addUndeploy, addUnpause } from './commands/steer-schedule';
import { addToken } from './commands/token';
import { addUp } from './commands/up';
import { addValidate } from './commands/validate';
import { report } from './failure';
import type { Io } from './io';
import { collectModule } from './kinds';

const EXAMPLES = `
Examples:
  $ holdfast up                          start everything this machine needs
  $ holdfast new first.json              write a first graph
  $ holdfast run first.json --follow     run it and watch its nodes
  $ holdfast halt --all --reason "odd prices"

Exit codes: 0 done · 1 defect · 2 bad input · 3 a service is missing · 4 refused · 5 the execution did not succeed`;

/** Every command, in the order a newcomer meets them. */
const commands = [
  addUp,
  addNew,
  addNodes,
  addValidate,
  addImport,
  addDraw,
  addRun,
  addDeploy,
  addSchedules,
  addTrigger,
  addPause,
  addUnpause,
  addBackfill,
  addUndeploy,
  addList,
  addStatus,
  addAlert,
  addHalt,
  addShutdown,
  addResume,
  addCancelAll,
  addFlatten,
  addLimits,
  addBots,
  addDesk,
  addCancel,
  addApprove,
  addMessage,
  addRetry,
  addSkip,
  addRerun,
  addOrders,
  addAudit,
  addDrill,
  addToken,
  addDoctor,
];

/** The command line, writing to `io` alone; it throws where commander would end the process. */
export function buildProgram(io: Io): Command {
  const program = new Command('holdfast')
    .description('Runs trading strategies, and any other graph of steps, as durable Temporal workflows.')
    .version(packageVersion(), '-V, --version')
    .option('--json', 'one JSON value per line instead of text')
    .option('--no-color', 'no colours')
    .option('--nodes <module>', 'a module of own node kinds; may be given more than once', collectModule)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => undefined, getOutHasColors: () => false })
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  for (const add of commands) add(program, io);
  return program;
}

/** Runs one command line, without the program's own name; returns the exit code and never throws. */
export async function runCommandLine(args: readonly string[], io: Io): Promise<number> {
  const program = buildProgram(io);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, io, { json: args.includes('--json'), stack: wantsStack(io) });
  }
}

/** A configuration that cannot be read is what is being reported; it does not ask for a stack too. */
function wantsStack(io: Io): boolean {
  try {
    return loadConfig(io.environment).log.level === 'debug';
  } catch {
    return false;
  }
}

/** The same relative place from `src` and from `dist`. */
function packageVersion(): string {
  const text = readFileSync(join(__dirname, '../../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
