/** What a loop gathers from its frames as they end. A loop that gathers more than may be held fails. */
import type { Parts } from './carry';
import { pathOf, type Frame } from './frame';
import { outputsUntil } from './freshness';
import type { ItemError, Loop } from './loop';
import { LOOP_GUARD } from './names';
import { weightOf, type OutputLedger } from './output-ledger';
import type { Failure } from './scheduler';
import { outputsIn, type Scope } from './scope';

interface Item {
  readonly loop: Loop;
  readonly frame: Frame;
  readonly index: number;
}

/** What the frame holds is let go first, for what it gives is a part of it. */
export function takeResult(parts: Parts, scope: Scope, item: Item): void {
  const { ledger } = parts;
  const { frame, loop, index } = item;
  const outputs = outputsIn(scope, frame);
  for (const node of frame.run.nodes) if (node.state === 'completed') ledger.drop(node);
  const { failure } = frame.run;
  if (failure !== undefined) keepError(ledger, item, { index, ...failure });
  else if (frame.givenUp === undefined) {
    keepOutputs(ledger, item, outputs);
    keepAge(loop, outputsUntil(parts, frame) ?? Infinity);
  }
}

function keepOutputs(
  ledger: OutputLedger,
  { loop, frame, index }: Item,
  outputs: Readonly<Record<string, unknown>>,
): void {
  if (loop.kind === 'map') {
    if (keep(ledger, loop, index, outputs)) loop.results[index] = outputs;
    return;
  }
  ledger.give(loop.held);
  loop.held = 0;
  if (keep(ledger, loop, index, outputs)) loop.last = outputs;
  const goesOn = guardSaid(frame);
  if (goesOn !== undefined) loop.goes_on = goesOn;
}

/** A `map` gives what all its items gave, a `repeat` what the last iteration did. */
function keepAge(loop: Loop, until: number): void {
  const good = loop.kind === 'map' ? Math.min(until, loop.good_until ?? Infinity) : until;
  if (good === Infinity) delete loop.good_until;
  else loop.good_until = good;
}

type FailedItem = ItemError & Failure;

function keepError(
  ledger: OutputLedger,
  { loop, frame }: Item,
  { index, node_id, error, error_type }: FailedItem,
): void {
  const failure = { error: `${pathOf(frame, node_id)}: ${error}`, error_type };
  if (loop.kind === 'repeat' || loop.on_item_error === 'fail') loop.failure ??= failure;
  if (keep(ledger, loop, index, failure)) loop.errors.push({ index, ...failure });
}

function keep(ledger: OutputLedger, loop: Loop, index: number, value: unknown): boolean {
  const size = weightOf(value);
  if (!ledger.admits(size)) {
    const error = `the result of item ${index} does not fit beside the ${ledger.held} bytes of outputs that are held`;
    loop.failure ??= { error, error_type: 'OutputTooLarge' };
    return false;
  }
  ledger.take(size);
  loop.held += size;
  return true;
}

/** Whether a `repeat` goes on after this iteration; undefined where nobody is asked. A guard that was skipped says no. */
function guardSaid({ plan, run }: Frame): boolean | undefined {
  const guard = plan.index.get(LOOP_GUARD);
  if (guard === undefined) return undefined;
  const asked = run.nodes[guard];
  return asked?.state === 'completed' && asked.branch === 'true';
}
