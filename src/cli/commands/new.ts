import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { NODE_ID, RESERVED_IDS } from '../../graph/names';
import { uiOf, type Io } from '../io';
import { writeNew } from '../write-new';

interface Options {
  readonly force?: boolean;
}

export function addNew(program: Command, io: Io): void {
  program
    .command('new')
    .description('write a first, valid graph that runs on recorded prices')
    .argument('[file]', 'where to write it', 'first_graph.json')
    .option('--force', 'overwrite a file that exists')
    .addHelpText('after', '\nExamples:\n  $ holdfast new\n  $ holdfast new graphs/spread.json --force')
    .action((file: string, options: Options, command: Command) => {
      const ui = uiOf(command, io);
      writeNew(file, `${JSON.stringify(firstGraph(idFor(file)), null, 2)}\n`, options.force === true);
      if (ui.json) {
        ui.data({ file, workflow_id: idFor(file) });
        return;
      }
      ui.line(`Wrote ${file}. Run it with \`holdfast run ${file} --follow\`.`);
    });
}

function idFor(file: string): string {
  const id = basename(file, extname(file)).replace(/[^A-Za-z0-9_-]/g, '_');
  return NODE_ID.test(id) && !RESERVED_IDS.has(id) ? id : `graph_${id}`;
}

/** Two prices, their distance, and a line in the log when it is worth one. */
function firstGraph(id: string) {
  return {
    holdfast: 1,
    id,
    name: 'BTC spread, Binance against Bybit',
    bot_id: 'bot_001',
    strategy_id: 'first_steps',
    nodes: {
      price_binance: { type: 'ticker', params: { venue: 'paper_binance', symbol: 'BTC/BUSD' }, timeout: 5 },
      price_bybit: { type: 'ticker', params: { venue: 'paper_bybit', symbol: 'BTC/USDT' }, timeout: 5 },
      spread: { type: 'spread', inputs: { a: 'price_binance.last', b: 'price_bybit.last' } },
      worth_it: { type: 'threshold', params: { min: '2' }, inputs: { value: 'spread.bps' } },
      tell: {
        type: 'notify',
        after: ['worth_it.pass'],
        params: { message: 'Binance is {{spread.bps}} basis points above Bybit' },
      },
    },
  };
}
