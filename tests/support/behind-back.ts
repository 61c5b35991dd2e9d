/** What happens to executions without their own say, and how long until the log shows it. */
import type { Client } from '@temporalio/client';
import type { EventReader, Snapshot } from '../../src/event-log';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { startAttributes } from '../../src/workflows/search-attributes';
import { prepare } from './prepared';
import { resetToBeginning } from './reset';
import { answered, until } from './until';

export interface BehindParts {
  readonly client: HoldfastClient;
  /** The SDK's own. */
  readonly temporal: Client;
  readonly reader: EventReader;
  readonly task_queue: string;
}

export interface Shown {
  readonly id: string;
  /** From when it happened. */
  readonly ms: number;
  readonly snapshot: Snapshot;
}

/** What it takes on a machine that has nothing else to do is measured by `soak:events`. */
const SHOWN_WITHIN_MS = 30_000;
const TIMES_OUT_AFTER = '3s';

const graph = {
  holdfast: 1,
  id: 'behind',
  bot_id: 'bot_behind',
  nodes: {
    first: { type: 'constant', params: { value: '1' } },
    go: { type: 'wait_for_signal', after: ['first'], params: { name: 'go' } },
    told: { type: 'notify', after: ['go'], params: { message: 'went on' } },
    more: { type: 'wait_for_signal', after: ['told'], params: { name: 'more' } },
  },
};

export class BehindBack {
  readonly #parts: BehindParts;

  constructor(parts: BehindParts) {
    this.#parts = parts;
  }

  /** One that waits, as the log shows. */
  async begun(): Promise<string> {
    const { execution_id } = await answered(() => this.#parts.client.startExecution(prepare(graph)));
    await this.#shows(execution_id, isAtGo);
    return execution_id;
  }

  /** Has it wait for the next message. */
  async goOn(id: string): Promise<void> {
    await answered(() => this.#parts.client.deliverMessage(id, { name: 'go' }));
    await this.#shows(id, ({ nodes }) => nodes['more']?.type === 'node_waiting');
  }

  async end(id: string): Promise<Snapshot> {
    await answered(() => this.#parts.client.deliverMessage(id, { name: 'more' }));
    return (await this.#shows(id, hasEnded)).snapshot;
  }

  async terminated(): Promise<Shown> {
    const id = await this.begun();
    await this.#parts.temporal.workflow.getHandle(id).terminate('a test of what is not said');
    return this.#shows(id, hasEnded);
  }

  async timedOut(): Promise<Shown> {
    const { temporal, task_queue, client } = this.#parts;
    const input = prepare(graph);
    const id = `exec_behind_${Date.now()}`;
    await temporal.workflow.start('runGraph', {
      ...{ workflowId: id, taskQueue: task_queue, args: [input], workflowExecutionTimeout: TIMES_OUT_AFTER },
      typedSearchAttributes: startAttributes(input),
    });
    await until('it timed out', async () => (await answered(() => client.describeExecution(id))).closing);
    return this.#shows(id, hasEnded);
  }

  async reset(): Promise<Shown> {
    const id = await this.begun();
    await this.goOn(id);
    await resetToBeginning(this.#parts.temporal, id);
    return this.#shows(id, (snapshot) => isAtGo(snapshot) && snapshot.nodes['told'] === undefined);
  }

  async resetAfterItsEnd(): Promise<Shown> {
    const id = await this.begun();
    await this.goOn(id);
    await this.end(id);
    await resetToBeginning(this.#parts.temporal, id);
    return this.#shows(id, (snapshot) => isAtGo(snapshot) && !snapshot.ended);
  }

  async #shows(id: string, is: (snapshot: Snapshot) => boolean): Promise<Shown> {
    const begun = performance.now();
    const look = async () => {
      const snapshot = await this.#parts.reader.snapshot(id);
      return is(snapshot) && snapshot;
    };
    const snapshot = await until(`the log shows ${id} as it is`, look, SHOWN_WITHIN_MS);
    return { id, snapshot, ms: Math.round(performance.now() - begun) };
  }
}

function hasEnded({ ended }: Snapshot): boolean {
  return ended;
}

function isAtGo({ nodes }: Snapshot): boolean {
  return nodes['go']?.type === 'node_waiting';
}
