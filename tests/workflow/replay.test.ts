/**
 * Histories of released workflow shapes, replayed against the code of today: an execution that began before a change must go on
 * after it. With HOLDFAST_RECORD_HISTORIES=1 they are recorded anew into tests/replay; that is right for a new shape alone, for
 * a changed one the code takes the old path under `patched()`.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { RunCounter, failing, refusing, slow } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { testBundle } from '../support/workflow-bundle';

jest.setTimeout(60_000);

const { History } = temporal.api.history.v1;
const FOLDER = join(__dirname, '../replay');
const recording = process.env['HOLDFAST_RECORD_HISTORIES'] === '1';

const constant = (after: string[] = []) => ({ type: 'constant', params: { value: '1' }, after });

/** Each runs an execution or a desk and gives its workflow id. */
const shapes: Readonly<Record<string, (worker: TestWorker) => Promise<string>>> = {
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
    await worker.client.ensureDesk(desk);
    const id = await worker.start({ nap: { type: 'wait', params: { for: '1h' } } }, { desk });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.haltDesk({ reason: 'fire', actor: 'ann' }, desk);
    await worker.reaches(id, ({ state }) => state === 'halted');
    await worker.client.resumeDesk({ reason: 'out', actor: 'ann' }, desk);
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.cancelExecution(id);
    await worker.ended(id);
    return `desk/${desk}`;
  },
};

/** Where it was recorded is nobody's business. */
function withoutPlace(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  return typeof value === 'string' && /^\d+@/.test(value) ? 'worker' : value;
}

async function finished(worker: TestWorker, id: string): Promise<string> {
  await worker.ended(id);
  return id;
}

(recording ? describe : describe.skip)('recording histories', () => {
  let worker: TestWorker;

  beforeAll(async () => {
    mkdirSync(FOLDER, { recursive: true });
    const counter = new RunCounter();
    worker = await startTestWorker([failing(counter), slow(counter), refusing]);
  });
  afterAll(() => worker.stop());

  it.each(Object.entries(shapes))('records %s', async (name, run) => {
    const history = await worker.temporal.workflow.getHandle(await run(worker)).fetchHistory();
    expect(history.events?.length).toBeGreaterThan(5);
    const recorded = History.toObject(History.fromObject(history), { enums: String, longs: String, bytes: String });
    writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(recorded, withoutPlace)}\n`);
  });
});

describe('every recorded history', () => {
  it('is there', () => {
    const names = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));
    expect(names).toEqual(expect.arrayContaining(Object.keys(shapes)));
  });

  it('replays with the code of today', async () => {
    const histories = readdirSync(FOLDER)
      .filter((file) => file.endsWith('.json'))
      .map((file) => ({
        workflowId: file,
        history: History.fromObject(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as object),
      }));
    const results = Worker.runReplayHistories(
      {
        workflowBundle: await testBundle(false),
        sinks: { events: { publish: { fn: () => undefined, callDuringReplay: false } } },
        dataConverter: { payloadConverterPath: require.resolve('../../src/workflows/payload-converter') },
      },
      histories,
    );
    const errors: string[] = [];
    let replayed = 0;
    for await (const { workflowId, error } of results) {
      replayed += 1;
      if (error !== undefined) errors.push(`${workflowId}: ${error.message}`);
    }
    expect(errors).toEqual([]);
    expect(replayed).toBe(histories.length);
  });
});
