/** What can be followed, and by which message. */
import type { ExecutionView } from './execution-view';

/** What to follow: one id, or everything the token may see. */
export type Target =
  | { readonly execution_id: string }
  | { readonly workflow_id: string }
  | { readonly bot_id: string }
  | { readonly strategy_id: string }
  | { readonly desk_id: string }
  | { readonly all: true };

const ROOMS = {
  execution_id: 'subscribe_execution',
  workflow_id: 'subscribe_workflow',
  bot_id: 'subscribe_bot',
  strategy_id: 'subscribe_strategy',
  desk_id: 'subscribe_desk',
  all: 'subscribe_all',
} as const;

/** Whether a room tells of a stream. A gateway that is given the cursor of one it cannot find in the room says that something was missed. */
export function concerns(target: Target, stream: string, view: ExecutionView | undefined): boolean {
  if ('execution_id' in target) return stream === target.execution_id;
  if ('desk_id' in target) return stream === `desk/${target.desk_id}`;
  if ('all' in target) return view !== undefined || stream.startsWith('desk/');
  if ('workflow_id' in target) return view?.workflow_id === target.workflow_id;
  return 'bot_id' in target ? view?.bot_id === target.bot_id : view?.strategy_id === target.strategy_id;
}

export function keyOf(target: Target): string {
  return JSON.stringify(Object.entries(target));
}

export function roomOf(target: Target): (typeof ROOMS)[keyof typeof ROOMS] {
  const [name] = Object.keys(target) as (keyof typeof ROOMS)[];
  if (name === undefined || !Object.hasOwn(ROOMS, name)) throw new RangeError('a target names one id, or all');
  return ROOMS[name];
}
