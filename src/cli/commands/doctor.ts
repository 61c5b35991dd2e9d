import type { Command } from 'commander';
import { loadConfig } from '../../config/config';
import { checkStack, type Finding } from '../../local-stack/check';
import { Ended } from '../failure';
import { uiOf, type Io, type Ui } from '../io';

/** A service is missing. */
const UNWELL = 3;

export function addDoctor(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('check everything Holdfast needs on this machine and everything that should run')
    .addHelpText('after', '\nExample:\n  $ holdfast doctor')
    .action(async (_options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      const findings = await checkStack(loadConfig(io.environment));
      const ok = findings.every((finding) => finding.ok);
      if (ui.json) ui.data({ ok, findings });
      else
        findings.forEach((finding) => {
          show(finding, ui);
        });
      if (!ok) throw new Ended(UNWELL);
    });
}

function show({ name, ok, detail, next_step }: Finding, ui: Ui): void {
  ui.line(`${ok ? ui.paint('good', '✓') : ui.paint('bad', '✗')} ${name.padEnd(17)} ${detail.replaceAll('\n', ' · ')}`);
  if (next_step !== undefined) ui.line(`  ${''.padEnd(17)} ${ui.paint('quiet', `→ ${next_step}`)}`);
}
