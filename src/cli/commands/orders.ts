import type { Command } from 'commander';
import { HoldfastError } from '../../errors';
import { present } from '../../json';
import type { FillRow, Journal, OrderRow } from '../../journal/journal';
import { OPEN_STATUSES } from '../../journal/order-queries';
import { addDeskOption } from '../desk-target';
import { uiOf, type Io, type Ui } from '../io';
import { table } from '../table';
import { wholeOption } from '../whole-option';
import { withJournal } from '../with-journal';

interface ListOptions {
  readonly desk: string;
  readonly bot?: string;
  readonly strategy?: string;
  readonly execution?: string;
  readonly symbol?: string;
  readonly open?: boolean;
  readonly limit: number;
}

export function addOrders(program: Command, io: Io): void {
  addDeskOption(program.command('orders').description('list what was ordered and filled, newest first, or show one'))
    .argument('[order]', 'a client order id, or a permit’s: shows it with its fills')
    .option('--bot <id>', 'of this bot')
    .option('--strategy <id>', 'of this strategy')
    .option('--execution <id>', 'of this execution')
    .option('--symbol <symbol>', 'of this market')
    .option('--open', 'only what has not ended')
    .option('--limit <count>', 'at most so many, 1 to 1000', wholeOption(1, 1_000), 20)
    .addHelpText(
      'after',
      '\nExamples:\n  $ holdfast orders --bot bot_001 --open\n  $ holdfast orders CLIENT_ORDER_ID --json',
    )
    .action(async (order: string | undefined, options: ListOptions, command: Command) => {
      const ui = uiOf(command, io);
      await withJournal(io, (journal) =>
        order === undefined ? list(journal, options, ui) : show(journal, options.desk, order, ui),
      );
    });
}

async function list(journal: Journal, options: ListOptions, ui: Ui): Promise<void> {
  const { desk, bot, strategy, execution, symbol, open, limit } = options;
  const statuses = open === true ? OPEN_STATUSES : undefined;
  const wanted = { bot_id: bot, strategy_id: strategy, execution_id: execution, symbol, statuses };
  const { orders, next_page } = await journal.orders({ desk_id: desk, limit, ...present(wanted) });
  if (ui.json) ui.data({ desk_id: desk, orders, ...present({ next_page }) });
  else if (orders.length === 0) ui.line('No orders.');
  else for (const line of orderTable(orders)) ui.line(line);
  if (!ui.json && next_page !== undefined) ui.note('There are more; --limit shows up to 1000.');
}

/** The latest that went out under this id: one that was never used may have left its id to the next. */
async function show(journal: Journal, desk_id: string, order_id: string, ui: Ui): Promise<void> {
  const { orders } = await journal.orders({ desk_id, order_id, limit: 20 });
  const order = orders.find(({ status }) => status !== 'unused') ?? orders[0];
  if (order === undefined) {
    throw new HoldfastError('OrderNotFound', `The journal holds no order ${order_id}.`, { order_id });
  }
  const fills = await journal.fillsOf(order);
  if (ui.json) {
    ui.data({ ...order, fills });
    return;
  }
  for (const line of orderTable([order])) ui.line(line);
  ui.line('');
  for (const line of fills.length === 0 ? ['No fills.'] : fillTable(fills)) ui.line(line);
}

function orderTable(orders: readonly OrderRow[]): string[] {
  const rows = orders.map((order) => [
    ...[order.order_id, order.intended_at, order.bot_id ?? '-', order.venue, order.symbol, order.side],
    ...[order.quantity ?? '-', order.price ?? '-', order.filled_quantity, order.status],
  ]);
  return table(['ORDER', 'AT', 'BOT', 'VENUE', 'SYMBOL', 'SIDE', 'QUANTITY', 'PRICE', 'FILLED', 'STATUS'], rows);
}

function fillTable(fills: readonly FillRow[]): string[] {
  const rows = fills.map(({ at, quantity, notional, fees, realized }) => [
    ...[at, quantity, notional, fees, realized ?? '-'],
  ]);
  return table(['AT', 'QUANTITY', 'NOTIONAL', 'FEES', 'REALIZED'], rows);
}
