/** A desk of a test's own on the real Temporal, spoken to as the gateway and the command line do. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { DeskStatus, ScopeStatus } from '../../src/emergency/status';
import type { CommandAnswer, EmergencyState, PermitAnswer, Settlement } from '../../src/emergency/model';
import { HoldfastError } from '../../src/errors';
import { DESK_TASK_TIMEOUT } from '../../src/temporal-client/desk';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import type { DeskSettings } from '../../src/workflows/desk-messages';
import { orderRequest } from './desk-at-work';
import { readyDesk } from './ready-desk';
import type { TestWorker } from './test-worker';
import { answered, until } from './until';

type Over = Readonly<Record<string, unknown>>;

export const by = (reason: string) => ({ reason, actor: 'ann' });

export class LiveDesk {
  readonly id: string;
  /** Its epoch once it was set up. */
  readonly born: number;
  readonly #worker: TestWorker;

  private constructor(worker: TestWorker, id: string, born: number) {
    this.#worker = worker;
    this.id = id;
    this.born = born;
  }

  /** Set up and normal. With `settings` its runs are shorter than usual. */
  static async begin(worker: TestWorker, settings?: DeskSettings): Promise<LiveDesk> {
    const id = `desk-${randomUUID()}`;
    if (settings !== undefined) {
      await worker.temporal.workflow.start('emergencyDesk', {
        workflowId: `desk/${id}`,
        taskQueue: worker.config.temporal.desk_task_queue,
        workflowTaskTimeout: DESK_TASK_TIMEOUT,
        args: [{ desk_id: id, settings }],
      });
    }
    await readyDesk(worker.client, id);
    return new LiveDesk(worker, id, (await answered(() => worker.client.deskStatus(id))).epoch);
  }

  get client(): HoldfastClient {
    return this.#worker.client;
  }

  get workflow(): WorkflowHandle {
    return this.#worker.temporal.workflow.getHandle(`desk/${this.id}`);
  }

  async status(): Promise<DeskStatus> {
    return answered(() => this.client.deskStatus(this.id));
  }

  /** Before, no halt is sealed, for a desk that began anew may have forgotten permits. */
  async knowsAllPermits(): Promise<void> {
    await until('it is not blind', async () => (await this.status()).blind_until === undefined);
  }

  async scope(scope = 'global'): Promise<ScopeStatus | undefined> {
    return (await this.status()).scopes.find((each) => each.scope === scope);
  }

  async reaches(state: EmergencyState, scope = 'global'): Promise<ScopeStatus> {
    return until(`${scope} of ${this.id} is in ${state}`, async () => {
      const found = await this.scope(scope);
      return found?.state === state && found;
    });
  }

  /** As a new command, unless it says which. */
  async command(command: Over): Promise<CommandAnswer> {
    const given = { command_id: `cmd-${randomUUID()}`, ...by('because'), ...command };
    return heard(() => this.client.commandDesk(given, this.id));
  }

  async raise(action: 'alert' | 'halt' | 'shutdown', scope = 'global', over: Over = {}): Promise<CommandAnswer> {
    return this.command({ action, scope, ...over });
  }

  /** One that names all it sees. */
  async resumption(scope = 'global'): Promise<Over> {
    const { epoch, scopes } = await this.status();
    const causes = scopes.find((each) => each.scope === scope)?.causes ?? [];
    return {
      ...{ action: 'resume', command_id: `cmd-${randomUUID()}`, ...by('over'), scope },
      ...{ causes: causes.map(({ id }) => id), expected_epoch: epoch, issued_at: Date.now() },
    };
  }

  async resume(scope = 'global', over: Over = {}): Promise<CommandAnswer> {
    return this.command({ ...(await this.resumption(scope)), ...over });
  }

  async limits(limits: Over, scope = 'global', over: Over = {}): Promise<CommandAnswer> {
    return this.command({ action: 'set_limits', scope, limits, ...over });
  }

  async order(permit_id: string, over: Over = {}, client = this.client): Promise<PermitAnswer | undefined> {
    const question = { requests: [orderRequest(permit_id, over)], settlements: [] };
    const [answer] = await heard(() => client.requestPermits(question, this.id));
    return answer;
  }

  async settle(...settlements: readonly Settlement[]): Promise<void> {
    await heard(() => this.client.requestPermits({ requests: [], settlements }, this.id));
  }

  /** Bought for 1,000 in all, or sold for so much less. */
  async fill(over: Over = {}): Promise<void> {
    const fill = { ...FILL, order_id: randomUUID(), at: Date.now(), ...over };
    await heard(() => this.client.recordAtDesk('fill', fill, this.id));
  }

  async lose(amount: number): Promise<void> {
    await this.fill();
    await this.fill({ side: 'sell', filled_notional: String(1_000 - amount) });
  }

  async runId(): Promise<string> {
    return (await this.workflow.describe()).runId;
  }

  /** Each of its events once, in the order they were first told. */
  events() {
    const told = this.#worker.events.filter(({ stream }) => stream === `desk/${this.id}`);
    return [...new Map(told.map((event) => [event.event_id, event])).values()];
  }
}

/** Said again while no answer came in time, as on a machine that is busy: commands, permits and fills count once however often they are said. */
async function heard<T>(say: () => Promise<T>): Promise<T> {
  const { answer } = await until('the desk answers', async () => {
    try {
      return { answer: await say() };
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'EmergencyUnreachable') return undefined;
      throw error;
    }
  });
  return answer;
}

const FILL = {
  ...{ account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
  ...{ filled_quantity: '10', filled_notional: '1000', fees: '0', currency: 'USDT' },
};

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
  );
}
