import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import type { HoldfastError } from '../../src/errors';
import { mappingOf } from '../../src/graph/builder-kinds';
import { importGraph } from '../../src/graph/import-document';
import type { Mistake } from '../../src/graph/mistake';
import { planGraph, type Plan } from '../../src/graph/plan';
import { prepareGraph } from '../../src/graph/prepare';

const folder = join(__dirname, '../fixtures/importers');
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');
const names = readdirSync(folder)
  .filter((file) => !file.endsWith('.expected.json'))
  .map((file) => file.replace(/\.json$/, ''));
const hasTwin = (name: string) => existsSync(join(folder, `${name}.expected.json`));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const prepare = (file: string) =>
  prepareGraph({ text: textOf(file), file }, kindCatalogue, { mode: 'paper', sha256 }).prepared;

const imported = (name: string) => importGraph(JSON.parse(textOf(`${name}.json`)), kindCatalogue, `${name}.json`);
const entries = (name: string) => imported(name).report.map(({ severity, path }) => `${severity} ${path}`);

/** What a plan does: its nodes, and its edges between names, whatever order they are written in. */
function meaningOf({ nodes, edges }: Plan) {
  const name = (at: number) => nodes[at]?.id;
  return {
    nodes: nodes.map((node) => ({ ...node, incoming: [], outgoing: [] })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: edges.map(({ from, to, carries, on }) => `${name(from)} ${carries} ${on} ${name(to)}`).sort(),
  };
}

function refusalOf(name: string): readonly Mistake[] {
  try {
    prepare(`${name}.json`);
  } catch (error) {
    if ((error as HoldfastError).code !== 'GraphInvalid') throw error;
    return (error as HoldfastError).details['mistakes'] as readonly Mistake[];
  }
  throw new Error(`${name} was accepted`);
}

/** What each broken document loses, and what validation says of the rest, by its place in that document. */
const broken: Readonly<Record<string, readonly string[]>> = {
  'builder-missing-ids': ['not_imported /blocks/3/id', 'not_imported /connections/0/to/blockId'],
  'builder-duplicate-ids': ['not_imported /blocks/1/id'],
  'builder-index-out-of-range': [
    'missing_field /blocks/1',
    'not_imported /connections/0/from/index',
    'not_imported /connections/1/to/index',
    'not_imported /connections/2',
    'not_imported /connections/3',
  ],
  'builder-cycle': ['cycle /blocks/0'],
  'builder-unknown-names': [
    'unknown_kind /blocks/1/type',
    'unknown_field /blocks/2/properties/mesage',
    'unknown_kind /blocks/3/type',
  ],
  'builder-ports-without-lists': [
    'missing_field /blocks/1',
    'not_imported /blocks/1/inputs',
    'not_imported /blocks/1/outputs',
    'not_imported /blocks/2/inputs/0',
    'not_imported /blocks/2/inputs/1',
    'not_imported /blocks/2/inputs/2',
    'not_imported /blocks/2/outputs/0',
    'not_imported /connections/0/from/index',
    'not_imported /connections/0/to/index',
    'not_imported /connections/1/from/index',
    'not_imported /connections/1/to/index',
  ],
  'builder-not-objects': [
    'not_imported /blocks/0',
    'not_imported /blocks/1',
    'not_imported /blocks/2',
    'not_imported /blocks/3',
    'missing_field /blocks/4',
    'not_imported /blocks/4/properties',
    'not_imported /connections',
  ],
  'builder-bad-connections': [
    'not_imported /connections/0',
    'not_imported /connections/1',
    'not_imported /connections/2',
    'not_imported /connections/3',
    'not_imported /connections/4',
    'not_imported /connections/5/to/delay',
    'not_imported /connections/5/condition',
  ],
  'builder-orders': [
    'unknown_kind /workflow/blocks/0/type',
    'unknown_kind /workflow/blocks/1/type',
    'unknown_kind /workflow/blocks/2/type',
    'not_imported /workflow/blocks/2/enabled',
    'not_imported /config',
    'not_imported /auto_start',
  ],
  'builder-fan-in': [
    'missing_field /blocks/3',
    'not_imported /connections/1',
    'not_imported /connections/3',
    'not_imported /connections/4',
  ],
  'builder-two-starts': [
    'not_imported /blocks/0',
    'unknown_kind /blocks/0/type',
    'not_imported /blocks/1',
    'unknown_kind /blocks/1/type',
  ],
  'builder-start-with-more': [
    'not_imported /blocks/0/properties/seconds',
    'not_imported /blocks/0/properties/days',
    'not_imported /blocks/0/retry',
    'not_imported /connections/0',
    'not_imported /connections/1',
  ],
  'inline-lossy': [
    'not_imported /nodes/1/id',
    'missing_field /nodes/3',
    'missing_field /nodes/3',
    'not_imported /nodes/3/inputs',
    'shape /nodes/4/after',
    'not_imported /nodes/4/depends_on',
    'not_imported /edges/0',
    'not_imported /edges/1',
    'not_imported /edges/2/when',
  ],
};

describe('the documents importers are tested with', () => {
  it('are each either equal to a graph written by hand, or known to be broken', () => {
    expect(names.filter((name) => hasTwin(name) === Object.hasOwn(broken, name))).toEqual([]);
    expect(names.length).toBeGreaterThanOrEqual(20);
  });
});

describe.each(names.filter(hasTwin))('%s', (name) => {
  it('loses nothing', () => {
    expect(entries(name).filter((entry) => entry.startsWith('lost'))).toEqual([]);
  });

  it('runs like the graph of the same meaning that is written by hand', () => {
    const converted = prepare(`${name}.json`);
    const written = prepare(`${name}.expected.json`);
    const headOf = (graph: object) => ({ ...graph, nodes: undefined, ui: undefined });
    expect(headOf(converted.graph)).toEqual(headOf(written.graph));
    expect(meaningOf(planGraph(converted.graph, converted.kinds))).toEqual(
      meaningOf(planGraph(written.graph, written.kinds)),
    );
  });

  it('is the same graph when it is converted once more', () => {
    const { document } = imported(name);
    expect(importGraph(document, kindCatalogue).document).toBe(document);
  });
});

describe.each(Object.entries(broken))('%s', (name, expected) => {
  it('is refused with everything that is wrong, at its place in the original', () => {
    const mistakes = refusalOf(name);
    expect(mistakes.map(({ code, path }) => `${code} ${path}`).sort()).toEqual([...expected].sort());
    for (const { line, column, message } of mistakes) {
      expect([line, column]).toEqual([expect.any(Number), expect.any(Number)]);
      expect(message).toMatch(/^[^a-z].*\.$/);
    }
  });
});

describe('examples/builder_spread.json', () => {
  const file = join(__dirname, '../../examples/builder_spread.json');

  it('becomes the graph it draws, and nothing of the drawing is lost', () => {
    const { prepared, report } = prepareGraph({ text: readFileSync(file, 'utf8'), file }, kindCatalogue, {
      mode: 'paper',
      sha256,
    });
    expect(report.map(({ severity }) => severity)).not.toContain('lost');
    const { ui, ...graph } = prepared.graph;
    expect(graph).toEqual({
      holdfast: 1,
      id: 'BTC_spread_drawn_in_a_builder',
      name: 'BTC spread, drawn in a builder',
      triggers: { interval_5f0c2a0e: { type: 'schedule', every: 10 } },
      nodes: {
        price_binance: {
          type: 'ticker',
          name: 'Binance price',
          params: { venue: 'paper_binance', symbol: 'BTC/BUSD' },
          timeout: 5,
        },
        price_bybit: {
          type: 'ticker',
          name: 'Bybit price',
          params: { venue: 'paper_bybit', symbol: 'BTC/USDT' },
          timeout: 5,
        },
        spread: { type: 'spread', inputs: { a: 'price_binance.last', b: 'price_bybit.last' } },
        worth_it: { type: 'threshold', params: { min: '2' }, inputs: { value: 'spread.bps' } },
        tell: {
          type: 'notify',
          params: { message: 'Binance is {{spread.bps}} basis points above Bybit' },
          after: ['worth_it.pass'],
        },
      },
    });
    expect(ui).toMatchObject({
      blocks: {
        interval_5f0c2a0e: { position: { x: 40, y: 160 } },
        price_binance: { id: 'price-binance', category: 'monitor', position: { x: 240, y: 80 } },
      },
    });
  });
});

describe('docs/MIGRATION.md', () => {
  const text = readFileSync(join(__dirname, '../../docs/MIGRATION.md'), 'utf8');

  it('shows a builder document and the graph it becomes', () => {
    const [before, after] = [...text.matchAll(/^```json\n([^]*?)^```$/gm)].map(
      ([, json = '']) => JSON.parse(json) as object,
    );
    const { document, report } = importGraph(before, kindCatalogue, 'high_price.json');
    expect({ ...(document as object), ui: undefined }).toEqual(after);
    expect(report.map(({ severity }) => severity)).not.toContain('lost');
  });

  it('names for every kind the block types that become it', () => {
    const table = text.slice(text.indexOf('| block types | kind |'));
    const rows = [...table.matchAll(/^\| (`.*) \| `(\w+)`[^|]*\|$/gm)];
    const told = rows.flatMap(([, types = '', kind]) =>
      [...types.matchAll(/`(\w+)`/g)].map(([, type = '']) => [type, kind]),
    );
    expect(told.length).toBeGreaterThan(30);
    for (const [type = '', kind] of told) {
      expect([type, mappingOf({ category: '', type, given: new Set() })?.kind]).toEqual([type, kind]);
    }
  });
});
