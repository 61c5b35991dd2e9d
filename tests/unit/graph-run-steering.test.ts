import { describe, expect, it } from '@jest/globals';
import { GraphRun } from '../../src/graph/graph-run';
import { bodyOf, completed, failed, GraphAtWork, planOf, type Nodes } from '../support/plans';

const pair = bodyOf({ a: {}, b: { after: ['a'] } }, { out: 'b.x' });
const each = (items: number, rest: object = {}, body = pair): Nodes => ({
  each: { type: 'map', params: { items: Array.from({ length: items }, (_, at) => at), ...rest }, body },
});
const renew = (work: GraphAtWork, key: string) => {
  const advance = work.run.renew(work.id(key));
  return advance && work.follow(advance);
};
const dismiss = (work: GraphAtWork, key: string) => {
  const advance = work.run.dismiss(work.id(key), 'passed over');
  return advance && work.follow(advance);
};
const generation = (work: GraphAtWork, key: string) => work.run.generation(work.id(key));

describe('a graph that was given up', () => {
  it('starts nothing more in any frame, and its loops end skipped when what ran of them has ended', () => {
    const body = bodyOf({
      first: {},
      cells: { type: 'map', params: { items: [1, 2, 3], concurrency: 2 }, body: pair },
    });
    const work = new GraphAtWork({ ...each(5, { concurrency: 2 }, body), x: {}, after: { after: ['each'] } });
    work.open('each');
    work.open('each[0]/cells');
    work.start('each[0]/cells[0]/a', 'each[1]/first');
    const followed = work.end('x', failed);
    expect(followed.ready).toEqual([]);
    expect(followed.givenUp).toEqual(['', 'each[0]', 'each[0]/cells[0]', 'each[0]/cells[1]', 'each[1]']);
    expect(work.ready).toEqual([]);
    expect(work.states('each', 'each[0]/cells', 'each[1]/cells')).toEqual(['running', 'running', 'skipped']);
    work.cut();
    expect(work.end('each[0]/cells[0]/a')).toMatchObject({
      ready: [],
      ended: [],
      closed: ['each[0]/cells[0]', 'each[0]'],
    });
    expect(work.state('each[0]/cells')).toEqual({ state: 'skipped', reason: 'x failed', abandoned: true });
    const last = work.end('each[1]/first');
    expect(last).toMatchObject({ ready: [], ended: [], skipped: ['each'], closed: ['each[1]', ''] });
    expect(work.state('each')).toEqual({ state: 'skipped', reason: 'x failed', abandoned: true });
    expect([work.run.isDone, work.run.failure?.node_id, work.run.held]).toEqual([true, 'x', 0]);
  });

  it('has a loop that failed itself fail', () => {
    const work = new GraphAtWork({ ...each(2), x: {} });
    work.open('each');
    work.start('each[0]/a');
    work.end('x', failed);
    expect(work.end('each[0]/a', failed).ended).toEqual(['each']);
    expect(work.state('each')).toMatchObject({ state: 'failed', error: 'each[0]/a: broken' });
    expect(work.run.failure?.node_id).toBe('x');
  });

  it('takes no result of an item that was given up, not even to find that it does not fit', () => {
    const body = bodyOf({ a: {}, b: {} }, { once: 'a.x', twice: 'a.x' });
    const work = new GraphAtWork({ ...each(1, {}, body), x: {} }, { output_limit: 1_000 });
    work.open('each');
    work.end('each[0]/a', completed({ x: 'x'.repeat(600) }));
    work.start('each[0]/b');
    work.end('x', failed);
    work.end('each[0]/b');
    expect(work.state('each')).toEqual({ state: 'skipped', reason: 'x failed', abandoned: true });
  });

  it('takes back what had started and only waits, to be begun anew with the rest', () => {
    const work = new GraphAtWork({ x: {}, waits: {}, after: { after: ['waits'] }, runs: {} });
    work.start('waits', 'runs');
    work.end('x', failed);
    expect(work.follow(work.run.giveUp(work.id('waits'), 'x failed')).skipped).toEqual(['waits']);
    expect(work.state('waits')).toEqual({ state: 'skipped', reason: 'x failed', abandoned: true });
    expect(renew(work, 'x')).toMatchObject({ ready: ['x', 'waits'], renewed: ['x', 'waits', 'after'] });
    expect(work.run.frames[0]).not.toHaveProperty('givenUp');
    expect(generation(work, 'waits')).toBe(1);
  });

  it('ends with what it takes back last', () => {
    const work = new GraphAtWork({ x: {}, waits: {} });
    work.start('waits');
    work.end('x', failed);
    expect(work.follow(work.run.giveUp(work.id('waits'), 'x failed')).closed).toEqual(['']);
    expect(work.run.isDone).toBe(true);
  });

  it("stays so on someone's word: nothing is begun anew", () => {
    const work = new GraphAtWork({ x: {}, y: {}, z: {}, ...each(1) });
    work.start('x', 'y');
    work.open('each');
    work.start('each[0]/a');
    const followed = work.follow(work.run.abandon('cancelled'));
    expect(followed.skipped).toEqual(['z', 'each[0]/b']);
    work.end('x', failed);
    expect([work.run.canRenew(work.id('x')), renew(work, 'x'), dismiss(work, 'x')]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    work.cut();
    expect(work.run.canRenew(work.id('x'))).toBe(false);
    work.end('y');
    work.end('each[0]/a');
    expect(work.run.isDone).toBe(true);
  });

  it('is given up for good by a cancel that comes after a failure', () => {
    const work = new GraphAtWork({ x: {}, y: {}, z: {}, ...each(1) });
    work.start('y');
    work.end('x', failed);
    renew(work, 'x');
    work.open('each');
    work.end('x', failed);
    expect(work.ready).toEqual([]);
    work.run.abandon('cancelled');
    expect(renew(work, 'x')).toBeUndefined();
    work.end('y');
    expect(work.run.isDone).toBe(true);
  });

  it('cannot be revived where a loop at work was cut short: a part of its items is lost', () => {
    const work = new GraphAtWork({ ...each(3, { concurrency: 1 }), x: {}, y: {} });
    work.open('each');
    work.start('each[0]/a', 'y');
    work.end('x', failed);
    expect(work.run.canRenew(work.id('x'))).toBe(false);
    work.end('each[0]/a');
    expect([renew(work, 'x'), dismiss(work, 'x')]).toEqual([undefined, undefined]);
    work.end('y');
    expect(work.run.isDone).toBe(true);
  });

  it('is revived in one item alone, while the others go on', () => {
    const body = bodyOf({ a: {}, b: { after: ['a', 'c'] }, c: {} }, { out: 'b.x' });
    const work = new GraphAtWork(each(2, {}, body));
    work.open('each');
    work.start('each[0]/c');
    expect(work.end('each[0]/a', failed).givenUp).toEqual(['each[0]']);
    expect(renew(work, 'each[0]/a')).toMatchObject({ ready: ['each[0]/a'], renewed: ['each[0]/a', 'each[0]/b'] });
    for (const key of ['each[0]/a', 'each[0]/c', 'each[1]/a', 'each[1]/c']) work.end(key);
    work.end('each[0]/b', completed({ x: 1 }));
    work.end('each[1]/b', completed({ x: 2 }));
    expect(work.state('each')).toMatchObject({ outputs: { results: [{ out: 1 }, { out: 2 }] } });
  });

  it('opens no other item while one has failed and may still be begun anew', () => {
    const body = bodyOf({ a: {}, b: {} });
    const open = (on_item_error: string) => {
      const work = new GraphAtWork(each(3, { concurrency: 2, on_item_error }, body));
      work.open('each');
      work.start('each[0]/b');
      work.end('each[0]/a', failed);
      work.end('each[1]/a');
      return { work, followed: work.end('each[1]/b') };
    };
    expect(open('continue').followed.ready).toEqual(['each[2]/a', 'each[2]/b']);
    const { work, followed } = open('fail');
    expect(followed.ready).toEqual([]);
    renew(work, 'each[0]/a');
    work.end('each[0]/a');
    expect(work.end('each[0]/b').ready).toEqual(['each[2]/a', 'each[2]/b']);
    const lost = open('fail').work;
    expect(lost.end('each[0]/b').ended).toEqual(['each']);
    expect(lost.state('each')).toMatchObject({ state: 'failed', error: 'each[0]/a: broken' });
  });

  it('revives no item that was given up for another', () => {
    const body = bodyOf({ a: {}, b: {}, c: { after: ['a'] } });
    const work = new GraphAtWork(each(2, {}, body));
    work.open('each');
    work.start('each[1]/a', 'each[1]/b');
    work.end('each[1]/a', failed);
    work.start('each[0]/a');
    work.end('each[0]/b', failed);
    work.end('each[0]/a');
    expect(renew(work, 'each[1]/a')).toBeUndefined();
    expect(work.end('each[1]/b').ended).toEqual(['each']);
  });

  it('has a loop that is begun anew run, while another failure still holds the rest back', () => {
    const work = new GraphAtWork({ ...each(1), x: {}, y: {}, after: { after: ['each', 'x'] } });
    work.start('x', 'y');
    work.open('each');
    work.end('each[0]/a', failed);
    work.end('x', failed);
    expect(renew(work, 'each')).toMatchObject({ ready: ['each'], renewed: ['each'] });
    expect(work.open('each').ready).toEqual(['each[0]/a']);
    work.end('each[0]/a');
    work.end('each[0]/b', completed({ x: 1 }));
    expect(work.state('each').state).toBe('completed');
    expect(renew(work, 'x')).toMatchObject({ ready: ['x'], renewed: ['x', 'after'] });
    expect(work.end('x').ready).toEqual(['after']);
  });
});

describe('a new generation', () => {
  it('is one higher for all that begins anew, and travels', () => {
    const work = new GraphAtWork({ x: {}, y: { after: ['x'] }, z: {} });
    work.start('z');
    work.end('x', failed);
    renew(work, 'x');
    work.cut();
    expect([generation(work, 'x'), generation(work, 'y'), generation(work, 'z')]).toEqual([1, 1, 0]);
    work.end('x', failed);
    renew(work, 'x');
    expect([generation(work, 'x'), generation(work, 'y')]).toEqual([2, 2]);
  });

  it('of a loop begins above every one inside it, so nothing runs twice under one key (S5)', () => {
    const cells = bodyOf({ x: { on_error: 'continue' }, y: { after: ['x.finished'] } });
    const rows = bodyOf({ cells: { type: 'map', params: { items: [1] }, body: cells } });
    const work = new GraphAtWork({ ...each(1, {}, rows), other: {} });
    const seen = new Set<string>();
    const note = (key: string) => {
      const name = `${key} ${generation(work, key)}`;
      expect(seen).not.toContain(name);
      seen.add(name);
    };
    const through = (renewals: number) => {
      note('each');
      work.open('each');
      note('each[0]/cells');
      work.open('each[0]/cells');
      for (let times = 0; times < renewals; times += 1) {
        note('each[0]/cells[0]/x');
        work.end('each[0]/cells[0]/x', failed);
        work.cut();
        renew(work, 'each[0]/cells[0]/x');
      }
      work.end('each[0]/cells[0]/x');
      note('each[0]/cells[0]/y');
      work.end('each[0]/cells[0]/y', failed);
    };
    work.start('other');
    for (const renewals of [3, 0, 1, 2]) {
      through(renewals);
      expect(work.state('each').state).toBe('failed');
      renew(work, 'each');
    }
    expect(generation(work, 'each')).toBe(10);
  });

  it('of a node that waits is ready under the next number', () => {
    const work = new GraphAtWork({ a: {}, b: {} });
    work.start('a');
    expect(work.follow(work.run.renewWaiting(work.id('a')))).toMatchObject({ ready: ['a'], renewed: ['a'] });
    expect(work.follow(work.run.renewWaiting(work.id('b')))).toMatchObject({ ready: ['b'], renewed: ['b'] });
    expect([work.state('a').state, generation(work, 'a'), generation(work, 'b')]).toEqual(['ready', 1, 1]);
    work.end('a');
    work.end('b');
    expect(work.run.isDone).toBe(true);
  });

  it('is refused in a frame that has closed, and where inputs were dropped', () => {
    const work = new GraphAtWork(
      { ...each(2, { on_item_error: 'continue' }), source: {}, x: { inputs: { v: 'source.v' }, on_error: 'continue' } },
      { output_limit: 1_000 },
    );
    work.open('each');
    work.end('each[0]/a', failed);
    expect([work.run.canRenew(work.id('each[0]/a')), renew(work, 'each[0]/a'), dismiss(work, 'each[0]/b')]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    work.end('source', completed({ v: 'v'.repeat(400) }));
    work.end('x', failed);
    expect(work.run.canRenew(work.id('x'))).toBe(true);
    work.end('each[1]/a', completed({ v: 'v'.repeat(400) }));
    expect([work.run.canRenew(work.id('x')), renew(work, 'x')]).toEqual([false, undefined]);
  });

  it('is forgotten with its frame', () => {
    const body = bodyOf({ a: { on_error: 'continue' } });
    const work = new GraphAtWork(each(6_500, { concurrency: 1 }, body));
    work.open('each');
    for (let at = 0; at < 6_500; at += 1) {
      if (at === 0) work.end('each[0]/a');
      else work.end(`each[${at}]/a`);
      if (at < 6_499) work.run.renewWaiting(work.id(`each[${at + 1}]/a`));
    }
    expect(work.run.carry().generations.length).toBeLessThanOrEqual(5_001);
  });
});

describe('passing a node over', () => {
  it('skips what waits, and what failed: then what was given up waits again', () => {
    const work = new GraphAtWork({ x: {}, y: {}, z: { after: ['y'] } });
    work.start('y');
    work.end('x', failed);
    expect(dismiss(work, 'x')).toMatchObject({ skipped: ['x'], renewed: ['z'], ready: [] });
    const passedOver = { state: 'skipped', reason: 'passed over', passed_over: true, after_failure: true };
    expect(work.state('x')).toEqual(passedOver);
    work.cut();
    expect(work.state('x')).toEqual(passedOver);
    expect(dismiss(work, 'y')).toMatchObject({ skipped: ['y', 'z'], closed: [''] });
    expect([work.run.isDone, work.run.failure]).toEqual([true, undefined]);
  });

  it('ends a frame, and with it a loop', () => {
    const work = new GraphAtWork({ ...each(1), after: { after: ['each'] } });
    work.open('each');
    work.start('each[0]/a');
    expect(dismiss(work, 'each[0]/a')).toMatchObject({ closed: ['each[0]'], ended: ['each'], ready: ['after'] });
  });

  it('is refused for a loop at work and for what has ended', () => {
    const work = new GraphAtWork({ ...each(1), x: {} });
    work.open('each');
    work.end('x');
    expect([dismiss(work, 'each'), dismiss(work, 'x')]).toEqual([undefined, undefined]);
  });
});

describe('what runs at a halt', () => {
  it('runs in frames of its own, which travel and do not keep the graph from its end', () => {
    const on_halt: Nodes = { cancel: {}, tell: { after: ['cancel'] } };
    const work = new GraphAtWork({ a: {} }, { on_halt });
    const plan = work.plans.on_halt!;
    expect(work.follow(work.run.openAside(':on_halt[1]', plan)).ready).toEqual([':on_halt[1]/cancel']);
    expect(work.end(':on_halt[1]/cancel').ready).toEqual([':on_halt[1]/tell']);
    work.cut();
    expect(work.ready).toEqual(['a', ':on_halt[1]/tell']);
    expect(work.end(':on_halt[1]/tell').closed).toEqual([':on_halt[1]']);
    work.cut();
    expect(work.states(':on_halt[1]/cancel', ':on_halt[1]/tell')).toEqual(['completed', 'completed']);
    work.run.openAside(':on_halt[2]', plan);
    work.end(':on_halt[2]/cancel', failed);
    expect([work.state(':on_halt[2]/tell').state, work.run.failure]).toEqual(['skipped', undefined]);
    work.run.abandon('cancelled');
    expect(work.run.isDone).toBe(true);
  });

  it('cannot be restored without its plan', () => {
    const work = new GraphAtWork({ a: {} }, { on_halt: { cancel: {} } });
    work.run.openAside(':on_halt[1]', work.plans.on_halt!);
    const options = { inputs: {}, output_limit: 1 };
    expect(() => GraphRun.restore({ top: work.plans.top }, work.run.carry(), options)).toThrow(
      'no plan for the frame :on_halt[1]',
    );
    expect(() =>
      GraphRun.restore({ top: planOf({ each: {} }) }, new GraphAtWork(each(1)).run.carry(), options),
    ).not.toThrow();
    const open = new GraphAtWork(each(1));
    open.open('each');
    expect(() => GraphRun.restore({ top: planOf({ each: {} }) }, open.run.carry(), options)).toThrow(
      'no plan for the frame 0 0',
    );
  });
});

describe('what is held', () => {
  it('counts variables, and refuses what does not fit beside the rest', () => {
    const work = new GraphAtWork(
      { a: {}, reader: { inputs: { x: 'a.x' } } },
      { variables: { v: 'start' }, output_limit: 100 },
    );
    expect(work.run.held).toBe('"start"'.length);
    work.end('a', completed({ x: 'x'.repeat(50) }));
    expect(work.run.setVariable('w', 'w'.repeat(60))).toBe('62 bytes do not fit beside the 65 that are held');
    expect(work.run.variable('w')).toBeUndefined();
    expect(work.run.setVariable('v', 'v'.repeat(10))).toBeUndefined();
    expect(work.run.setVariable('v', 1)).toBeUndefined();
    work.cut();
    expect([work.run.variable('v'), work.run.held, work.weighed]).toEqual([1, 59, 59]);
  });

  it('weighs what is not plain text by its longest form', () => {
    const work = new GraphAtWork({ a: {} }, { variables: { euro: '€', none: undefined } });
    expect(work.run.held).toBe(9);
  });

  it('drops what nobody reads for the longest time, and never what is read or given at the end', () => {
    const nodes = { a: {}, b: {}, c: {}, d: {}, e: {}, reader: { inputs: { x: 'b.x' } } };
    const work = new GraphAtWork(nodes, { outputs: { c: 'c.x' }, output_limit: 1_000 });
    for (const key of ['a', 'b', 'c']) work.end(key, completed({ x: 'x'.repeat(150) }));
    work.cut();
    work.end('d', completed({ x: 'x'.repeat(150) }));
    const holds = () => ['a', 'b', 'c', 'd', 'e'].filter((key) => 'outputs' in work.state(key));
    expect(holds()).toEqual(['b', 'c', 'd']);
    work.end('reader');
    work.end('e', completed({ x: 'x'.repeat(300) }));
    expect(holds()).toEqual(['c', 'e']);
    expect(work.run.outputs).toEqual({ c: 'x'.repeat(150) });
    expect(work.run.held).toBe(work.weighed);
  });
});

describe('a snapshot', () => {
  it('does not change with the graph it was taken of, nor with one that is restored from it', () => {
    const work = new GraphAtWork(each(3, { on_item_error: 'continue' }, bodyOf({ a: {} }, { out: 'a.x' })));
    work.open('each');
    const carried = work.run.carry();
    const before = JSON.stringify(carried);
    work.end('each[0]/a', completed({ x: 1 }));
    work.end('each[1]/a', failed);
    expect(JSON.stringify(carried)).toBe(before);
    const restored = GraphRun.restore(work.plans, carried, { inputs: {}, output_limit: 1_000 });
    const first = restored.find('each[2]/a')!;
    restored.start(first);
    restored.settle(first, completed({ x: 3 }));
    expect(JSON.stringify(carried)).toBe(before);
  });
});

describe('looking at a graph', () => {
  it('finds instances by their keys, the newest first, and says where there is none', () => {
    const work = new GraphAtWork({ ...each(1), other: {} });
    work.start('other');
    work.open('each');
    const old = work.id('each[0]/a');
    work.end('each[0]/a', failed);
    renew(work, 'each');
    work.open('each');
    expect(work.id('each[0]/a')).toBeGreaterThan(old);
    expect([work.run.key(old), work.run.state(old).state]).toEqual(['each[0]/a', 'failed']);
    expect(work.run.loop(work.id('each'))).toMatchObject({ kind: 'map', open: 1 });
    expect(work.run.find('each[0]/gone')).toBeUndefined();
    expect(work.run.find('each[7]/a')).toBeUndefined();
    expect(() => work.run.node(999)).toThrow('no node instance 999');
  });

  it('refuses to open a loop without a body', () => {
    const work = new GraphAtWork({ each: { type: 'map', params: { items: [1] } } });
    expect(() => work.open('each')).toThrow('node instance 0 has no body');
  });

  it('is done at once where there are no nodes', () => {
    expect(new GraphAtWork({}).run.isDone).toBe(true);
  });
});

describe('what runs at a halt, when the execution is cancelled', () => {
  it('is given up with the rest, and the rest with it', () => {
    const work = new GraphAtWork({ a: {} }, { on_halt: { cancel: {}, after: { after: ['cancel'] } } });
    work.run.openAside(':on_halt[1]', work.plans.on_halt!);
    expect(work.follow(work.run.abandonAside('cancelled')).skipped).toEqual([
      ':on_halt[1]/cancel',
      ':on_halt[1]/after',
    ]);
    expect(work.state('a').state).toBe('ready');
  });

  it('is left behind with other frames that ended where little may be carried', () => {
    const work = new GraphAtWork({ a: {} }, { on_halt: { cancel: {} } });
    work.run.openAside(':on_halt[1]', work.plans.on_halt!);
    expect(work.run.carry(true).frames).toHaveLength(2);
    work.run.abandonAside('cancelled');
    expect(work.run.carry().frames).toHaveLength(2);
    expect(work.run.carry(true).frames).toHaveLength(1);
  });
});

describe('a state that is not of this graph', () => {
  it('is refused', () => {
    const work = new GraphAtWork({ a: {}, b: {} });
    const carried = work.run.carry();
    const short = { ...carried, frames: carried.frames.map((frame) => ({ ...frame, nodes: 'r' })) };
    const options = { inputs: {}, output_limit: 1_000 };
    expect(() => GraphRun.restore(work.plans, short, options)).toThrow(new RangeError('1 states for 2 nodes'));
    expect(() => GraphRun.restore(work.plans, { ...carried, frames: [] }, options).isDone).toThrow(RangeError);
  });
});
