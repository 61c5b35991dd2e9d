import type { Command } from 'commander';
import type { NodeKinds } from '../../activities/kinds';
import { HoldfastError } from '../../errors';
import { importGraph } from '../../graph/import-document';
import { formatImportReport, type ImportEntry, type Imported } from '../../graph/import-report';
import { formatMistakes } from '../../graph/mistake';
import { parseGraphText, type ParsedText } from '../../graph/parse';
import { validateGraph } from '../../graph/validate';
import { Ended } from '../failure';
import { textOf } from '../graph-file';
import { uiOf, type Io, type Ui } from '../io';
import { kindsFor } from '../kinds';
import { writeNew } from '../write-new';

interface Options {
  readonly out?: string;
  readonly force?: boolean;
  readonly allowLoss?: boolean;
}

const EXAMPLES = `
What was changed or lost is told on stderr, each with its place. Where something was lost nothing is
written, unless you allow it.

Examples:
  $ holdfast import builder.json --out graph.json
  $ holdfast import builder.json --allow-loss --out graph.json
  $ holdfast import builder.json --json`;

export function addImport(program: Command, io: Io): void {
  program
    .command('import')
    .description('turn a graph of another shape into the language, and say what could not be carried')
    .argument('<file>', 'a builder’s export, or nodes with inline parameters')
    .option('--out <file>', 'where to write the graph instead of stdout')
    .option('--force', 'overwrite a file that exists')
    .option('--allow-loss', 'write the graph even though something was lost')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: Options, command: Command) => {
      const ui = uiOf(command, io);
      const kinds = kindsFor(command, io);
      const parsed = readable(file);
      const imported = importGraph(parsed.document, kinds, file);
      const lost = imported.report.filter(({ severity }) => severity === 'lost').length;
      const refused = lost > 0 && options.allowLoss !== true;
      if (!refused && options.out !== undefined) writeNew(options.out, textFor(imported), options.force === true);
      if (ui.json) sayJson({ file, imported, parsed, refused, out: options.out }, ui);
      else say({ file, imported, parsed, refused, out: options.out, kinds }, ui);
      if (refused) throw new Ended(2);
    });
}

/** Throws `FileUnreadable`, or `GraphInvalid` for a text that is no JSON or YAML object. */
function readable(file: string): ParsedText {
  const parsed = parseGraphText(textOf(file));
  const { mistakes } = parsed;
  if (mistakes.length === 0) return parsed;
  throw new HoldfastError('GraphInvalid', `The text cannot be imported:\n${formatMistakes(mistakes, file)}`, {
    mistakes,
  });
}

function textFor({ document }: Imported): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

interface Conversion {
  readonly file: string;
  readonly imported: Imported;
  readonly parsed: ParsedText;
  readonly refused: boolean;
  readonly out: string | undefined;
}

function sayJson({ file, imported, parsed, refused, out }: Conversion, ui: Ui): void {
  const report = imported.report.map((entry) => ({ ...entry, ...parsed.locate(entry.path) }));
  const where = refused || out === undefined ? {} : { out };
  ui.data({ file, written: !refused, ...where, ...(refused ? {} : { graph: imported.document }), report });
}

function say(
  { file, imported, parsed, refused, out, kinds }: Conversion & { readonly kinds: NodeKinds },
  ui: Ui,
): void {
  const { document, report } = imported;
  if (document === parsed.document) ui.note(`${file} is in no other shape; it was left as it is.`);
  if (report.length > 0)
    ui.note(formatImportReport(inTextOrder(report, parsed), file, (path) => placeIn(parsed, path)));
  if (refused) {
    ui.note(`${lostIn(report)}, so nothing was written. --allow-loss writes the graph without it.`);
    return;
  }
  if (out === undefined) ui.line(textFor(imported).trimEnd());
  else ui.line(`Wrote ${out}. Check it with \`holdfast validate ${out}\`.`);
  const mistakes = validateGraph(document, kinds).mistakes.length;
  if (mistakes > 0)
    ui.note(`The graph has ${mistakes === 1 ? 'a mistake' : `${mistakes} mistakes`} and cannot run yet.`);
}

function inTextOrder(report: readonly ImportEntry[], { locate }: ParsedText): ImportEntry[] {
  const placed = report.map((entry) => ({ entry, line: 0, column: 0, ...locate(entry.path) }));
  return placed.sort((a, b) => a.line - b.line || a.column - b.column).map(({ entry }) => entry);
}

function placeIn({ locate }: ParsedText, path: string): string | undefined {
  const place = locate(path);
  return place && `${place.line}:${place.column}`;
}

function lostIn(report: readonly ImportEntry[]): string {
  const count = report.filter(({ severity }) => severity === 'lost').length;
  return count === 1 ? 'One thing was lost' : `${count} things were lost`;
}
