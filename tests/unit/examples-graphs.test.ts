import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import { prepareGraph } from '../../src/graph/prepare';
import { graphSchema, type Graph } from '../../src/graph/schema';
import { decimal } from '../../src/money';
import { readCandleFile } from '../../src/venues/candle-file';
import type { Candle } from '../../src/venues/venue';
import { nodeContext } from '../support/node-context';

const examples = join(__dirname, '../../examples');
const read = (file: string) => JSON.parse(readFileSync(join(examples, file), 'utf8')) as unknown;
const graphs: readonly [string, Graph][] = ['dash_momentum.json', 'trading_arb_btc.json', 'grid.json'].map((file) => [
  file,
  graphSchema.parse(read(file)),
]);
const run = async (type: string, fields: Record<string, unknown>) =>
  kindCatalogue.get(type)!.run(fields, nodeContext());

const prepare = (file: string) =>
  prepareGraph({ text: readFileSync(join(examples, file), 'utf8'), file }, kindCatalogue, {
    mode: 'paper',
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
  });

describe.each(graphs)('examples/%s', (file, graph) => {
  it('has no mistake and needs no importer', () => {
    const { prepared, report } = prepare(file);
    expect(prepared.graph).toEqual(graph);
    expect(report).toEqual([]);
  });

  it('has the id of its file, a bot, a strategy and a schedule', () => {
    expect(`${graph.id}.json`).toBe(file);
    expect(graph.bot_id && graph.strategy_id).toBeTruthy();
    expect(Object.values(graph.triggers ?? {})).toEqual([
      expect.objectContaining({ type: 'schedule', overlap: 'skip' }),
    ]);
  });
});

describe('examples/inline_constant.json', () => {
  it('is imported as a graph of one constant', () => {
    expect(prepare('inline_constant.json').prepared.graph.nodes).toEqual({
      node1: { type: 'constant', params: { value: 42 } },
    });
  });
});

describe('examples/twap.json', () => {
  it('has no mistake, and buys what it is started with', () => {
    const { prepared, report } = prepare('twap.json');
    expect(report).toEqual([]);
    expect(prepared.graph.nodes['buy']).toMatchObject({ type: 'twap', inputs: { total: 'input.total' } });
  });
});

describe('examples/requote.json', () => {
  it('has no mistake, and moves the order it placed to a price that is read then', () => {
    const { prepared, report } = prepare('requote.json');
    expect(report).toEqual([]);
    const { nodes } = prepared.graph;
    expect(nodes['nearer']?.inputs).toEqual({ client_order_id: 'bid.client_order_id', price: 'nearer_at.value' });
    expect(nodes['price_now']).toMatchObject({ type: 'ticker', after: ['patience'] });
  });
});

describe('examples/approved_order.json', () => {
  it('has no mistake, and sells after an approval alone', () => {
    const { prepared, report } = prepare('approved_order.json');
    expect(report).toEqual([]);
    const { nodes } = prepared.graph;
    expect(nodes['go_on']).toMatchObject({ type: 'approval', params: { on_timeout: 'reject' } });
    const orders = Object.values(nodes).filter(({ type }) => type === 'market_order');
    expect(orders.map(({ after }) => after)).toEqual([['go_on.approved']]);
  });
});

describe('trading_arb_btc on the recorded day', () => {
  let pairs: [string, string][] = [];

  beforeAll(async () => {
    const closes = async (file: string) =>
      new Map((await readCandleFile(join(examples, 'data'), file)).map((bar) => [bar.open_time_ms, bar.close]));
    const binance = await closes('binance_btcbusd_1m_2022-12-13.csv');
    const bybit = await closes('bybit_btcusdt_1m_2022-12-13.csv');
    pairs = [...binance].flatMap(([time, a]): [string, string][] => (bybit.has(time) ? [[a, bybit.get(time)!]] : []));
  });

  it('finds a spread of at least 8 basis points in 66 of 1,440 minutes, by exact arithmetic', () => {
    const worth = pairs.filter(([a, b]) => decimal(a).minus(decimal(b)).times('10000').gte(decimal(b).times('8')));
    expect([worth.length, pairs.length]).toEqual([66, 1_440]);
  });

  it('takes its order branch in exactly those minutes, through its own nodes', async () => {
    const { params } = graphs[1]![1].nodes['worth_it']!;
    const branches = await Promise.all(
      pairs.map(async ([a, b]) => {
        const { outputs } = await run('spread', { a, b });
        return (await run('threshold', { ...params, value: outputs['bps'] })).branch;
      }),
    );
    expect(branches.filter((branch) => branch === 'pass')).toHaveLength(66);
    expect(branches.filter((branch) => branch === 'fail')).toHaveLength(1_374);
  });
});

describe('dash_momentum on the recorded week', () => {
  it('comes to every one of its decisions, once an hour looked at', async () => {
    const bars = await readCandleFile(join(examples, 'data'), 'dash_usdt_1m_2020-09-09_2020-09-15.csv');
    const decisions = new Map<string, number>();
    for (let end = 240; end <= bars.length; end += 60) {
      const decision = await decide(graphs[0]![1], bars.slice(end - 60, end));
      decisions.set(decision, (decisions.get(decision) ?? 0) + 1);
    }
    expect([...decisions.keys()].sort()).toEqual(['buy', 'no_entry', 'sell']);
  });

  async function decide({ nodes }: Graph, bars: readonly Candle[]): Promise<string> {
    const values = bars.map((bar) => bar.close);
    const indicator = async (id: string) => {
      const { type, params } = nodes[id]!;
      return (await run(type, { ...params, values })).outputs['value'];
    };
    const [fast, slow, rsi] = [await indicator('fast'), await indicator('slow'), await indicator('rsi')];
    const rising = await run('compare', { ...nodes['rising']!.params, a: fast, b: slow });
    const calm = await run('threshold', { ...nodes['not_overbought']!.params, value: rsi });
    const formula = nodes['falling']!.params!['condition'];
    const falling = await run('if', {
      condition: { formula, values: { 'fast.value': fast, 'slow.value': slow, 'rsi.value': rsi } },
    });
    if (falling.branch === 'true') return 'sell';
    return rising.branch === 'pass' && calm.branch === 'pass' ? 'buy' : 'no_entry';
  }
});
