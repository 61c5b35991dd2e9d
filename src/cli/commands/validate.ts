import type { Command } from 'commander';
import type { NodeKinds } from '../../activities/kinds';
import type { ImportEntry } from '../../graph/import-report';
import { formatMistakes, type Mistake } from '../../graph/mistake';
import { Ended } from '../failure';
import { checkGraphFile } from '../graph-file';
import { uiOf, type Io, type Ui } from '../io';
import { kindsFor } from '../kinds';

interface Verdict {
  readonly file: string;
  readonly valid: boolean;
  readonly nodes?: number;
  readonly mistakes: readonly Mistake[];
  /** What was changed when the graph came in another shape. */
  readonly imported: readonly ImportEntry[];
}

export function addValidate(program: Command, io: Io): void {
  program
    .command('validate')
    .description('list every mistake of one or more graphs, with its place')
    .argument('<file...>', 'graphs in JSON or YAML')
    .addHelpText('after', '\nExamples:\n  $ holdfast validate first.json\n  $ holdfast validate graphs/*.json --json')
    .action((files: string[], _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      const kinds = kindsFor(command, io);
      const verdicts = files.map((file) => judge(file, kinds));
      for (const verdict of verdicts) show(verdict, ui);
      if (verdicts.some((verdict) => !verdict.valid)) throw new Ended(2);
    });
}

function judge(file: string, kinds: NodeKinds): Verdict {
  const checked = checkGraphFile(file, kinds);
  if ('mistakes' in checked) return { file, valid: false, mistakes: checked.mistakes, imported: [] };
  const nodes = Object.keys(checked.prepared.graph.nodes).length;
  return { file, valid: true, nodes, mistakes: [], imported: checked.report };
}

function show(verdict: Verdict, ui: Ui): void {
  if (ui.json) {
    ui.data(verdict);
    return;
  }
  const { file, mistakes, imported, nodes = 0 } = verdict;
  if (verdict.valid) {
    ui.line(`${ui.paint('good', 'valid')}  ${file}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`);
    for (const { message } of imported) ui.line(`  ${message}`);
    return;
  }
  const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
  ui.line(`${ui.paint('bad', 'wrong')}  ${file}, ${count}`);
  ui.line(formatMistakes(mistakes, file));
}
