/** The short version of `npm run soak:orders`. */
import { expect, it, jest } from '@jest/globals';
import { orderCampaign } from '../support/order-campaign';

jest.setTimeout(600_000);

it('orders at a venue with faults of every kind, by a worker that is killed, are each there once and in the journal', async () => {
  const report = await orderCampaign({
    ...{ orders: 30, executions: 3, lanes: 2, kills: 2, probability: 0.05, seed: 7 },
    say: () => undefined,
  });
  expect(report.wrong).toEqual([]);
  expect(report.orders).toBeGreaterThanOrEqual(30);
  expect(report.kills).toBe(2);
});
