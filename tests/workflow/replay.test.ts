/**
 * Histories of released workflow shapes, replayed against the code of today: an execution that began before a change must go on
 * after it. With HOLDFAST_RECORD_HISTORIES=1 they are recorded anew into tests/replay; that is right for a new shape alone, for
 * a changed one the code takes the old path under `patched()`.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { loadConfig } from '../../src/config/config';
import { openJournal, type Journal } from '../../src/journal/journal';
import { Receiver } from '../support/receiver';
import { OrderShapes, recordedOrders } from '../support/recorded-orders';
import { recordedShapes, type RecordedRun } from '../support/recorded-shapes';
import { RunCounter, counted, failing, refusing, slow } from '../support/test-kinds';
import { replayAll } from '../support/replays';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

const { History } = temporal.api.history.v1;
const FOLDER = join(__dirname, '../replay');
const recording = process.env['HOLDFAST_RECORD_HISTORIES'] === '1';

function idOf({ events }: temporal.api.history.v1.IHistory): string {
  return events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
}

/** Where it was recorded is nobody's business. */
function withoutPlace(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return '';
  return typeof value === 'string' && /^\d+@/.test(value) ? 'worker' : value;
}

async function record(name: string, worker: TestWorker, { workflow_id, run_id }: RecordedRun): Promise<void> {
  const history = await worker.temporal.workflow.getHandle(workflow_id, run_id).fetchHistory();
  expect(history.events?.length).toBeGreaterThan(5);
  const recorded = History.toObject(History.fromObject(history), { enums: String, longs: String, bytes: String });
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(recorded, withoutPlace)}\n`);
}

(recording ? describe : describe.skip)('recording histories', () => {
  let worker: TestWorker;
  let receiver: Receiver;

  beforeAll(async () => {
    mkdirSync(FOLDER, { recursive: true });
    const counter = new RunCounter();
    receiver = await Receiver.listen();
    worker = await startTestWorker([failing(counter), slow(counter), refusing, counted]);
  });
  afterAll(async () => {
    await worker.stop();
    await receiver.close();
  });

  it.each(Object.entries(recordedShapes))('records %s', async (name, run) => {
    await record(name, worker, await run(worker, receiver));
  });
});

(recording ? describe : describe.skip)('recording histories with orders', () => {
  let shapes: OrderShapes;
  let journal: Journal;
  beforeAll(async () => {
    journal = openJournal(loadConfig().journal.url);
    // A desk is set up on record alone.
    await until('the journal answers', () =>
      journal.auditLength('nobody').then(
        () => true,
        () => false,
      ),
    );
    shapes = await OrderShapes.open(journal);
  });
  afterAll(async () => {
    await shapes.worker.stop();
    await journal.close();
  });

  it.each(Object.entries(recordedOrders))('records %s', async (name, run) => {
    await record(name, shapes.worker, await run(shapes));
  });
});

describe('every recorded history', () => {
  it('is there', () => {
    const names = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ''));
    expect(names).toEqual(expect.arrayContaining([...Object.keys(recordedShapes), ...Object.keys(recordedOrders)]));
  });

  it('replays with the code of today', async () => {
    const histories = readdirSync(FOLDER)
      .filter((file) => file.endsWith('.json'))
      .map((file) => History.fromObject(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as object))
      // Children are named after their parent, so it must have its name.
      .map((history) => ({ workflowId: idOf(history), history }));
    const { errors, replayed } = await replayAll(histories);
    expect(errors).toEqual([]);
    expect(replayed).toBe(histories.length);
  });
});
