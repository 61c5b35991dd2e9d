import type { Command } from 'commander';
import { HoldfastError, errorCatalogue, isErrorCode, type ErrorCode } from '../../errors';
import { present } from '../../json';
import type { HoldfastClient } from '../../temporal-client/holdfast-client';
import { withClient } from '../client';
import { follow, type Closing } from '../follow';
import { prepareGraphFile } from '../graph-file';
import { uiOf, type Io, type Ui } from '../io';
import { span } from '../table';
import { locate } from '../where';

interface Options {
  readonly follow?: boolean;
  readonly id?: string;
}

export function addRun(program: Command, io: Io): void {
  program
    .command('run')
    .description('start one execution of a graph; it need not be deployed')
    .argument('<file>', 'graph in JSON or YAML')
    .option('--follow', 'print its events until it ends; Ctrl-C stops the printing, not the execution')
    .option('--id <execution>', 'start under this id; one that was ever used is refused')
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast run first.json --follow\n  $ holdfast run first.json --id today_1 --json',
    )
    .action(async (file: string, options: Options, command: Command) => {
      const ui = uiOf(command, io);
      const { prepared: input, report } = prepareGraphFile(file);
      for (const sentence of report) ui.note(sentence);
      await withClient(io, async (client) => {
        const { execution_id } = await client.startExecution(input, present({ execution_id: options.id }));
        const { version: graph_version, mode } = input;
        if (ui.json) ui.data({ execution_id, workflow_id: input.graph.id, graph_version, mode });
        else ui.line(`${ui.paint('strong', execution_id)} started, ${mode}, version ${graph_version}`);
        if (options.follow === true) return followToEnd(client, execution_id, { ui, io });
        if (!ui.json) ui.line(`\`holdfast status ${execution_id}\` shows its nodes.`);
      });
    });
}

async function followToEnd(client: HoldfastClient, id: string, { ui, io }: { ui: Ui; io: Io }): Promise<void> {
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
