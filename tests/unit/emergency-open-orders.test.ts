import { describe, expect, it } from '@jest/globals';
import { openOrdersOf } from '../../src/emergency/open-orders';
import { DeskAtWork, orderRequest } from '../support/desk-at-work';

const MAIN = { venue: 'paper', account: 'main', offset: 0 };

function idsOf(desk: DeskAtWork, over: Partial<typeof MAIN> = {}) {
  const { unsettled, resting } = openOrdersOf(desk.state, { ...MAIN, ...over });
  return { unsettled: unsettled.map(({ permit_id }) => permit_id), resting: resting.map(({ permit_id }) => permit_id) };
}

describe('the open orders of an account', () => {
  it('are those nobody settled, apart from those the venue has', () => {
    const desk = new DeskAtWork();
    for (const id of ['granted', 'fenced', 'had', 'ended'])
      desk.permits([orderRequest(id, { client_order_id: `c-${id}` })]);
    desk.settle('fenced', 'fenced');
    desk.settle('had', 'acknowledged');
    desk.settle('ended', 'unused');
    expect(idsOf(desk)).toEqual({ unsettled: ['granted', 'fenced'], resting: ['had'] });
    expect(openOrdersOf(desk.state, MAIN)).toMatchObject({
      currency: 'USDT',
      unsettled: [{ client_order_id: 'c-granted' }, {}],
    });
  });

  it('are of no other account or venue', () => {
    const desk = new DeskAtWork();
    desk.permits([orderRequest('p'), orderRequest('q', { account: 'main2' })]);
    expect(idsOf(desk)).toEqual({ unsettled: ['p'], resting: [] });
    expect(idsOf(desk, { venue: 'other' })).toEqual({ unsettled: [], resting: [] });
  });

  it('are told a hundred at a time, the oldest, and what rests twenty at a time, in turn', () => {
    const desk = new DeskAtWork();
    const small = { quantity: '0.01' };
    desk.permits(Array.from({ length: 25 }, (_, at) => orderRequest(`r${at}`, small)));
    for (let at = 0; at < 25; at += 1) desk.settle(`r${at}`, 'acknowledged');
    desk.permits(Array.from({ length: 60 }, (_, at) => orderRequest(`a${at}`, small)));
    desk.permits(Array.from({ length: 60 }, (_, at) => orderRequest(`b${at}`, small)));
    const { unsettled, resting } = idsOf(desk, { offset: 20 });
    expect([unsettled.length, unsettled.at(-1)]).toEqual([100, 'b39']);
    expect([resting.length, resting[0], resting[5]]).toEqual([20, 'r20', 'r0']);
  });
});
