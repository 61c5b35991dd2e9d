/** `resume` and `approve` at the desk: what was seen is sent along, and what changed meanwhile is not lifted. */
import type { Cause, CommandAnswer, Scope } from '../emergency/model';
import type { DeskStatus, ScopeStatus } from '../emergency/status';
import { present } from '../json';
import { newCommandId, scopeOf } from '../temporal-client/desk';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import { withClient } from './client';
import { quoted } from './advice';
import { assertOk, concernsExecutions, settleAll, unconfirmed } from './confirm';
import { causeLine, deskLine, executionLines, scopeLine, timeOf } from './desk-words';
import type { Io, Ui } from './io';

export interface LowerOrder {
  readonly action: 'resume' | 'approve';
  readonly scope: Scope;
  readonly desk: string;
  readonly reason: string;
  readonly expected_epoch?: number | undefined;
  readonly waits: boolean;
  /** Milliseconds since the command was given. */
  readonly elapsed: () => number;
}

/** Throws `WorkerUnavailable` when executions do not confirm it, and what the desk refuses it with. */
export async function lowerAtDesk(io: Io, ui: Ui, order: LowerOrder): Promise<void> {
  const { scope, desk, action } = order;
  await withClient(io, async (client) => {
    const seen = scopeOf(await client.deskStatus(desk), scope);
    if (seen.causes.length === 0) {
      sayNothingToLift(seen, order, ui);
      return;
    }
    if (!ui.json) for (const cause of seen.causes) ui.line(`${lifts(action, seen)} ${causeLine(cause)}`);
    const expected_epoch = order.expected_epoch ?? seen.epoch;
    const answer = await client.commandDesk(commandOf(io, order, { seen, expected_epoch }), desk);
    assertOk(answer);
    await show(client, ui, { order, answer, expected_epoch, lifted: seen.causes, desk_ms: order.elapsed() });
  });
}

/**
 * The scope's own epoch, not the desk's: it stands still while a resume waits for a second person, who so sees the same one.
 */
function commandOf(io: Io, order: LowerOrder, saw: { seen: ScopeStatus; expected_epoch: number }) {
  const { action, scope, reason } = order;
  const said = { action, scope, reason, actor: io.actor, command_id: newCommandId(), issued_at: Date.now() };
  const { seen, expected_epoch } = saw;
  return { ...said, expected_epoch, ...(action === 'resume' ? { causes: seen.causes.map(({ id }) => id) } : {}) };
}

function lifts(action: LowerOrder['action'], { state }: ScopeStatus): string {
  return action === 'resume' && state === 'shutdown' ? 'would lift' : 'lifts';
}

function sayNothingToLift({ scope, state, epoch }: ScopeStatus, { action }: LowerOrder, ui: Ui): void {
  if (ui.json) ui.data({ action, scope, state, epoch, lifted: [] });
  else ui.line(`${scope} is ${state}: there is nothing to lift.`);
}

interface Lowered {
  readonly order: LowerOrder;
  readonly answer: CommandAnswer;
  readonly expected_epoch: number;
  readonly lifted: readonly Cause[];
  readonly desk_ms: number;
}

async function show(client: HoldfastClient, ui: Ui, lowered: Lowered): Promise<void> {
  const { order, answer, expected_epoch, lifted, desk_ms } = lowered;
  const { action, reason, desk, scope } = order;
  const status = await client.deskStatus(desk);
  if (!ui.json) for (const line of linesOf(status, lowered, ui)) ui.line(line);
  const later = await followed(client, lowered);
  if (ui.json) {
    const { state, epoch, awaits_approval_until } = answer;
    const times = { accepted_ms: desk_ms, desk_ms };
    const said = { action, scope, reason, state, epoch, ...times, expected_epoch, lifted, desk: status };
    ui.data({ ...said, ...present({ awaits_approval_until }), ...later });
  } else if (later !== undefined) {
    for (const line of executionLines(later.executions, later.executions_ms)) ui.line(line);
  }
  const silent = later?.executions.silent.length ?? 0;
  if (silent > 0) throw unconfirmed(`${silent} open executions do not say yet that the ${action} holds`, desk_ms);
}

/** Nothing where no execution is concerned, or none goes on yet. */
async function followed(client: HoldfastClient, { order, answer }: Lowered) {
  const { desk, scope, elapsed, waits } = order;
  if (!waits || answer.awaits_approval_until !== undefined || !concernsExecutions(scope)) return undefined;
  const executions = await settleAll({ client, desk, scope, closes: false });
  return { executions, executions_ms: elapsed() };
}

function linesOf(status: DeskStatus, { order, answer, expected_epoch, desk_ms }: Lowered, ui: Ui): string[] {
  const { scope, desk } = order;
  const head = scope === 'global' ? deskLine(status, ui) : scopeLine(scopeOf(status, scope), ui);
  const { awaits_approval_until: until } = answer;
  if (until === undefined) {
    return [head, `accepted after ${desk_ms} ms, in force at the desk after ${desk_ms} ms (epoch ${answer.epoch})`];
  }
  const elsewhere = desk === 'default' ? '' : ` --desk ${quoted(desk)}`;
  return [
    head,
    `waits for a second person until ${timeOf(until)}:`,
    `  holdfast desk approve ${quoted(scope)} --expected-epoch ${expected_epoch}${elsewhere} --reason TEXT`,
  ];
}
