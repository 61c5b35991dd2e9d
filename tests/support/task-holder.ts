/** A worker made of its bare calls: it takes a task and holds it, or ends it as a test says. */
import type { Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { temporal as protocol } from '@temporalio/proto';

/** Longer than the server waits for a task. */
const POLL_MS = 70_000;
const IDENTITY = 'by hand';

export interface HeldQueue {
  readonly namespace: string;
  readonly taskQueue: string;
}

export class TaskHolder {
  readonly #connection: Connection;
  readonly #queue: HeldQueue;
  readonly #activities: { readonly type: string; readonly token: Uint8Array }[] = [];

  constructor(connection: Connection, queue: HeldQueue) {
    this.#connection = connection;
    this.#queue = queue;
  }

  /** The token of the next workflow task; queries that came for a worker before it are left without an answer. */
  async workflowTask(): Promise<Uint8Array> {
    for (;;) {
      const { taskToken, query } = await this.#poll();
      if (query == null && taskToken.length > 0) return taskToken;
    }
  }

  /** Takes a query, which shows that it waits for any worker, and leaves it without an answer. */
  async query(): Promise<void> {
    for (;;) if ((await this.#poll()).query != null) return;
  }

  /** The server gives it out again at once. */
  async failWorkflowTask(taskToken: Uint8Array): Promise<void> {
    const { namespace } = this.#queue;
    await this.#connection.workflowService.respondWorkflowTaskFailed({
      ...{ namespace, taskToken, identity: IDENTITY },
      cause: protocol.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
    });
  }

  /** Takes the next activity of the type and ends it; others wait for their turn. */
  async endActivity(type: string, result?: unknown): Promise<void> {
    const { namespace } = this.#queue;
    const taskToken = await this.#activity(type);
    const payloads = [defaultPayloadConverter.toPayload(result)];
    await this.#connection.workflowService.respondActivityTaskCompleted({
      ...{ namespace, taskToken, identity: IDENTITY },
      ...(result === undefined ? {} : { result: { payloads } }),
    });
  }

  async #activity(type: string): Promise<Uint8Array> {
    const { namespace, taskQueue } = this.#queue;
    const poll = { namespace, taskQueue: { name: taskQueue }, identity: IDENTITY };
    for (;;) {
      const at = this.#activities.findIndex((each) => each.type === type);
      const [held] = at < 0 ? [] : this.#activities.splice(at, 1);
      if (held !== undefined) return held.token;
      const next = () => this.#connection.workflowService.pollActivityTaskQueue(poll);
      const { taskToken, activityType } = await this.#connection.withDeadline(Date.now() + POLL_MS, next);
      if (taskToken.length > 0) this.#activities.push({ type: activityType?.name ?? '', token: taskToken });
    }
  }

  async #poll() {
    const { namespace, taskQueue } = this.#queue;
    const poll = { namespace, taskQueue: { name: taskQueue }, identity: IDENTITY };
    return this.#connection.withDeadline(Date.now() + POLL_MS, () =>
      this.#connection.workflowService.pollWorkflowTaskQueue(poll),
    );
  }
}
