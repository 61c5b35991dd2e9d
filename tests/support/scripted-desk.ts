/** A desk in memory behind the worker's port, which answers when and what a test says. */
import type { OpenOrders, OpenOrdersQuestion } from '../../src/emergency/open-orders';
import type { PermitStatus } from '../../src/emergency/status';
import type { Fill, PermitAnswer, RaiseCommand, Scope, Settlement } from '../../src/emergency/model';
import type { DeskPort, DeskReading, PermitBatch, ScopeReading } from '../../src/worker/desk-port';

export class ScriptedDesk implements DeskPort {
  epoch = 1_000;
  readonly scopes = new Map<Scope, ScopeReading>();
  readonly known = new Set<string>();
  readonly delivered: RaiseCommand[] = [];
  readonly batches: PermitBatch[] = [];
  readonly settlements: Settlement[] = [];
  readonly lifetime_ms: number = 1_000;
  readonly fills: Fill[] = [];
  unsettled: readonly PermitStatus[] = [];
  resting: readonly PermitStatus[] = [];
  questions = 0;
  reads = 0;
  /** What a call waits for before it is answered; null: the desk cannot be reached. */
  beforeRead: (() => Promise<void>) | null = () => Promise.resolve();
  beforePermits: (() => Promise<void>) | null = () => Promise.resolve();
  beforeDelivery: (() => Promise<void>) | null = () => Promise.resolve();

  halt(scope: Scope, commandId?: string, reason = 'told to'): void {
    this.epoch += 1;
    this.scopes.set(scope, { scope, state: 'halt', epoch: this.epoch, halted_epoch: this.epoch, reason });
    if (commandId !== undefined) this.known.add(commandId);
  }

  resume(scope: Scope): void {
    this.epoch += 1;
    const halted_epoch = this.scopes.get(scope)?.halted_epoch ?? 0;
    this.scopes.set(scope, { scope, state: 'normal', epoch: this.epoch, halted_epoch });
  }

  /** As the desk would answer now. */
  reading(ids: readonly string[] = []): DeskReading {
    const known_commands = ids.filter((id) => this.known.has(id));
    return { epoch: this.epoch, scopes: [...this.scopes.values()], known_commands };
  }

  async read(ids: readonly string[]): Promise<DeskReading> {
    this.reads += 1;
    const reading = this.reading(ids);
    if (this.beforeRead === null) throw new Error('no desk');
    await this.beforeRead();
    return reading;
  }

  async deliver(command: RaiseCommand): Promise<void> {
    if (this.beforeDelivery === null) throw new Error('no desk');
    await this.beforeDelivery();
    if (!this.delivered.some(({ command_id }) => command_id === command.command_id)) {
      this.halt(command.scope, command.command_id, command.reason);
    }
    this.delivered.push(command);
  }

  async requestPermits(batch: PermitBatch): Promise<readonly PermitAnswer[]> {
    this.batches.push(batch);
    if (this.beforePermits === null) throw new Error('no desk');
    await this.beforePermits();
    this.settlements.push(...batch.settlements);
    return batch.requests.map(({ permit_id }) => this.answer(permit_id));
  }

  openOrders({ venue, account }: OpenOrdersQuestion): Promise<OpenOrders> {
    this.questions += 1;
    const isOf = ({ instrument }: PermitStatus) => instrument.startsWith(`${venue} ${account} `);
    return Promise.resolve({
      currency: 'USDT',
      unsettled: this.unsettled.filter(isOf),
      resting: this.resting.filter(isOf),
    });
  }

  reducible(): Promise<string> {
    return Promise.resolve('0');
  }

  recordFill(fill: Fill): Promise<void> {
    this.fills.push(fill);
    return Promise.resolve();
  }

  answer(permit_id: string): PermitAnswer {
    return { permit_id, granted: true, epoch: this.epoch, lifetime_ms: this.lifetime_ms, reduces: false };
  }
}

/** A promise that a test resolves. */
export function held(): { readonly wait: () => Promise<void>; readonly release: () => void } {
  let release: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { wait: () => promise, release };
}
