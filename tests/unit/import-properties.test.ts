import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { kindCatalogue } from '../../src/activities/kinds';
import { importGraph } from '../../src/graph/import-document';
import type { Imported } from '../../src/graph/import-report';
import { fromPointer, toPointer } from '../../src/graph/pointer';
import { graphSchema } from '../../src/graph/schema';

const convert = (document: unknown) => importGraph(document, kindCatalogue, 'any.json');
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Pointers of everything below a value that has nothing below it. */
function leavesOf(value: unknown, pointer: string): string[] {
  const entries = isObject(value) ? Object.entries(value) : [];
  if (entries.length === 0) return [pointer];
  return entries.flatMap(([key, inner]) => leavesOf(inner, pointer + toPointer(key)));
}

function at(document: unknown, pointer: string): unknown {
  return fromPointer(pointer).reduce<unknown>((value, step) => (isObject(value) ? value[step] : undefined), document);
}

const isBelow = (pointer: string, around: string) => pointer === around || pointer.startsWith(`${around}/`);

/** Every place of the original that the graph's nodes and triggers hold something of, with what they hold. */
function carriedFrom({ document, originOf }: Imported): Map<string, unknown> {
  const parts = ['nodes', 'triggers'].flatMap((key) =>
    isObject(document) && key in document ? leavesOf(document[key], toPointer(key)) : [],
  );
  return new Map(parts.map((pointer) => [originOf(pointer), at(document, pointer)]));
}

