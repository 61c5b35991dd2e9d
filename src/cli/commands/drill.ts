/** `drill`: a halt rehearsed on paper, with the times it took. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { kindCatalogue } from '../../activities/kinds';
import { loadConfig } from '../../config/config';
import { HoldfastError } from '../../errors';
import { drill, type DrillReport } from '../../temporal-client/drill';
import { withClient } from '../client';
import { uiOf, type Io, type Ui } from '../io';

interface Options {
  readonly report?: string;
}

export function addDrill(program: Command, io: Io): void {
  program
    .command('drill')
    .description(
      'rehearse a halt on a desk of its own, on paper: loss, limit, halt, resume; nothing that runs hears of it',
    )
    .option('--report <file>', 'where the report goes instead of the stack’s folder')
    .addHelpText('after', '\nExamples:\n  $ holdfast drill\n  $ holdfast drill --json')
    .action(async ({ report: given }: Options, command: Command) => {
      const ui = uiOf(command, io);
      const options = { actor: io.actor, kinds: kindCatalogue, say: ui.json ? ui.note : ui.line };
      const report = await withClient(io, (client) => drill(client, options));
      const file = given ?? fileOf(loadConfig(io.environment).home, report);
      writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
      if (ui.json) ui.data({ ...report, report: file });
      else show(report, file, ui);
      if (!report.passed)
        throw new HoldfastError('DrillFailed', `The drill did not pass; ${file} says where.`, { file });
    });
}

function fileOf(home: string, { started_at }: DrillReport): string {
  const folder = join(home, 'drills');
  mkdirSync(folder, { recursive: true });
  return join(folder, `${started_at.replaceAll(':', '-')}.json`);
}

function show({ orders, ...report }: DrillReport, file: string, ui: Ui): void {
  ui.line();
  ui.line(report.passed ? ui.paint('good', 'passed') : ui.paint('bad', 'not passed'));
  ui.line(
    `  orders let out   ${orders.before} before the loss, ${orders.during} until the first refusal, ${orders.after_refusal} after it`,
  );
  ui.line(`  desk answered    ${report.desk_answered_ms} ms after the loss was sent`);
  ui.line(`  first refusal    ${report.first_refusal_ms} ms`);
  ui.line(`  sealed           ${report.sealed_ms} ms`);
  ui.line(`  execution halted ${report.execution_halted_ms} ms`);
  ui.line(`  report           ${file}`);
}
