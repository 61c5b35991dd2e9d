/** Decides a batch of permit requests, after the settlements that came with them have made room. */
import { admit, grantsWithin, hasRate, openBatch, type Admission, type Batch } from './admission';
import { judge } from './breaches';
import { messageOf } from '../errors';
import { present } from '../json';
import { refusalOf } from './fields';
import type { DenialCode, DeskInput, PermitAnswer, PermitRequest } from './model';
import { permitIdOf, readPermitRequest } from './permit-request';
import { reserve, settleAll } from './reservations';
import { GLOBAL, scopesOf } from './scopes';
import { exposureOf, type Draft } from './state';

/** How long a permit is good for, on the asking worker's own clock, from the moment its request was first sent. */
export const PERMIT_LIFETIME_MS = 1_000;

/** Answers are in the order of the requests. */
export function decidePermits(
  draft: Draft,
  { requests, settlements, order_room }: Extract<DeskInput, { kind: 'permits' }>,
): readonly PermitAnswer[] {
  const mistakes = settleAll(draft, settlements);
  if (mistakes.length > 0) auditMistakes(draft, mistakes);
  const batch = openBatch(draft, order_room);
  const answers = requests.map((request) => answer(draft, batch, request));
  for (const scope of draft.exposures.keys()) judge(draft, scope, ['max_position_notional']);
  return answers;
}

function answer(draft: Draft, batch: Batch, value: unknown): PermitAnswer {
  try {
    const request = readPermitRequest(value);
    return grant(draft, batch, request, admit(draft, batch, request));
  } catch (error) {
    const { code, message } = refusalOf(error);
    // Admission throws no other codes.
    return { permit_id: permitIdOf(value), granted: false, code: code as DenialCode, message };
  }
}

function grant(draft: Draft, batch: Batch, request: PermitRequest, admission: Admission): PermitAnswer {
  const { permit_id, venue, symbol, side, quantity, price, execution_id } = request;
  const { client_order_id, bot_id, strategy_id, workflow_id, mode } = request;
  const { instrument, reduces, counted_at } = admission;
  const { epoch, clock: at } = draft.desk;
  reserve(draft, permit_id, {
    instrument,
    venue,
    symbol,
    side,
    quantity,
    price,
    filled: '0',
    reduces,
    status: 'granted',
    epoch,
    at,
    execution_id,
    ...present({ counted_at: counted_at === price ? undefined : counted_at }),
    ...present({ client_order_id, bot_id, strategy_id, workflow_id, mode }),
  });
  batch.open += 1;
  batch.room -= 1;
  for (const scope of scopesOf(request)) if (hasRate(draft, batch, scope)) countGrant(draft, scope);
  return { permit_id, granted: true, epoch, lifetime_ms: PERMIT_LIFETIME_MS, reduces };
}

function countGrant(draft: Draft, scope: string): void {
  const exposure = exposureOf(draft, scope);
  const second = Math.floor(draft.desk.clock / 1_000);
  const known = grantsWithin(exposure.grants, draft.desk.clock);
  const granted = known.find(([each]) => each === second)?.[1] ?? 0;
  exposure.grants = [...known.filter(([each]) => each !== second), [second, granted + 1]];
}

function auditMistakes({ desk, effects }: Draft, mistakes: readonly unknown[]): void {
  const body = JSON.stringify(mistakes.map(messageOf)).slice(0, 2_000);
  const { clock: at, epoch } = desk;
  effects.push({
    kind: 'audit',
    at,
    action: 'settle',
    actor: 'worker',
    scope: GLOBAL,
    reason: '',
    epoch,
    outcome: 'InvalidInput',
    body,
  });
}
