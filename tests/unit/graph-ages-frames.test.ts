import { describe, expect, it } from '@jest/globals';
import { bodyOf, completed, failed, GraphAtWork, type Nodes } from '../support/plans';

/** A price that may be 10 s old. Instants below are in milliseconds. */
const price: Nodes[string] = { type: 'fetch', max_age: 10 };
const reads = (from: string, rest: Nodes[string] = {}): Nodes[string] => ({ ...rest, inputs: { x: `${from}.x` } });
const x = (value: unknown) => completed({ x: value });
const generation = (work: GraphAtWork, key: string) => work.run.generation(work.id(key));
const REFUSED = 'too old after a halt, by a `max_age`, and not to be read again: ';

describe('an age in loops', () => {
  const each = (body: Nodes, rest: Nodes[string] = {}, outputs = {}): Nodes => ({
    each: { type: 'map', params: { items: [1, 2], concurrency: 1 }, ...rest, body: bodyOf(body, outputs) },
  });
  const again = (body: Nodes, outputs = {}): Nodes => ({
    again: { type: 'repeat', params: { max_iterations: 2 }, body: bodyOf(body, outputs) },
  });

  it('is judged in every open frame, and what is read again there has a generation of its own', () => {
    const work = new GraphAtWork(each({ price, buy: reads('price', { type: 'order' }) }));
    work.open('each');
    work.end('each[0]/price', x('1'), 0);
    expect(work.readAgain(10_001).renewed).toEqual(['each[0]/price', 'each[0]/buy']);
    work.cut();
    expect([generation(work, 'each[0]/price'), generation(work, 'each')]).toEqual([1, 0]);
  });

  it('holds for what a body reads from around it: the loop is at work, so that stays', () => {
    const body = { near: reads('price'), buy: reads('price', { type: 'order' }), far: {} };
    const work = new GraphAtWork({ price, ...each(body) });
    work.end('price', x('1'), 0);
    work.open('each');
    work.end('each[0]/near', x('1'), 0);
    expect(work.readAgain(10_001, { begun: ['each'] }).renewed).toEqual([]);
    expect(work.old('each[0]/buy')).toBe(`${REFUSED}what it reads from around it`);
    expect(work.old('each[0]/far')).toBeUndefined();
  });

  it('holds for what is computed in a body with what is around it', () => {
    const body = { near: reads('price', { type: 'fetch' }), buy: reads('near', { type: 'order' }) };
    const work = new GraphAtWork({ price, ...each(body) });
    work.end('price', x('1'), 0);
    work.open('each');
    work.end('each[0]/near', x('1'), 0);
    expect(work.readAgain(10_001, { begun: ['each'] }).renewed).toEqual([]);
    expect(work.old('each[0]/buy')).toBe(`${REFUSED}near`);
  });

  it('holds for the items of a loop, and around it', () => {
    const inner = each({
      buy: { type: 'order', inputs: { x: 'item.value', y: 'item.parent.value', i: 'item.index' } },
    });
    const body = { ...inner, plain: { type: 'order', inputs: { i: 'item.index' } } };
    const work = new GraphAtWork({
      list: price,
      ...each(body, { params: { concurrency: 1 }, inputs: { items: 'list.x' } }),
    });
    work.end('list', x([1, 2]), 0);
    work.open('each');
    work.open('each[0]/each');
    work.readAgain(10_001, { begun: ['each', 'each[0]/each'] });
    expect(work.old('each[0]/each[0]/buy')).toBe(`${REFUSED}what it reads from around it`);
    expect(work.old('each[0]/plain')).toBeUndefined();
  });

  it('holds for what the iteration before gave, and for what the loop gives', () => {
    const body = { buy: { type: 'order', inputs: { last: 'item.last.x' } }, price };
    const work = new GraphAtWork({
      ...again(body, { x: 'price.x' }),
      after: { type: 'order', inputs: { x: 'again.last' } },
    });
    work.open('again');
    expect(work.old('again[0]/buy', 99_000)).toBeUndefined();
    work.end('again[0]/buy');
    work.end('again[0]/price', x('1'), 0);
    work.cut();
    expect(work.old('again[1]/buy', 10_000)).toBeUndefined();
    expect(work.old('again[1]/buy', 10_001)).toBe(`${REFUSED}what it reads from around it`);
    work.end('again[1]/buy');
    work.end('again[1]/price', x('2'), 5_000);
    expect(work.old('after', 15_000)).toBeUndefined();
    expect(work.old('after', 15_001)).toBe(`${REFUSED}again`);
  });

  it('forgets the age of an iteration with its value', () => {
    const body = { price: { type: 'fetch', max_age: 10, on_error: 'continue' as const } };
    const work = new GraphAtWork({
      ...again(body, { x: 'price.x' }),
      after: { type: 'order', inputs: { x: 'again.last' } },
    });
    work.open('again');
    work.end('again[0]/price', x('1'), 0);
    work.end('again[1]/price', failed);
    expect(work.old('after', 99_000)).toBeUndefined();
  });

  it('is that of the oldest item of a map', () => {
    const work = new GraphAtWork({
      ...each({ price }, {}, { x: 'price.x' }),
      after: { type: 'order', inputs: { x: 'each.results' } },
    });
    work.open('each');
    work.end('each[0]/price', x('1'), 0);
    work.end('each[1]/price', x('2'), 5_000);
    expect(work.old('after', 10_000)).toBeUndefined();
    expect([work.old('after', 10_001), work.readAgain(10_001).renewed]).toEqual([`${REFUSED}each`, []]);
  });

  it('is none where the loop places orders, for these have happened; and its own where it has one', () => {
    const judged = (rest: Nodes[string]): Nodes => ({
      price,
      judge: reads('price', { type: 'choice' }),
      ...each({ buy: { type: 'order' } }, { after: ['judge.left'], ...rest }),
      after: { type: 'order', after: ['each'] },
    });
    const ended = (nodes: Nodes) => {
      const work = new GraphAtWork(nodes);
      work.end('price', x('1'), 0);
      work.end('judge', completed({}, 'left'), 0);
      work.open('each');
      work.end('each[0]/buy', completed(), 1_000);
      work.end('each[1]/buy', completed(), 2_000);
      return work;
    };
    expect(ended(judged({})).old('after', 99_000)).toBeUndefined();
    expect(ended(judged({ max_age: 10 })).old('after', 12_000)).toBeUndefined();
    expect(ended(judged({ max_age: 10 })).old('after', 12_001)).toBe(`${REFUSED}each`);
    const none = { params: { items: [] } };
    const calm = new GraphAtWork({
      ...each({ a: {} }, { ...none, max_age: 10 }),
      after: { type: 'order', after: ['each'] },
    });
    calm.start('each');
    calm.follow(calm.run.openLoop(calm.id('each'), 500));
    expect([calm.old('after', 10_500), calm.old('after', 10_501)]).toEqual([undefined, `${REFUSED}each`]);
  });
});

