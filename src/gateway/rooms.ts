/** Rooms: who hears which events. Clients name ids, never rooms. */
import type { Scope } from '../event-log';
import type { EventEnvelope } from '../events/envelope';

export type RoomTarget = Scope | { readonly execution_id: string } | { readonly desk_id: string };

export function roomName(target: RoomTarget): string {
  if ('workflow_id' in target) return `workflow:${target.workflow_id}`;
  if ('bot_id' in target) return `bot:${target.bot_id}`;
  if ('strategy_id' in target) return `strategy:${target.strategy_id}`;
  if ('execution_id' in target) return `execution:${target.execution_id}`;
  if ('desk_id' in target) return `desk:${target.desk_id}`;
  return 'all';
}

const DESK_STREAM = /^desk\/(.+)$/;

export function roomsOf(event: EventEnvelope): string[] {
  const { workflow_id, bot_id, strategy_id, execution_id } = event;
  const desk_id = DESK_STREAM.exec(event.stream)?.[1];
  return [
    'all',
    ...(workflow_id === undefined ? [] : [roomName({ workflow_id })]),
    ...(bot_id === undefined ? [] : [roomName({ bot_id })]),
    ...(strategy_id === undefined ? [] : [roomName({ strategy_id })]),
    ...(execution_id === undefined ? [] : [roomName({ execution_id })]),
    ...(desk_id === undefined ? [] : [roomName({ desk_id })]),
  ];
}
