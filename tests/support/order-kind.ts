/** A node kind that trades at a counting venue: asks for a permit, sends one order, and says how it ended. */
import { defineNode, field, output, type NodeKind } from '../../src/activities/define-node';
import type { TradePermit } from '../../src/activities/trade';
import { HoldfastError, messageOf } from '../../src/errors';
import type { OrderDelivery, OrderSender, UsablePermit } from '../../src/venues/order-sender';

/** All that order at the counting venue. */
export function orderKinds(sender: Pick<OrderSender, 'send'>): readonly NodeKind[] {
  return [orderKind(sender), freeOrderKind(sender)];
}

/** `sender`: for the origin of a counting venue. */
export function orderKind(sender: Pick<OrderSender, 'send'>): NodeKind {
  return defineNode({
    type: 'test_order',
    family: 'test',
    effect: 'trade',
    description: 'Sends one order to the counting venue.',
    fields: {
      symbol: field.text('What is bought.', { default: 'BTC/USDT' }),
      quantity: field.decimal('How much.', { default: '1' }),
      price: field.decimal('At most.', { default: '100' }),
      filled: field.decimal('How much of it the venue fills before the order ends.', { default: '1' }),
      answer_after_ms: field.integer('How long the venue takes to answer.', { min: 0, max: 60_000, default: 0 }),
      stops_before_write: field.boolean('Whether the worker is stopped between the last check and the write.', {
        default: false,
      }),
    },
    outputs: { permit_id: output('text', 'Of the order.') },
    run: async ({ symbol, quantity, price, filled, answer_after_ms, stops_before_write }, { trade, task }) => {
      const terms = {
        account: 'main',
        venue: 'paper',
        symbol,
        side: 'buy',
        quantity,
        price,
        currency: 'USDT',
      } as const;
      const permit = await trade.request(terms);
      const scopes = ['global', 'venue:paper', `symbol:${symbol}`];
      if (task.bot_id !== undefined) scopes.push(`bot:${task.bot_id}`);
      if (task.strategy_id !== undefined) scopes.push(`strategy:${task.strategy_id}`);
      const delivery = await sender.send(
        stops_before_write ? stopping(permit) : permit,
        ({ timestamp, expires_in_ms }) => ({
          method: 'POST',
          path: '/order',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            ...{ id: permit.client_order_id, epoch: permit.epoch, scopes, filled, price },
            ...{ issued_at: timestamp, expires_in_ms, answer_after_ms, pid: process.pid },
          }),
        }),
      );
      settle(permit, delivery, filled);
      return { outputs: { permit_id: permit.permit_id } };
    },
  });
}

/** The same request without asking anybody, for what permits cost. */
function freeOrderKind(sender: Pick<OrderSender, 'send'>): NodeKind {
  return defineNode({
    type: 'test_free_order',
    family: 'test',
    effect: 'notify',
    description: 'Sends one order to the counting venue without a permit.',
    fields: { quantity: field.decimal('How much.', { default: '1' }) },
    outputs: {},
    run: async (_fields, { idempotency_key }) => {
      const delivery = await sender.send(FREE, ({ timestamp, expires_in_ms }) => ({
        method: 'POST',
        path: '/order',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ id: idempotency_key, scopes: [], issued_at: timestamp, expires_in_ms }),
      }));
      if (delivery.kind !== 'answered') throw new HoldfastError('TimeoutError', messageOf(delivery.error));
      return { outputs: {} };
    },
  });
}

const FREE: UsablePermit = {
  isUsed: false,
  remainingMs: () => 1_000,
  assertUsable: () => undefined,
  settle: () => undefined,
};

/** Stops the process, until somebody lets it go on, when the check has passed and not a byte is written. */
function stopping(permit: TradePermit): UsablePermit {
  return {
    get isUsed() {
      return permit.isUsed;
    },
    remainingMs: () => permit.remainingMs(),
    assertUsable: () => {
      permit.assertUsable();
      process.kill(process.pid, 'SIGSTOP');
    },
    settle: (outcome) => {
      permit.settle(outcome);
    },
  };
}

/** What was accepted is filled at once. */
function settle(permit: TradePermit, delivery: OrderDelivery, filled: string): void {
  if (delivery.kind === 'unsent') throw delivery.error;
  if (delivery.kind === 'unknown') throw new HoldfastError('TimeoutError', messageOf(delivery.error));
  if (delivery.status !== 200) {
    permit.settle('rejected');
    throw new HoldfastError('InvalidInput', `the venue refused: ${delivery.body}`);
  }
  permit.settle('acknowledged');
  permit.settle('closed', filled);
}
