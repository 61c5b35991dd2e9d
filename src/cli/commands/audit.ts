import type { Command } from 'commander';
import { HoldfastError } from '../../errors';
import type { AuditRow, BrokenLink, DeskVerdict, Journal } from '../../journal/journal';
import { uiOf, type Io, type Ui } from '../io';
import { brief, table } from '../table';
import { wholeOption } from '../whole-option';
import { withJournal } from '../with-journal';

interface VerifyOptions {
  readonly desk?: string;
}

interface ListOptions {
  readonly desk: string;
  readonly limit: number;
}

export function addAudit(program: Command, io: Io): void {
  const audit = program.command('audit').description('read what the desks recorded, or prove that nobody changed it');
  audit
    .command('verify')
    .description('walk the chain of every desk; fails with the first entry that is not as it was written')
    .option('--desk <id>', 'only of this desk')
    .addHelpText('after', '\nExamples:\n  $ holdfast audit verify\n  $ holdfast audit verify --desk default --json')
    .action(async ({ desk }: VerifyOptions, command: Command) => {
      await withJournal(io, (journal) => verify(journal, desk, uiOf(command, io)));
    });
  audit
    .command('list')
    .description('list what a desk did and was asked, newest first')
    .option('--desk <id>', 'of this desk', 'default')
    .option('--limit <count>', 'at most so many, 1 to 1000', wholeOption(1, 1_000), 20)
    .addHelpText('after', '\nExamples:\n  $ holdfast audit list\n  $ holdfast audit list --limit 5 --json')
    .action(async (options: ListOptions, command: Command) => {
      await withJournal(io, (journal) => list(journal, options, uiOf(command, io)));
    });
}

async function verify(journal: Journal, desk: string | undefined, ui: Ui): Promise<void> {
  const { intact, desks } = await journal.verifyAudit(desk);
  // A name with a typo must not pass for an audit that is intact.
  if (desk !== undefined && desks.length === 0) {
    throw new HoldfastError('BadRequest', `Nothing is recorded of desk ${desk}.`, { desk_id: desk });
  }
  if (ui.json) ui.data({ intact, desks });
  else if (desks.length === 0) ui.line('Nothing is recorded.');
  else for (const each of desks) ui.line(verdictLine(each, ui));
  const [broken] = desks.flatMap((each) => (each.broken === undefined ? [] : [{ ...each.broken, desk: each.desk_id }]));
  if (broken === undefined) return;
  const { desk: desk_id, ...link } = broken;
  throw new HoldfastError('AuditBroken', `The audit of desk ${desk_id} is broken: ${words(link)}.`, {
    desk_id,
    ...link,
  });
}

function verdictLine({ desk_id, entries, hash, broken }: DeskVerdict, ui: Ui): string {
  const count = `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
  if (broken !== undefined) return `${ui.paint('bad', '✗')} ${desk_id}  ${count} intact, then: ${words(broken)}`;
  return `${ui.paint('good', '✓')} ${desk_id}  ${count} intact, up to ${hash}`;
}

function words({ damage, position, ordinal }: BrokenLink): string {
  const entry = `entry ${position}${ordinal === undefined ? '' : ` (ordinal ${ordinal})`}`;
  switch (damage) {
    case 'changed':
      return `${entry} was changed`;
    case 'reordered':
      return `${entry} does not follow the entry before it`;
    case 'missing':
      return `entry ${position} is missing${ordinal === undefined ? '' : `, before ordinal ${ordinal}`}`;
    case 'cut_off':
      return `${entry} and what follows were cut off`;
    case 'unaccounted':
      return `${entry} lies past the recorded end`;
  }
}

async function list(journal: Journal, { desk, limit }: ListOptions, ui: Ui): Promise<void> {
  const length = await journal.auditLength(desk);
  const rows = await journal.audit({ desk_id: desk, after: Math.max(0, length - limit), limit });
  const entries = rows.reverse();
  if (ui.json) ui.data({ desk_id: desk, entries, total: length });
  else if (entries.length === 0) ui.line(`Nothing is recorded of desk ${desk}.`);
  else for (const line of entryTable(entries)) ui.line(line);
  if (!ui.json && length > entries.length) ui.note(`${length} in all; --limit shows up to 1000.`);
}

function entryTable(entries: readonly AuditRow[]): string[] {
  const rows = entries.map((entry) => [
    String(entry.position),
    new Date(entry.at).toISOString(),
    entry.action,
    entry.scope,
    entry.outcome,
    entry.actor,
    brief(entry.reason),
  ]);
  return table(['ENTRY', 'AT', 'ACTION', 'SCOPE', 'OUTCOME', 'ACTOR', 'REASON'], rows);
}
