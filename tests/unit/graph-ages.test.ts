import { describe, expect, it } from '@jest/globals';
import { planGraph } from '../../src/graph/plan';
import { assertRunnable } from '../../src/graph/runnable';
import { completed, failed, GraphAtWork, graphOf, planOf, testTraits, type Nodes } from '../support/plans';

/** A price that may be 10 s old. Instants below are in milliseconds. */
const price: Nodes[string] = { type: 'fetch', max_age: 10 };
const reads = (from: string, rest: Nodes[string] = {}): Nodes[string] => ({ ...rest, inputs: { x: `${from}.x` } });
const x = (value: unknown) => completed({ x: value });
const generation = (work: GraphAtWork, key: string) => work.run.generation(work.id(key));
const REFUSED = 'too old after a halt, by a `max_age`, and not to be read again: ';

describe('a reading that is too old when a halted execution is resumed', () => {
  it('is read again, and who waits for it starts with the new one (S5)', () => {
    const work = new GraphAtWork({ price, buy: reads('price', { type: 'order' }) });
    work.end('price', x('1'), 1_000);
    expect(work.readAgain(11_001)).toMatchObject({ ready: ['price'], renewed: ['price', 'buy'], skipped: [] });
    expect([generation(work, 'price'), generation(work, 'buy'), ...work.states('buy')]).toEqual([1, 1, 'pending']);
    expect(work.run.held).toBe(work.weighed);
    work.cut();
    expect(work.end('price', x('2'), 11_002).ready).toEqual(['buy']);
    expect([work.fields('buy'), work.old('buy')]).toEqual([{ x: '2' }, undefined]);
    work.end('buy');
    expect([work.run.isDone, work.run.held]).toEqual([true, work.weighed]);
  });

  it('is good for exactly its `max_age`', () => {
    const work = new GraphAtWork({ price, buy: reads('price', { type: 'order' }) });
    work.end('price', x('1'), 1_000);
    expect(work.readAgain(11_000)).toMatchObject({ ready: [], renewed: [] });
    expect([work.old('buy'), work.state('buy').state]).toEqual([undefined, 'ready']);
  });

  it('is left alone where nobody waits for it', () => {
    const work = new GraphAtWork({ price, buy: reads('price', { type: 'order' }), other: {} });
    work.end('price', x('1'), 0);
    work.end('buy');
    expect(work.readAgain(99_000).renewed).toEqual([]);
  });

  it('is good without end when nobody knows when it was read', () => {
    const work = new GraphAtWork({ price, buy: reads('price', { type: 'order' }) });
    work.end('price', x('1'));
    expect([work.readAgain(99_000).renewed, work.old('buy')]).toEqual([[], undefined]);
  });

  it('is read again with what is computed from it and waited for, and no more', () => {
    const work = new GraphAtWork({
      price,
      fees: { type: 'fetch' },
      spread: { inputs: { a: 'price.x', b: 'fees.x' } },
      other: reads('price'),
      buy: reads('spread', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.end('fees', x('0'), 0);
    work.end('spread', x('1'), 0);
    work.end('other', x('1'), 0);
    expect(work.readAgain(10_001)).toMatchObject({ ready: ['price'], renewed: ['spread', 'price', 'buy'] });
    expect(work.states('fees', 'other', 'spread')).toEqual(['completed', 'completed', 'pending']);
    expect(work.run.held).toBe(work.weighed);
    expect(work.end('price', x('2'), 10_002).ready).toEqual(['spread']);
    expect(work.fields('spread')).toEqual({ a: '2', b: '0' });
    work.end('spread', x('2'), 10_003);
    expect([work.fields('buy'), work.old('buy')]).toEqual([{ x: '2' }, undefined]);
  });

  it('is as old as the oldest of what it was made from, however old that is itself', () => {
    const work = new GraphAtWork({
      price,
      slow: { type: 'fetch', max_age: 60 },
      both: { inputs: { a: 'price.x', b: 'slow.x' } },
      buy: reads('both', { type: 'order' }),
    });
    work.end('price', x('1'), 50_000);
    work.end('slow', x('1'), 0);
    work.end('both', x('1'), 50_000);
    expect(work.readAgain(60_000).renewed).toEqual([]);
    expect(work.readAgain(60_001).renewed).toEqual(['both', 'price', 'slow', 'buy']);
  });

  it('fails what would have started with it when it cannot be read now', () => {
    const work = new GraphAtWork({ price: { ...price, on_error: 'continue' }, buy: reads('price', { type: 'order' }) });
    work.end('price', x('1'), 0);
    work.readAgain(20_000);
    expect(work.end('price', failed)).toMatchObject({ ready: [], skipped: ['buy'] });
    expect(work.run.isDone).toBe(true);
  });
});

describe('a decision that is too old when a halted execution is resumed', () => {
  const branched: Nodes = {
    price,
    judge: reads('price', { type: 'choice' }),
    buy: { type: 'order', after: ['judge.left'] },
    sell: { type: 'order', after: ['judge.right'] },
  };
  const decidedLeft = (nodes: Nodes) => {
    const work = new GraphAtWork(nodes);
    work.end('price', x('1'), 0);
    work.end('judge', completed({}, 'left'), 0);
    return work;
  };

  it('is decided anew, and the branch it had not taken is open again', () => {
    const work = decidedLeft(branched);
    expect(work.state('sell').state).toBe('skipped');
    expect(work.readAgain(10_001).renewed).toEqual(['judge', 'price', 'sell', 'buy']);
    expect(work.states('buy', 'sell')).toEqual(['pending', 'pending']);
    work.end('price', x('2'), 10_002);
    work.cut();
    expect(work.end('judge', completed({}, 'right'), 10_003)).toMatchObject({ ready: ['sell'], skipped: ['buy'] });
    expect(work.old('sell')).toBeUndefined();
  });

  it('stands where something ran for it that cannot be undone, and who waits for it is refused', () => {
    const work = decidedLeft({ ...branched, tell: { type: 'tell', after: ['judge.left'] } });
    work.end('tell');
    expect(work.readAgain(10_001).renewed).toEqual([]);
    expect(work.old('buy')).toBe(`${REFUSED}judge`);
    expect(work.state('sell').state).toBe('skipped');
  });

  it.each(['order', 'cancel'])('stands where orders were placed or cancelled for it: %s', (type) => {
    const work = decidedLeft({ ...branched, other: { type, after: ['judge.left'] } });
    work.end('other');
    expect(work.readAgain(10_001).renewed).toEqual([]);
    expect(work.old('buy')).toBe(`${REFUSED}judge`);
  });

  it('stands where something that failed ran for it, or still runs', () => {
    const other: Nodes = { other: { type: 'fetch', after: ['judge.left'], on_error: 'continue' } };
    const ended = decidedLeft({ ...branched, ...other });
    ended.end('other', failed);
    expect(ended.readAgain(10_001).renewed).toEqual([]);
    const running = decidedLeft({ ...branched, ...other });
    running.start('other');
    expect(running.readAgain(10_001, { begun: ['other'] }).renewed).toEqual([]);
    expect([ended.old('buy'), running.old('buy')]).toEqual([`${REFUSED}judge`, `${REFUSED}judge`]);
  });

  it('is decided anew with what only was read for it', () => {
    const work = decidedLeft({
      ...branched,
      balance: { type: 'fetch', after: ['judge.left'] },
      size: reads('balance'),
      buy: reads('size', { type: 'order' }),
    });
    work.end('balance', x('5'), 0);
    work.end('size', x('4'), 0);
    expect(work.readAgain(10_001).renewed).toEqual(['size', 'balance', 'judge', 'price', 'sell', 'buy']);
    work.end('price', x('2'), 10_002);
    expect(work.end('judge', completed({}, 'right'), 10_002).skipped).toEqual(['balance', 'size', 'buy']);
  });

  it('takes back what only was read for it, though nobody waits for that', () => {
    const work = decidedLeft({ ...branched, balance: { type: 'fetch', after: ['judge.left'] } });
    work.end('balance', x('5'), 0);
    expect(work.readAgain(10_001).renewed).toEqual(['judge', 'price', 'balance', 'sell', 'buy']);
    work.end('price', x('2'), 10_002);
    expect(work.end('judge', completed({}, 'right'), 10_002).skipped).toEqual(['buy', 'balance']);
  });

  it('has what its other branch would start with read again as well', () => {
    const work = new GraphAtWork({ ...branched, quote: price, sell: reads('quote', { ...branched['sell'] }) });
    work.end('price', x('1'), 0);
    work.end('quote', x('1'), 0);
    work.end('judge', completed({}, 'left'), 0);
    expect(work.readAgain(10_001)).toMatchObject({ ready: ['price', 'quote'] });
    work.end('price', x('2'), 10_002);
    work.end('quote', x('2'), 10_002);
    expect(work.end('judge', completed({}, 'right'), 10_002).ready).toEqual(['sell']);
    expect([work.fields('sell'), work.old('sell')]).toEqual([{ x: '2' }, undefined]);
  });

  it('holds for whoever a message came in between for', () => {
    const work = decidedLeft({
      ...branched,
      tell: { type: 'tell', after: ['judge.left'] },
      buy: { type: 'order', after: ['tell'] },
    });
    work.end('tell');
    work.readAgain(10_001);
    expect(work.old('buy')).toBe(`${REFUSED}tell`);
  });

  it('holds for what follows a failure', () => {
    const work = decidedLeft({
      ...branched,
      tell: { type: 'tell', after: ['judge.left'] },
      buy: { type: 'order', after: ['tell.error'] },
    });
    work.end('tell', failed);
    work.cut();
    work.readAgain(10_001);
    expect(work.old('buy')).toBe(`${REFUSED}tell`);
  });

  it('holds for what follows an output that was too large', () => {
    const work = new GraphAtWork(
      {
        price,
        judge: reads('price', { type: 'choice' }),
        big: { after: ['judge.left'] },
        buy: { type: 'order', after: ['big.error'] },
      },
      { output_limit: 50 },
    );
    work.end('price', x('1'), 0);
    work.end('judge', completed({}, 'left'), 0);
    work.end('big', x('x'.repeat(80)));
    work.readAgain(10_001);
    expect([work.state('big').state, work.old('buy')]).toEqual(['failed', `${REFUSED}big`]);
  });

  it('is no matter of who only comes after it', () => {
    const work = new GraphAtWork({
      price,
      wait: { type: 'ask', after: ['price'] },
      buy: { type: 'order', after: ['wait'] },
    });
    work.end('price', x('1'), 0);
    work.end('wait');
    expect([work.readAgain(99_000).renewed, work.old('buy')]).toEqual([[], undefined]);
  });

  it('stays with whom someone passed over', () => {
    const work = new GraphAtWork(branched);
    work.run.dismiss(work.id('sell'), 'passed over');
    work.end('price', x('1'), 0);
    work.end('judge', completed({}, 'left'), 0);
    expect(work.readAgain(10_001).renewed).toEqual(['judge', 'price', 'buy']);
    expect(work.state('sell')).toMatchObject({ passed_over: true });
  });
});

describe('what happened outside', () => {
  it('does not age with what it was made from, and what follows it may start', () => {
    const work = new GraphAtWork({
      price,
      buy: reads('price', { type: 'order' }),
      after: reads('buy', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.end('buy', x('filled'), 0);
    expect([work.readAgain(99_000).renewed, work.old('after')]).toEqual([[], undefined]);
  });

  it.each(['order', 'tell', 'ask'])('has an age of its own where it is given one: %s', (type) => {
    const work = new GraphAtWork({
      price,
      act: reads('price', { type, max_age: 60 }),
      value: reads('act', { type: 'order' }),
      order: { type: 'order', after: ['act'] },
    });
    work.end('price', x('1'), 0);
    work.end('act', x('done'), 1_000);
    work.readAgain(61_000);
    expect([work.old('value'), work.old('order')]).toEqual([undefined, undefined]);
    expect(work.readAgain(61_001).renewed).toEqual([]);
    expect([work.old('value'), work.old('order')]).toEqual([`${REFUSED}act`, `${REFUSED}act`]);
  });

  it('passes on what it was made from where an order may follow it: a message, a person’s word', () => {
    const work = new GraphAtWork({
      price,
      tell: reads('price', { type: 'tell' }),
      ask: reads('price', { type: 'ask' }),
      value: reads('tell', { type: 'order' }),
      approved: { type: 'order', after: ['ask.approved'] },
      order: { type: 'order', after: ['tell'] },
    });
    work.end('price', x('1'), 0);
    work.end('tell', x('sent'), 0);
    work.end('ask', completed({}, 'approved'), 0);
    work.readAgain(10_001);
    expect([work.old('value'), work.old('approved'), work.old('order')]).toEqual([
      `${REFUSED}tell`,
      `${REFUSED}ask`,
      undefined,
    ]);
  });
});

describe('what has not ended at a resume', () => {
  it('is asked anew where it only waits inside the execution', () => {
    const work = new GraphAtWork({
      price,
      ask: reads('price', { type: 'ask' }),
      buy: { type: 'order', after: ['ask.approved'] },
    });
    work.end('price', x('1'), 0);
    work.start('ask');
    expect(work.readAgain(10_001)).toMatchObject({ ready: ['price'], renewed: ['price', 'ask'] });
    expect(work.end('price', x('2'), 10_001).ready).toEqual(['ask']);
    expect([work.fields('ask'), generation(work, 'ask')]).toEqual([{ x: '2' }, 1]);
  });

  it('keeps what it reads where it is at work: nobody may find another value, or none, when it is handed out again', () => {
    const work = new GraphAtWork({
      price,
      at_work: reads('price', { type: 'order' }),
      buy: reads('price', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.start('at_work');
    expect(work.readAgain(10_001, { begun: ['at_work'] }).renewed).toEqual([]);
    expect([work.old('buy'), work.fields('at_work')]).toEqual([`${REFUSED}price`, { x: '1' }]);
    const ready = new GraphAtWork({ price, at_work: reads('price', { type: 'order' }) });
    ready.end('price', x('1'), 0);
    expect(ready.readAgain(10_001, { begun: ['at_work'] }).renewed).toEqual([]);
  });

  it('keeps also what was computed from that: with the same it would be no younger', () => {
    const work = new GraphAtWork({
      price,
      sum: reads('price'),
      at_work: reads('price', { type: 'order' }),
      buy: reads('sum', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.end('sum', x('1'), 0);
    work.start('at_work');
    expect(work.readAgain(10_001, { begun: ['at_work'] }).renewed).toEqual([]);
    expect(work.old('buy')).toBe(`${REFUSED}sum`);
  });

  it('gives what is too old when it ends', () => {
    const work = new GraphAtWork({
      price,
      slow: reads('price', { type: 'fetch' }),
      buy: reads('slow', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.start('slow');
    work.readAgain(10_001, { begun: ['slow'] });
    work.end('slow', x('1'), 10_002);
    expect(work.old('buy')).toBe(`${REFUSED}slow`);
  });

  it('is judged alone where it alone was kept back, and then by that instant', () => {
    const nodes: Nodes = {
      price,
      quote: price,
      buy: reads('price', { type: 'order' }),
      sell: reads('quote', { type: 'order' }),
    };
    const work = new GraphAtWork(nodes);
    for (const key of ['price', 'quote']) work.end(key, x('1'), 0);
    expect(work.old('buy', 10_001)).toBe(`${REFUSED}price`);
    expect(work.readAgain(10_001, { only: 'buy' }).renewed).toEqual(['price', 'buy']);
    expect([work.old('sell'), ...work.states('quote', 'sell')]).toEqual([undefined, 'completed', 'ready']);
  });

  it('is computed anew from what was read again for another alone', () => {
    const work = new GraphAtWork({
      price,
      sum: reads('price'),
      buy: reads('sum', { type: 'order' }),
      sell: reads('price', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.end('sum', x('1'), 0);
    expect(work.readAgain(10_001, { only: 'sell' }).renewed).toEqual(['price', 'sell']);
    work.end('price', x('2'), 10_002);
    expect(work.readAgain(12_000)).toMatchObject({ ready: ['sum'], renewed: ['sum', 'buy'] });
  });

  it('is not brought back where all was given up', () => {
    const work = new GraphAtWork({ price, buy: reads('price', { type: 'order' }), runs: {}, bad: {} });
    work.end('price', x('1'), 0);
    work.start('runs');
    work.end('bad', failed);
    expect(work.readAgain(10_001).renewed).toEqual([]);
    expect(work.state('buy').state).toBe('skipped');
    work.end('runs');
    expect(work.readAgain(10_002).renewed).toEqual([]);
  });

  it('is refused still after its graph was rebuilt, and in every later run', () => {
    const work = new GraphAtWork({
      price,
      tell: reads('price', { type: 'tell' }),
      buy: reads('tell', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.end('tell', x('sent'), 0);
    work.cut();
    work.readAgain(10_001);
    work.cut();
    expect(work.old('buy')).toBe(`${REFUSED}tell`);
  });
});

describe('what cannot be read again', () => {
  it('is what is given something that is no longer held', () => {
    const work = new GraphAtWork(
      { config: {}, price: reads('config', price), big: {}, buy: reads('price', { type: 'order' }) },
      { output_limit: 100 },
    );
    work.end('config', x('c'), 0);
    work.end('price', x('1'), 0);
    work.end('big', x('x'.repeat(45)), 0);
    expect(work.state('config')).not.toHaveProperty('outputs');
    expect([work.readAgain(10_001).renewed, work.old('buy')]).toEqual([[], `${REFUSED}price`]);
  });

  it('is not what is given something that was dropped but is read again itself', () => {
    const work = new GraphAtWork(
      { price, spread: reads('price'), big: {}, buy: reads('spread', { type: 'order' }) },
      { output_limit: 100 },
    );
    work.end('price', x('1'), 0);
    work.end('spread', x('1'), 0);
    work.end('big', x('x'.repeat(45)), 0);
    expect(work.state('price')).not.toHaveProperty('outputs');
    work.cut();
    expect(work.readAgain(10_001).renewed).toEqual(['spread', 'price', 'buy']);
  });

  it('is a decision whose other branch would read what is no longer held', () => {
    const work = new GraphAtWork(
      {
        config: {},
        price,
        judge: reads('price', { type: 'choice' }),
        buy: { type: 'order', after: ['judge.left'] },
        other: { after: ['judge.right'] },
        sell: reads('config', { type: 'order', after: ['other'] }),
        big: {},
      },
      { output_limit: 100 },
    );
    work.end('config', x('c'), 0);
    work.end('price', x('1'), 0);
    work.end('judge', completed({}, 'left'), 0);
    work.end('big', x('x'.repeat(60)), 0);
    expect([work.readAgain(10_001).renewed, work.old('buy')]).toEqual([[], `${REFUSED}judge`]);
  });

  it('takes the others that wait for it along, and nobody else', () => {
    const work = new GraphAtWork({
      price,
      quote: price,
      tell: reads('price', { type: 'tell' }),
      buy: { type: 'order', inputs: { a: 'tell.x', b: 'quote.x' } },
      sell: reads('quote', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.end('quote', x('1'), 0);
    work.end('tell', x('sent'), 0);
    expect(work.readAgain(10_001).renewed).toEqual(['quote', 'buy', 'sell']);
    work.end('quote', x('2'), 10_002);
    expect([work.old('buy'), work.old('sell')]).toEqual([`${REFUSED}tell`, undefined]);
  });
});

describe('the key `max_age`', () => {
  it('is planned in milliseconds, also for nodes that `defaults` say nothing of', () => {
    const { nodes } = planOf({ price: { type: 'fetch', max_age: '2m' }, other: {} });
    expect(nodes.map(({ max_age_ms }) => max_age_ms)).toEqual([120_000, undefined]);
  });

  it('must be a number that can be counted with', () => {
    const plan = planGraph(graphOf({ price }), testTraits);
    const broken = { ...plan, nodes: plan.nodes.map((node) => ({ ...node, max_age_ms: -1 })) };
    expect(() => {
      assertRunnable(broken);
    }).toThrow('node price of kind fetch cannot be run');
  });

  it('is none of a node that only computes: with the same it would pass for younger', () => {
    expect(() => {
      assertRunnable(planOf({ sum: { max_age: 10 } }));
    }).toThrow('node sum only computes, and has a max_age');
  });
});
