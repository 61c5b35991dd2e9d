/** Executions and desks that between them use every construct: their histories are recorded and replayed. */
import { randomUUID } from 'node:crypto';
import { everyConstruct } from './every-construct';
import type { Receiver } from './receiver';
import type { TestWorker } from './test-worker';
import { LiveDesk } from './live-desk';
import { readyDesk } from './ready-desk';
import { answered, until } from './until';

const constant = (after: string[] = []) => ({ type: 'constant', params: { value: '1' }, after });

/** A run of a workflow; without `run_id` its last. */
export interface RecordedRun {
  readonly workflow_id: string;
  readonly run_id?: string;
}

type Shape = (worker: TestWorker, receiver: Receiver) => Promise<RecordedRun>;

export const recordedShapes: Readonly<Record<string, Shape>> = {
  'pure-chain': async (worker) => {
    const chain = Array.from({ length: 80 }, (_, at): [string, object] => [
      `n${at}`,
      constant(at === 0 ? [] : [`n${at - 1}`]),
    ]);
    return finished(worker, await worker.start(Object.fromEntries(chain)));
  },
  branches: async (worker) =>
    finished(
      worker,
      await worker.start({
        price: { type: 'constant', params: { value: '9.5' } },
        enough: { type: 'threshold', params: { min: '8' }, inputs: { value: 'price.value' } },
        yes: { type: 'notify', after: ['enough.pass'], params: { message: 'at {{price.value}}' } },
        no: { type: 'notify', after: ['enough.fail'], params: { message: 'too low' } },
        guarded: { type: 'notify', when: 'price.value > 100', params: { message: 'never' } },
        any: { ...constant(['yes', 'no']), join: 'any' },
      }),
    ),
  wide: async (worker) => {
    const side = Array.from({ length: 50 }, (_, at): [string, object] => [
      `s${at}`,
      { type: 'test_slow', params: { ms: 1, value: at } },
    ]);
    return finished(worker, await worker.start(Object.fromEntries(side)));
  },
  retry: async (worker) =>
    finished(
      worker,
      await worker.start({
        flaky: { type: 'test_failing', params: { times: 2 }, retry: { max_attempts: 3, initial: '20ms' } },
      }),
    ),
  failure: async (worker) =>
    finished(
      worker,
      await worker.start({
        handled: { type: 'math', params: { op: 'divide', a: '1', b: '0' } },
        on_error: constant(['handled.error']),
        runs: { type: 'test_slow', params: { ms: 150, value: 1 } },
        breaks: { type: 'test_refusing', params: { code: 'InvalidInput' }, after: ['on_error'] },
        behind: constant(['breaks']),
      }),
    ),
  'halt-and-resume': async (worker) => {
    const id = await worker.start({
      flaky: { type: 'test_failing', params: { times: 1 }, retry: { initial: '60s' } },
      runs: { type: 'test_slow', params: { ms: 150, value: 1 } },
      after: constant(['runs']),
    });
    await worker.reaches(id, ({ nodes }) => nodes['runs']?.state === 'running');
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(
      id,
      ({ state, nodes }) =>
        state === 'halted' && nodes['flaky']?.state === 'pending' && nodes['runs']?.state === 'completed',
    );
    await worker.client.resumeExecution(id, 'looked');
    return finished(worker, id);
  },
  'halted-by-the-desk': async (worker) => {
    const desk = await LiveDesk.begin(worker);
    const nodes = { runs: { type: 'test_slow', params: { ms: 500, value: 1 } }, after: constant(['runs']) };
    const id = await worker.start(nodes, { desk: desk.id });
    await worker.reaches(id, ({ nodes: { runs } }) => runs?.state === 'running');
    await desk.raise('halt');
    await worker.reaches(id, ({ state, nodes: { runs } }) => state === 'halted' && runs?.state === 'completed');
    await desk.resume();
    return finished(worker, id);
  },
  'read-again': async (worker) => {
    const id = await worker.start({
      quote: { type: 'test_slow', params: { ms: 1, value: '1' }, max_age: '200ms' },
      sum: { type: 'math', params: { op: 'add', b: '1' }, inputs: { a: 'quote.value' } },
      enough: { type: 'threshold', params: { min: '1' }, inputs: { value: 'sum.value' } },
      tell: { type: 'notify', params: { message: '{{quote.value}}' } },
      runs: { type: 'test_slow', params: { ms: 1_500, value: 1 } },
      after: {
        type: 'math',
        params: { op: 'add', b: '1' },
        inputs: { a: 'sum.value' },
        after: ['runs', 'enough.pass'],
      },
      refused: { type: 'notify', after: ['runs'], params: { message: '{{tell.message}}' }, on_error: 'continue' },
    });
    await worker.reaches(
      id,
      ({ nodes }) => nodes['enough']?.state === 'completed' && nodes['tell']?.state === 'completed',
    );
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(id, ({ state, nodes }) => state === 'halted' && nodes['runs']?.state === 'completed');
    const since = Date.now();
    await until('the quote is too old', () => Date.now() > since + 200);
    await worker.client.resumeExecution(id, 'looked');
    return finished(worker, id);
  },
  wait: async (worker) =>
    finished(worker, await worker.start({ nap: { type: 'wait', params: { for: '100ms' } }, after: constant(['nap']) })),
  cancel: async (worker) => {
    const id = await worker.start({
      nap: { type: 'wait', params: { for: '1h' } },
      runs: { type: 'test_slow', params: { ms: 150, value: 1 } },
      after: constant(['nap']),
    });
    await worker.reaches(id, ({ nodes }) => nodes['runs']?.state === 'running');
    await worker.client.cancelExecution(id);
    return finished(worker, id);
  },
  'desk-halt': async (worker) => {
    const desk = `desk-${randomUUID()}`;
    await readyDesk(worker.client, desk);
    const id = await worker.start({ nap: { type: 'wait', params: { for: '1h' } } }, { desk });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.haltDesk({ reason: 'fire', actor: 'ann' }, desk);
    await worker.reaches(id, ({ state }) => state === 'halted');
    await worker.client.resumeDesk({ reason: 'out', actor: 'ann' }, desk);
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.cancelExecution(id);
    await worker.ended(id);
    return { workflow_id: `desk/${desk}` };
  },
  'desk-flatten': async (worker) => {
    const desk = await LiveDesk.begin(worker);
    await flattened(desk);
    return { workflow_id: `desk/${desk.id}` };
  },
  'flatten-unreachable': async (worker) => {
    const desk = await LiveDesk.begin(worker);
    await desk.fill();
    return { workflow_id: `desk/${desk.id}/flatten/${await flattened(desk)}` };
  },
  'desk-continued-first-run': async (worker) => {
    const desk = await LiveDesk.begin(worker, { updates_per_run: 12 });
    const workflow_id = `desk/${desk.id}`;
    const run_id = await desk.runId();
    await desk.limits({ daily_loss: '100' });
    await desk.order('first');
    await desk.lose(150);
    await desk.settle({ permit_id: 'first', outcome: 'unused' });
    await desk.workflow.signal('shutdown', { scope: 'symbol:X', reason: 'odd' });
    await desk.limits({ daily_loss: '1000' });
    await desk.resume();
    while ((await desk.runId()) === run_id) await desk.raise('alert');
    return { workflow_id, run_id };
  },
  'every-construct': async (worker, receiver) => {
    const { nodes, extra } = everyConstruct(receiver.url);
    const id = await worker.start(nodes, extra);
    await worker.client.deliverMessage(id, { name: 'other', payload: 0 });
    await worker.client.deliverMessage(id, { name: 'go', payload: { price: '42' } });
    await worker.reaches(id, (status) => status.nodes['decide']?.state === 'waiting');
    await worker.client.approveNode(id, { node: 'decide', decision: 'approve', actor: 'ann' });
    return finished(worker, id);
  },
  'continued-first-run': async (worker, receiver) => {
    const { nodes, extra } = everyConstruct(receiver.url);
    const input = { ...worker.prepare(nodes, extra), settings: { tasks_per_run: 6 } };
    const { execution_id } = await worker.client.startExecution(input);
    const { runId } = await worker.temporal.workflow.getHandle(execution_id).describe();
    await worker.client.deliverMessage(execution_id, { name: 'go', payload: 1 });
    await worker.reaches(execution_id, (status) => status.nodes['decide']?.state === 'waiting');
    await worker.client.approveNode(execution_id, { node: 'decide', decision: 'approve', actor: 'ann' });
    await worker.ended(execution_id);
    return { workflow_id: execution_id, run_id: runId };
  },
  'continued-last-run': async (worker) => {
    const chain = Array.from({ length: 12 }, (_, at): [string, object] => [
      `n${at}`,
      { type: 'test_slow', params: { ms: 1, value: at }, after: at === 0 ? [] : [`n${at - 1}`] },
    ]);
    const nodes = { ...Object.fromEntries(chain), nap: { type: 'wait', params: { for: '1s' } } };
    const input = { ...worker.prepare(nodes), settings: { tasks_per_run: 8 } };
    return finished(worker, (await worker.client.startExecution(input)).execution_id);
  },
  'wait-timeouts': async (worker) =>
    finished(
      worker,
      await worker.start({
        quiet: { type: 'wait_for_signal', params: { name: 'never', deadline: '50ms', on_timeout: 'continue' } },
        decide: { type: 'approval', params: { deadline: '100ms' } },
        rejected: constant(['decide.rejected']),
      }),
    ),
  steered: async (worker) => {
    const id = await worker.start({
      nap: { type: 'wait', params: { for: '1h' } },
      ask: { type: 'wait_for_signal', params: { name: 'never' } },
      breaks: { type: 'test_refusing', params: { code: 'InvalidInput' }, on_error: 'continue' },
    });
    const broken = await worker.reaches(id, ({ nodes }) => nodes['breaks']?.state === 'failed');
    await worker.client.retryNode(id, { node: 'breaks', actor: 'ann' });
    await worker.reaches(
      id,
      ({ nodes }) => nodes['breaks']?.state === 'failed' && nodes['breaks'] !== broken.nodes['breaks'],
    );
    await worker.client.retryNode(id, { node: 'nap', actor: 'ann' });
    await worker.client.skipNode(id, { node: 'nap', actor: 'ann' });
    await worker.client.skipNode(id, { node: 'ask', actor: 'ann' });
    return finished(worker, id);
  },
  rerun: async (worker) => {
    const id = await worker.start({ first: constant(), second: constant(['first']), third: constant(['second']) });
    await worker.ended(id);
    return finished(worker, (await worker.client.rerunExecution(id, { from: 'second' })).execution_id);
  },
  'on-halt': async (worker) => {
    const id = await worker.start(
      { nap: { type: 'wait', params: { for: '1h' } } },
      { on_halt: { nodes: { tell: { type: 'notify', params: { message: 'halted' } } } } },
    );
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(id, ({ nodes }) => nodes[':on_halt[1]/tell']?.state === 'completed');
    await worker.client.cancelExecution(id);
    return finished(worker, id);
  },
  deferred: async (worker) => {
    const call = {
      type: 'test_slow',
      params: { ms: 1, value: 1 },
      rate_limit: { calls: 1, per: '200ms' },
      circuit_breaker: `api-${randomUUID().slice(0, 8)}`,
      total_timeout: '30s',
    };
    return finished(worker, await worker.start({ first: call, second: call }));
  },
  'subgraph-halted': async (worker) => {
    const id = await worker.start({
      other: { type: 'subgraph', body: { nodes: { nap: { type: 'wait', params: { for: '1h' } } } } },
    });
    await worker.reaches(id, ({ nodes }) => nodes['other']?.state === 'waiting');
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(`${id}.other`, ({ state }) => state === 'halted');
    await worker.client.resumeExecution(id, 'looked');
    await worker.client.cancelExecution(id);
    return finished(worker, id);
  },
};

async function finished(worker: TestWorker, id: string): Promise<RecordedRun> {
  await worker.ended(id);
  return { workflow_id: id };
}

/** The epoch of a flatten that has ended. */
async function flattened(desk: LiveDesk): Promise<number> {
  const { epoch } = await desk.command({ action: 'flatten', scope: 'global', confirm: 'global' });
  await until('the flatten has ended', async () => {
    const report = await answered(() => desk.client.flattenReport(epoch, desk.id));
    return report?.is_done === true;
  });
  return epoch;
}
