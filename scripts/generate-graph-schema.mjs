/** Writes docs/graph.schema.json from the schema of the language and the node kinds; with `--check` only says whether it is current. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readIfThere, root } from './steps.mjs';

const require = createRequire(import.meta.url);
const ts = require('typescript');
const { z } = require('zod');
const target = join(root, 'docs/graph.schema.json');

/** The source itself is read, so the text is right also when dist is old. */
require.extensions['.ts'] = (module, file) => {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023, esModuleInterop: true };
  module._compile(ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions }).outputText, file);
};

const { graphSchema, durationSchema } = require(join(root, 'src/graph/schema.ts'));
const { kindCatalogue } = require(join(root, 'src/activities/kinds/index.ts'));
const kinds = [...kindCatalogue.values()];

const DECIMAL = '^-?(0|[1-9]\\d{0,29})(\\.\\d{1,30})?$';
const ref = (name) => ({ $ref: `#/$defs/${name}` });

const duration = {
  description: 'A number of seconds, or a text: "500ms", "30s", "5m", "1h", "1d".',
  anyOf: [
    { type: 'number', exclusiveMinimum: 0 },
    { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h|d)$' },
  ],
};

const MEANINGS = {
  nodes: 'The nodes, by id.',
  outputs: 'What it gives: a data reference by name.',
  params: 'Fields given as literals. Texts may hold {{references}}.',
  inputs: 'Fields given as references: node.output.',
  after: 'Endings to wait for: node, node.error, node.finished, node.branch.',
  when: 'A formula: the node runs only if it is true.',
  join: 'How many of the references in after (without any: of the data) must be taken.',
  on_error: 'What a failure means: the execution fails, or goes on.',
  timeout: 'Per attempt.',
  total_timeout: 'For all attempts together, with every wait between them.',
  retry: 'How often a failed attempt is made again, and when.',
  circuit_breaker: 'The resource whose breaker is asked before every attempt.',
  rate_limit: 'So many calls in so much time.',
  task_queue: 'The workers that run it.',
  max_age: 'How old what it gave may be when, after a halt, another node starts with it.',
  while: 'Of repeat: a formula; the body runs again while it is true.',
  body: 'Of map, repeat and subgraph: the graph inside.',
};

/** A literal of a field. Only texts can hold references. */
function literal({ type, description, default: initial, choices, range }) {
  const shapes = {
    text: choices === undefined ? { type: 'string' } : { enum: choices },
    formula: { type: 'string' },
    boolean: { type: 'boolean' },
    integer: { type: 'integer', ...(range === undefined ? {} : { minimum: range.min, maximum: range.max }) },
    number: { type: 'number' },
    decimal: { type: 'string', pattern: DECIMAL },
    decimals: { type: 'array', items: { type: 'string', pattern: DECIMAL } },
    duration: ref('duration'),
    object: { type: 'object' },
    list: { type: 'array' },
    any: {},
  };
  return { description, ...(initial === undefined ? {} : { default: initial }), ...shapes[type] };
}

const mapped = (members, change) =>
  Object.fromEntries(Object.entries(members).map(([name, each]) => [name, change(each)]));

/** What a node of this kind may hold, beyond what every node may. */
function rulesOf({ type, effect, fields, open_fields: open, body }) {
  const reference = ({ description }) => ({ type: 'string', description });
  const given = (where, name) => ({ properties: { [where]: { required: [name] } }, required: [where] });
  const required = Object.keys(fields).filter((name) => fields[name].required);
  const forbidden = [
    ...(effect === 'control' ? ['timeout', 'retry', 'circuit_breaker', 'rate_limit', 'task_queue'] : []),
    ...(effect === 'pure' ? ['circuit_breaker', 'rate_limit', 'max_age'] : []),
    ...(effect === 'trade' ? ['retry'] : []),
    ...(type === 'repeat' ? [] : ['while']),
    ...(body === undefined ? ['body'] : []),
  ];
  return {
    properties: {
      params: { properties: mapped(fields, literal), additionalProperties: open === undefined ? false : literal(open) },
      inputs: { properties: mapped(fields, reference), additionalProperties: open !== undefined },
      ...Object.fromEntries(forbidden.map((key) => [key, false])),
    },
    ...(body !== undefined && body.instead_of === undefined ? { required: ['body'] } : {}),
    ...(required.length === 0
      ? {}
      : { allOf: required.map((name) => ({ anyOf: [given('params', name), given('inputs', name)] })) }),
  };
}

function described(kind) {
  const outputs = Object.keys(kind.outputs);
  const ways = kind.branches.length > 0 ? [`Branches: ${kind.branches.join(', ')}.`] : [];
  const gives = outputs.length > 0 ? [`Outputs: ${outputs.join(', ')}.`] : [];
  return { const: kind.type, description: [kind.description, ...gives, ...ways].join(' ') };
}

function withMeanings(schema) {
  for (const [key, meaning] of Object.entries(MEANINGS)) {
    const property = schema.properties[key];
    if (property !== undefined) schema.properties[key] = { description: meaning, ...property };
  }
  return schema;
}

function render() {
  const schema = z.toJSONSchema(graphSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema !== durationSchema) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      Object.assign(jsonSchema, ref('duration'));
    },
  });
  const { $defs, ...graph } = schema;
  const [[name, node]] = Object.entries($defs).filter(([, each]) => each.properties?.params !== undefined);
  withMeanings(node);
  node.properties.type = { description: 'The node kind.', oneOf: kinds.map(described) };
  node.allOf = kinds.map((kind) => ({
    if: { properties: { type: { const: kind.type } }, required: ['type'] },
    then: rulesOf(kind),
  }));
  const whole = {
    ...withMeanings(graph),
    title: 'A Holdfast graph',
    $defs: { ...$defs, duration },
  };
  return `${JSON.stringify(whole, null, 2).replaceAll(`"${name}"`, '"node"').replaceAll(`#/$defs/${name}"`, '#/$defs/node"')}\n`;
}

const text = render();
if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readIfThere(target) !== text) {
  console.error('docs/graph.schema.json is out of date: run node scripts/generate-graph-schema.mjs');
  process.exitCode = 1;
}
