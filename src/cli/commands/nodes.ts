import type { Command } from 'commander';
import type { NodeKinds } from '../../activities/kinds';
import type { NodeKind } from '../../activities/define-node';
import { HoldfastError } from '../../errors';
import type { FieldDeclaration } from '../../graph/kinds';
import { createSuggest } from '../../graph/suggest';
import { present } from '../../json';
import { uiOf, type Io, type Ui } from '../io';
import { kindsFor } from '../kinds';
import { span, table } from '../table';

export function addNodes(program: Command, io: Io): void {
  program
    .command('nodes')
    .description('list the node kinds by family, or one kind with its fields, outputs and branches')
    .argument('[kind]', 'name of a kind')
    .addHelpText('after', '\nExamples:\n  $ holdfast nodes\n  $ holdfast nodes threshold --json')
    .action((name: string | undefined, _options: unknown, command: Command) => {
      const ui = uiOf(command, io);
      const kinds = kindsFor(command, io);
      if (name === undefined) showAll([...kinds.values()], ui);
      else showOne(kindOf(name, kinds), ui);
    });
}

function kindOf(name: string, kinds: NodeKinds): NodeKind {
  const kind = kinds.get(name);
  if (kind) return kind;
  const suggestion = createSuggest()(name, kinds.keys());
  const hint = suggestion === undefined ? '' : ` Did you mean ${suggestion}?`;
  throw new HoldfastError('UnknownKind', `There is no node kind ${name}.${hint}`, {
    ...present({ kind: name, suggestion }),
  });
}

/** The declaration as data: what a kind is, without its functions. */
function declarationOf(kind: NodeKind) {
  const { type, family, description, effect, branches, timeout_ms, retry, outputs, example } = kind;
  const fields: Record<string, object> = {};
  for (const [name, { type, description, required, default: preset }] of Object.entries(kind.fields)) {
    fields[name] = present({ type, required, default: preset, description });
  }
  return present({ type, family, description, effect, branches, timeout_ms, retry, fields, outputs, example });
}

function showAll(kinds: readonly NodeKind[], ui: Ui): void {
  if (ui.json) {
    ui.data(kinds.map(declarationOf));
    return;
  }
  const families = [...new Set(kinds.map((kind) => kind.family))];
  const rows = families.flatMap((family) =>
    kinds
      .filter((kind) => kind.family === family)
      .map((kind, at) => [at === 0 ? family : '', kind.type, kind.effect, kind.description]),
  );
  for (const line of table(['FAMILY', 'KIND', 'EFFECT', 'WHAT IT DOES'], rows)) ui.line(line);
}

function showOne(kind: NodeKind, ui: Ui): void {
  if (ui.json) {
    ui.data(declarationOf(kind));
    return;
  }
  const { max_attempts } = kind.retry;
  ui.line(`${ui.paint('strong', kind.type)}  ${kind.description}`);
  ui.line(
    `${kind.family}, ${kind.effect}; timeout ${span(kind.timeout_ms)}, ${max_attempts} ${max_attempts === 1 ? 'attempt' : 'attempts'}`,
  );
  const fields = Object.entries(kind.fields).map(([name, field]) => [
    name,
    field.type,
    givenAs(field),
    field.description,
  ]);
  const outputs = Object.entries(kind.outputs).map(([name, output]) => [name, output.type, output.description]);
  section(ui, ['FIELD', 'TYPE', 'GIVEN', 'WHAT IT IS'], fields);
  section(ui, ['OUTPUT', 'TYPE', 'WHAT IT IS'], outputs);
  if (kind.branches.length > 0) ui.line(`\nbranches: ${kind.branches.join(', ')}`);
  if (kind.example) ui.line(`\nexample: ${JSON.stringify(kind.example)}`);
}

function givenAs({ required, default: preset }: FieldDeclaration): string {
  if (required) return 'required';
  return preset === undefined ? 'optional' : `default ${JSON.stringify(preset)}`;
}

function section(ui: Ui, header: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) return;
  ui.line();
  for (const line of table(header, rows)) ui.line(line);
}
