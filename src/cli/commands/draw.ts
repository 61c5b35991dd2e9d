import type { Command } from 'commander';
import { drawMermaid } from '../../graph/draw';
import { prepareGraphFile } from '../graph-file';
import { uiOf, type Io } from '../io';
import { kindsFor } from '../kinds';

export function addDraw(program: Command, io: Io): void {
  program
    .command('draw')
    .description('draw a graph as a Mermaid flowchart')
    .argument('<file>', 'graph in JSON or YAML')
    .addHelpText('after', '\nExample:\n  $ holdfast draw first.json > first.mmd')
    .action((file: string, _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      const kinds = kindsFor(command, io);
      const mermaid = drawMermaid(prepareGraphFile(file, kinds).prepared.graph, kinds);
      if (ui.json) ui.data({ file, mermaid });
      else ui.line(mermaid.trimEnd());
    });
}
