import type { Command } from 'commander';
import { withClient } from '../client';
import { uiOf, type Io } from '../io';

export function addCancel(program: Command, io: Io): void {
  program
    .command('cancel')
    .description('cancel an execution: nothing new starts, what runs is awaited, and it cannot be resumed')
    .argument('<execution>', 'id of the execution')
    .addHelpText('after', '\nExample:\n  $ holdfast cancel exec_first_graph_1a2b3c4d')
    .action(async (id: string, _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      await withClient(io, (client) => client.cancelExecution(id));
      if (ui.json) ui.data({ execution_id: id, requested: 'cancel' });
      else ui.line(`Cancellation of ${id} requested; \`holdfast status ${id}\` shows it end.`);
    });
}
