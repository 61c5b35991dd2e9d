/** Whether a node may act on the outside now, as far as this worker's gate knows. */
import type { Scope } from '../emergency/model';
import { runsAside } from '../graph/frame';
import type { Effect } from '../graph/kinds';
import type { NodeTask } from '../graph/task';
import type { GateVerdict, GateView } from './gate';

const OPEN: GateVerdict = { open: true };

/** What is computed or read does no harm during a halt; what trades or tells the outside waits for its end. */
export function nodeVerdict(task: NodeTask, effect: Effect, gate: GateView): GateVerdict {
  if ((effect !== 'trade' && effect !== 'notify') || follows(task)) return OPEN;
  const scopes = scopesOfNode(task);
  if (runsAside({ path: task.frame })) return gate.mayOperate(scopes);
  return effect === 'trade' ? gate.mayTrade(scopes) : gate.mayNotify(scopes);
}

/** It looks after an order that is out; for one more it asks for a permit, which the gate judges. */
function follows({ trail }: NodeTask): boolean {
  return trail?.memo !== undefined || trail?.lost === true;
}

function scopesOfNode({ bot_id, strategy_id }: NodeTask): readonly Scope[] {
  return [
    ...(bot_id === undefined ? [] : [`bot:${bot_id}`]),
    ...(strategy_id === undefined ? [] : [`strategy:${strategy_id}`]),
  ];
}