describe('an age without an edge', () => {
  it('goes through variables with the value', () => {
    const name = { params: { name: 'best' } };
    const work = new GraphAtWork({
      price,
      keep: { type: 'set', ...name, inputs: { value: 'price.x' } },
      read: { type: 'get', ...name, after: ['keep'] },
      buy: reads('read', { type: 'order' }),
      calm: { type: 'set', ...name, after: ['buy'], params: { name: 'best', value: '3' } },
      last: { type: 'get', ...name, after: ['calm'] },
      sell: reads('last', { type: 'order' }),
    });
    work.end('price', x('1'), 0);
    work.end('keep', x('1'), 0);
    work.cut();
    work.end('read', x('1'), 0);
    expect([work.old('buy', 10_000), work.old('buy', 10_001)]).toEqual([undefined, `${REFUSED}read`]);
    work.end('buy');
    work.end('calm', x('3'), 0);
    work.end('last', x('3'), 0);
    expect(work.old('sell', 99_000)).toBeUndefined();
  });

  it('is none of a variable that has no name, in a graph nobody validated', () => {
    const work = new GraphAtWork({ price, read: { type: 'get' }, buy: reads('read', { type: 'order' }) });
    work.end('read', x('1'), 0);
    expect(work.old('buy', 99_000)).toBeUndefined();
  });

  it('comes with what a child was started with, and goes with what it gives', () => {
    const nodes: Nodes = {
      size: { inputs: { x: 'input.amount' } },
      buy: reads('size', { type: 'order' }),
      sell: { type: 'order', inputs: { x: 'input.amount' } },
      text: { inputs: { x: '!', y: 'item.value', z: 'nowhere.x' } },
    };
    const work = new GraphAtWork(nodes, {
      inputs: { amount: '1' },
      inputs_until: 10_000,
      outputs: { x: 'size.x', i: 'input.amount' },
    });
    work.end('size', x('1'), 0);
    expect([work.run.outputsUntil, work.run.fieldsUntil(work.id('size'))]).toEqual([10_000, 10_000]);
    work.cut();
    expect(work.readAgain(10_001).renewed).toEqual([]);
    expect([work.old('buy'), work.old('sell'), work.old('text')]).toEqual([
      `${REFUSED}size`,
      `${REFUSED}what it reads from around it`,
      undefined,
    ]);
  });

  it('is the earlier one of what a child was given and what it says', () => {
    const nodes: Nodes = {
      price,
      child: { type: 'subgraph', inputs: { x: 'price.x' } },
      buy: reads('child', { type: 'order' }),
    };
    const ended = (nodesOf: Nodes, good_until: number) => {
      const work = new GraphAtWork(nodesOf);
      if ('price' in nodesOf) work.end('price', x('1'), 0);
      work.start('child');
      work.run.settle(work.id('child'), { kind: 'completed', outputs: { x: '1' }, good_until }, 0);
      return work;
    };
    expect(ended(nodes, 5_000).old('buy', 5_001)).toBe(`${REFUSED}child`);
    expect(ended(nodes, 50_000).old('buy', 10_001)).toBe(`${REFUSED}child`);
    const alone: Nodes = { child: { type: 'subgraph' }, buy: reads('child', { type: 'order' }) };
    expect([ended(alone, 5_000).old('buy', 5_000), ended(alone, 5_000).old('buy', 5_001)]).toEqual([
      undefined,
      `${REFUSED}child`,
    ]);
  });

  it('is none of what runs at a halt', () => {
    const on_halt: Nodes = { price, cancel: reads('price', { type: 'cancel' }) };
    const work = new GraphAtWork({ price }, { on_halt });
    work.run.openAside(':on_halt[1]', work.plans.on_halt!);
    work.end(':on_halt[1]/price', x('1'), 0);
    expect(work.readAgain(99_000).renewed).toEqual([]);
    expect(work.old(':on_halt[1]/cancel')).toBeUndefined();
    expect(work.run.runsAside).toBe(true);
    work.end(':on_halt[1]/cancel');
    expect(work.run.runsAside).toBe(false);
  });

  it('costs nothing where no node has one', () => {
    const work = new GraphAtWork({ a: {}, b: reads('a') });
    work.end('a', x('1'), 0);
    expect([work.readAgain(99_000).renewed, work.old('b', 99_000)]).toEqual([[], undefined]);
    expect(work.run.carry()).not.toHaveProperty('judged_at');
  });
});