const word = fc.constantFrom('a', 'b', 'price', 'value', 'min', 'trigger', 'message', 'pass', '1', '__proto__', 'to/x');
const id = fc.oneof(word, fc.uuid(), fc.integer({ min: 0, max: 3 }));
const type = fc.oneof(
  fc.constantFrom('ticker', 'threshold', 'compare', 'if', 'notify', 'alert', 'wait', 'constant', 'spread', 'buy'),
  fc.constantFrom('schedule', 'manual', 'price_monitor', 'and', 'toString'),
  fc.string(),
);
const category = fc.constantFrom('monitor', 'conditions', 'action', 'trigger', 'control', 'gadget', '');
const ports = fc.oneof(
  fc.array(fc.oneof(word, fc.record({ name: word, type: fc.constantFrom('trigger', 'float') }), fc.jsonValue())),
  fc.jsonValue({ maxDepth: 1 }),
);
const settings = fc.oneof(
  fc.dictionary(
    fc.oneof(word, fc.constantFrom('venue', 'exchange', 'operator', 'seconds', 'ms', 'max', 'constructor')),
    fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double({ noDefaultInfinity: true, noNaN: true })),
  ),
  fc.jsonValue({ maxDepth: 1 }),
);
const block = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      { id, category, type, properties: settings, config: settings, inputs: ports, outputs: ports, x: fc.integer() },
      { requiredKeys: ['type'] },
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);
const end = fc.oneof(
  { weight: 8, arbitrary: fc.record({ blockId: id, index: fc.integer({ min: 0, max: 2 }) }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
);
const connection = fc.oneof(
  { weight: 8, arbitrary: fc.record({ from: end, to: end }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
);
const wild = fc.record({
  blocks: fc.array(block, { maxLength: 6 }),
  connections: fc.array(connection, { maxLength: 8 }),
});

/** Well-formed but crowded: few blocks and ports, many connections, so that they meet in the same ports. */
const port = fc.constantFrom(
  'value',
  'min',
  'trigger',
  'signal',
  'message',
  'condition',
  'pass',
  'true',
  'last',
  'error',
);
const crowdedBlock = fc.record({
  category,
  type: fc.constantFrom('ticker', 'threshold', 'compare', 'if', 'notify', 'constant', 'schedule', 'manual', 'buy'),
  properties: fc.dictionary(fc.constantFrom('value', 'interval', 'every', 'seconds', 'min', 'x'), fc.integer()),
  inputs: fc.oneof(
    fc.array(port, { minLength: 2, maxLength: 3 }),
    fc.dictionary(port, fc.constantFrom('n0.value', 'n1.pass', 'n1', 'n9.x', 'n0.a.b')),
  ),
  outputs: fc.array(port, { minLength: 2, maxLength: 3 }),
});
const crowdedEnd = fc.record({ blockId: fc.constantFrom('n0', 'n1', 'n2'), index: fc.integer({ min: 0, max: 1 }) });
const crowded = fc
  .record({
    blocks: fc.array(crowdedBlock, { minLength: 2, maxLength: 3 }),
    connections: fc.array(fc.record({ from: crowdedEnd, to: crowdedEnd }), { minLength: 4, maxLength: 10 }),
  })
  .map(({ blocks, connections }) => ({ blocks: blocks.map((each, at) => ({ id: `n${at}`, ...each })), connections }));
const builder = fc.oneof(wild, crowded);

describe('importing the builder shape', () => {
  it('carries or reports every property, port and connection, with a place that exists', () => {
    fc.assert(
      fc.property(builder, (drawn) => {
        const document = JSON.parse(JSON.stringify(drawn)) as Record<string, unknown>;
        const imported = convert(document);
        const carried = carriedFrom(imported);
        const told = imported.report.map(({ path }) => path);
        const isTold = (leaf: string) =>
          imported.report.some(({ severity, path }) => (severity === 'lost' ? isBelow(leaf, path) : leaf === path));
        for (const leaf of (document['blocks'] as unknown[]).flatMap(settingsOf)) {
          const isCarried =
            carried.has(leaf) && JSON.stringify(carried.get(leaf)) === JSON.stringify(at(document, leaf));
          expect([leaf, isCarried || isTold(leaf)]).toEqual([leaf, true]);
        }
        (document['connections'] as unknown[]).forEach((_, index) => {
          const pointer = toPointer('connections', index);
          const found = [...carried.keys(), ...told].some((place) => isBelow(place, pointer));
          expect([pointer, found]).toEqual([pointer, true]);
        });
        for (const pointer of (document['blocks'] as unknown[]).flatMap(namedInputsOf)) {
          expect([pointer, carried.has(pointer) || isTold(pointer)]).toEqual([pointer, true]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives every block that is an object a node or a trigger of its own, under a valid id', () => {
    fc.assert(
      fc.property(builder, (document) => {
        const { document: graph } = convert(document) as { document: { nodes: object; triggers?: object; ui: object } };
        const ids = Object.keys((graph.ui as { blocks: object }).blocks);
        const objects = document.blocks.filter((each) => isObject(each) && !Array.isArray(each));
        expect(ids).toHaveLength(objects.length);
        for (const each of ids) expect(graphSchema.shape.id.safeParse(each).success).toBe(true);
        expect(ids).toEqual(
          expect.arrayContaining([...Object.keys(graph.nodes), ...Object.keys(graph.triggers ?? {})]),
        );
        expect(ids.length - Object.keys(graph.nodes).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('importing anything', () => {
  const nodes = fc.oneof(
    fc.dictionary(word, fc.oneof(settings, fc.record({ type, value: fc.jsonValue(), inputs: ports, next: word }))),
    fc.array(fc.record({ id, type, depends_on: fc.oneof(word, fc.array(word)), inputs: settings, config: settings })),
  );
  const inline = fc.record(
    { nodes, edges: fc.array(fc.oneof(fc.tuple(word, word), fc.record({ from: word, to: word }), fc.jsonValue())) },
    { requiredKeys: ['nodes'] },
  );
  const anything = fc.oneof(
    fc.jsonValue(),
    builder,
    inline,
    fc.record({ workflow: fc.oneof(builder, fc.jsonValue()), name: fc.jsonValue() }),
    fc.record({ blocks: fc.jsonValue(), connections: fc.jsonValue() }),
    fc.record({ holdfast: fc.jsonValue(), nodes: fc.jsonValue(), blocks: fc.array(fc.jsonValue()) }),
  );

  it('never throws, leaves the original alone, and says everything in one sentence with a place', () => {
    fc.assert(
      fc.property(anything, (document) => {
        const before = JSON.stringify(document);
        const { report } = convert(document);
        expect(JSON.stringify(document)).toBe(before);
        for (const { message, path } of report) {
          expect(message).toMatch(/^[^a-z].*\.$/s);
          expect(path).toMatch(/^\//);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('changes nothing that is in the language already, and nothing twice', () => {
    fc.assert(
      fc.property(anything, (document) => {
        const once = convert(document);
        const twice = convert(once.document);
        expect(twice.document).toBe(once.document);
        expect(twice.report).toEqual([]);
        expect(twice.originOf('/a/b')).toBe('/a/b');
        if (isObject(document) && 'holdfast' in document) expect(once.document).toBe(document);
      }),
    );
  });

  it('takes no longer for a hundred thousand things of the same name', () => {
    const many = <T>(value: T) => Array.from({ length: 100_000 }, () => value);
    const names = Array.from({ length: 100_000 }, (_, at) => `n${at}`);
    const before = process.cpuUsage();
    convert({ blocks: many({}) });
    convert({ nodes: many({ id: 'a' }) });
    convert({ nodes: { a: { depends_on: names } } });
    // Quadratic growth would take minutes of work, however loaded the machine.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(40);
  });

  it('survives values nested far deeper than a graph may be', () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown;
    const block = { id: 'a', type: 'constant', properties: { value: deep, b: deep }, inputs: deep, extra: deep };
    expect(() => convert({ blocks: [block, deep], connections: [deep] })).not.toThrow();
    expect(() =>
      convert({ nodes: { a: { type: 'sma', values: deep, config: { a: deep } } }, edges: deep }),
    ).not.toThrow();
  });
});

/** Pointers of what stands in inputs that are an object. */
function namedInputsOf(value: unknown, index: number): string[] {
  if (!isObject(value) || Array.isArray(value) || !isObject(value['inputs']) || Array.isArray(value['inputs']))
    return [];
  return Object.keys(value['inputs']).map((name) => toPointer('blocks', index, 'inputs', name));
}

/** Pointers of the leaves of a block's settings. */
function settingsOf(value: unknown, index: number): string[] {
  if (!isObject(value) || Array.isArray(value)) return [];
  return ['properties', 'config']
    .filter((key) => Object.hasOwn(value, key))
    .flatMap((key) => leavesOf(value[key], toPointer('blocks', index, key)))
    .filter((leaf) => !isEmptySettings(leaf, value));
}

/** `{}` holds nothing that could be carried. */
function isEmptySettings(leaf: string, value: Record<string, unknown>): boolean {
  const [, , key, ...rest] = fromPointer(leaf);
  const settings = value[key ?? ''];
  return rest.length === 0 && isObject(settings) && !Array.isArray(settings);
}
