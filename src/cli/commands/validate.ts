import type { Command } from 'commander';
import { formatMistakes, type Mistake } from '../../graph/mistake';
import { Ended } from '../failure';
import { checkGraphFile } from '../graph-file';
import { uiOf, type Io, type Ui } from '../io';

interface Verdict {
  readonly file: string;
  readonly valid: boolean;
  readonly nodes?: number;
  readonly mistakes: readonly Mistake[];
  /** What was changed or left behind when the graph came in another shape. */
  readonly imported: readonly string[];
}

export function addValidate(program: Command, io: Io): void {
  program
    .command('validate')
    .description('list every mistake of one or more graphs, with its place')
    .argument('<file...>', 'graphs in JSON or YAML')
    .addHelpText('after', '\nExamples:\n  $ holdfast validate first.json\n  $ holdfast validate graphs/*.json --json')
    .action((files: string[], _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      const verdicts = files.map(judge);
      for (const verdict of verdicts) show(verdict, ui);
      if (verdicts.some((verdict) => !verdict.valid)) throw new Ended(2);
    });
}

function judge(file: string): Verdict {
  const checked = checkGraphFile(file);
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
    for (const sentence of imported) ui.line(`  ${sentence}`);
    return;
  }
  const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
  ui.line(`${ui.paint('bad', 'wrong')}  ${file}, ${count}`);
  ui.line(formatMistakes(mistakes, file));
}
