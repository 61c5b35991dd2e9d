import type { Command } from 'commander';
import { HoldfastError, errorCatalogue, isErrorCode, type ErrorCode } from '../../errors';
import { present } from '../../json';
import type { HoldfastClient, StartedExecution } from '../../temporal-client/holdfast-client';
import type { RunGraphInput } from '../../workflows/messages';
import { withClient } from '../client';
import { follow, type Closing } from '../follow';
import { prepareGraphFile } from '../graph-file';
import { kindsFor } from '../kinds';
import { uiOf, type Io, type Ui } from '../io';
import { addInputOptions, startInputs, type InputOptions } from '../start-inputs';
import { span } from '../table';
import { locate } from '../where';

interface Options extends InputOptions {
  readonly follow?: boolean;
  readonly id?: string;
  readonly live?: boolean;
}

export function addRun(program: Command, io: Io): void {
  const command = program
    .command('run')
    .description('start one execution of a graph; it need not be deployed')
    .argument('<file>', 'graph in JSON or YAML')
    .option('--follow', 'print its events until it ends; Ctrl-C stops the printing, not the execution')
    .option('--id <execution>', 'start under this id; the same start again is answered with what there is')
    .option('--live', 'yes, trade with real money: at live venue profiles, and at no others');
  addInputOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast run first.json --follow\n  $ holdfast run arb.json --id today_1 --input quote_amount=50 --json',
    )
    .action(async (file: string, options: Options, self: Command) => {
      const ui = uiOf(self, io);
      const { prepared: input, report } = prepareGraphFile(file, kindsFor(self, io), modeOf(options));
      for (const { message } of report) ui.note(message);
      const inputs = startInputs(input.graph, options);
      await withClient(io, async (client) => {
        const started = await client.startExecution(input, present({ execution_id: options.id, inputs }));
        const { execution_id } = started;
        sayStarted(started, input, ui);
        if (options.follow === true) return followToEnd(client, execution_id, { ui, io });
        if (!ui.json) ui.line(`\`holdfast status ${execution_id}\` shows its nodes.`);
      });
    });
}

/** Paper, unless real money was asked for by name. */
export function modeOf({ live }: { readonly live?: boolean }): RunGraphInput['mode'] {
  return live === true ? 'live' : 'paper';
}

/** A start that was made before says so: nothing new runs. */
export function sayStarted(started: StartedExecution, { graph, version, mode }: RunGraphInput, ui: Ui): void {
  const { execution_id, already_started } = started;
  if (ui.json) {
    ui.data({ execution_id, workflow_id: graph.id, graph_version: version, mode, ...present({ already_started }) });
    return;
  }
  const what = already_started === true ? 'was already started, by the same request' : 'started';
  ui.line(`${ui.paint('strong', execution_id)} ${what}, ${mode}, version ${version}`);
}

/** Throws when it did not complete. */
export async function followToEnd(client: HoldfastClient, id: string, { ui, io }: { ui: Ui; io: Io }): Promise<void> {
  const leaving = new AbortController();
  const release = io.onInterrupt(() => {
    leaving.abort();
  });
  try {
    const closing = await follow(id, { client, where: await locate(io), ui, signal: leaving.signal });
    if (closing) {
      conclude(id, closing, ui);
      return;
    }
    ui.note(`Stopped following; ${id} goes on. \`holdfast status ${id}\` shows it, \`holdfast halt ${id}\` stops it.`);
  } finally {
    release();
  }
}

/** Throws when the execution did not complete, so that the exit code says so. */
function conclude(id: string, closing: Closing, ui: Ui): void {
  const { status, duration_ms, error } = closing;
  if (ui.json) ui.data({ type: 'result', execution_id: id, ...closing });
  if (status !== 'completed') {
    const why = error === undefined ? '.' : `: ${error}`;
    throw new HoldfastError(codeOf(closing), `${id} ${status} after ${span(duration_ms)}${why}`, { ...closing });
  }
  if (!ui.json) ui.line(`${id} ${ui.paint('good', 'completed')} in ${Math.round(duration_ms)} ms`);
}

function codeOf({ status, error_type }: Closing): ErrorCode {
  if (status !== 'failed') return 'ExecutionCancelled';
  return isErrorCode(error_type) && errorCatalogue[error_type].exit_code >= 4 ? error_type : 'NodeFailed';
}
