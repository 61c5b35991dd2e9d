/**
 * Whether a value is an event: its envelope whole, and every field of the type its name stands for. Anyone who reaches Redis can
 * publish there, and one field of another type would end the process that reads it. Types and fields this build does not know pass,
 * or a newer worker would be unheard by an older gateway.
 */
import { isObject, type Members } from '../json';
import { ENVELOPE_VERSION, type EventEnvelope } from './envelope';

type NamesOf<T> = T extends unknown ? keyof T : never;
type FieldName = NamesOf<EventEnvelope>;
type Kind = 'id' | 'text' | 'number' | 'flag' | 'texts' | 'members' | 'anything';

const LONGEST_ID = 4_000;
const EPOCH = /^\d{1,15}-\w{1,64}-\d{1,15}$/;
const TYPE = /^[a-z][a-z_]{0,59}$/;

const KINDS: Readonly<Record<FieldName, Kind>> = {
  ...{ v: 'number', event_id: 'id', stream: 'id', log_epoch: 'id', seq: 'number', type: 'id', timestamp: 'id' },
  ...{
    trace_id: 'id',
    mode: 'id',
    execution_id: 'id',
    workflow_id: 'id',
    graph_version: 'id',
    bot_id: 'id',
    strategy_id: 'id',
  },
  ...{ node_id: 'id', node_type: 'id', frame: 'text', generation: 'number', attempt: 'number' },
  ...{ node_count: 'number', status: 'text', duration_ms: 'number', error: 'text', error_type: 'text' },
  ...{ reason: 'text', scope: 'text', outputs: 'anything', truncated: 'flag', next_attempt_ms: 'number' },
  ...{ deadline: 'text', approvers: 'texts', actor: 'text', decision: 'text' },
  ...{ controller_id: 'text', previous_state: 'text', new_state: 'text', desk_epoch: 'number', sealed: 'flag' },
  ...{ cancelled: 'number', filled: 'number', not_found: 'number', spared: 'number', unreachable: 'texts' },
  ...{ command_id: 'id', closed: 'number', partly_closed: 'number', nothing: 'number', refused: 'number' },
  ...{ not_filled: 'number', unreached: 'number' },
  ...{ limit: 'text', used: 'text', allowed: 'text', utilization: 'text', resource: 'text', order: 'members' },
  ...{ window: 'text', realized_pnl: 'text', fees: 'text', unrealized_pnl: 'text', exposure: 'text', equity: 'text' },
  ...{ drawdown_percent: 'text', orders: 'number', fills: 'number', win_rate: 'text', executions: 'number' },
  ...{ failures: 'number', mean_duration_ms: 'number' },
};
const FITS: Readonly<Record<Kind, (field: unknown) => boolean>> = {
  id: (field) => typeof field === 'string' && field !== '' && field.length <= LONGEST_ID,
  text: (field) => typeof field === 'string',
  number: (field) => Number.isFinite(field),
  flag: (field) => typeof field === 'boolean',
  texts: (field) => Array.isArray(field) && field.every((each) => typeof each === 'string'),
  members: isObject,
  anything: () => true,
};
const NEEDED: readonly FieldName[] = ['event_id', 'stream', 'log_epoch', 'type', 'timestamp'];

export function isEvent(value: unknown): value is EventEnvelope {
  return (
    isObject(value) &&
    NEEDED.every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, field]) => fits(name, field)) &&
    hasPlace(value)
  );
}

/** A field that every object has by inheritance is no field of an event, known or not. */
function fits(name: string, field: unknown): boolean {
  if (Object.hasOwn(KINDS, name)) return FITS[KINDS[name as FieldName]](field);
  return !(name in KINDS);
}

/** An event of an execution stands in the execution's own stream. */
function hasPlace({ v, type, mode, timestamp, log_epoch, seq, stream, execution_id = stream }: Members): boolean {
  return (
    v === ENVELOPE_VERSION &&
    TYPE.test(type as string) &&
    (mode === 'paper' || mode === 'live') &&
    Number.isFinite(Date.parse(timestamp as string)) &&
    EPOCH.test(log_epoch as string) &&
    Number.isSafeInteger(seq) &&
    (seq as number) > 0 &&
    execution_id === stream
  );
}
