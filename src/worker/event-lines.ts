/** Every fact about an execution is a log line as well, in the log's own words and with the same correlation. */
import type { UnnumberedEvent } from '../events/envelope';
import type { Logger } from '../logging';

export function logEvent(log: Logger, event: UnnumberedEvent): void {
  switch (event.type) {
    case 'execution_started':
      log.info({ ...correlation(event), node_count: event.node_count }, 'workflow_execution_started');
      return;
    case 'execution_halted':
    case 'execution_resumed':
      log.warn({ ...correlation(event), reason: event.reason, scope: event.scope }, `workflow_${event.type}`);
      return;
    case 'node_completed':
      log.info({ ...correlation(event), duration_ms: event.duration_ms }, 'node_executed');
      return;
    case 'node_failed':
    case 'node_retrying':
      logFailure(log, event);
      return;
    case 'circuit_state_changed':
      logCircuit(log, event);
      return;
    case 'emergency_state_changed':
      log.warn(event, 'emergency_state_changed');
      return;
    default:
      log.debug({ ...correlation(event), event: event.type }, event.type);
  }
}

type Failure = Extract<UnnumberedEvent, { type: 'node_failed' | 'node_retrying' }>;

function logFailure(log: Logger, event: Failure): void {
  const message = event.error_type === 'TimeoutError' ? 'node_timeout' : event.type;
  log.warn({ ...correlation(event), error: event.error, error_type: event.error_type }, message);
}

const circuitMessages = {
  open: 'circuit_breaker_opened',
  half_open: 'circuit_breaker_half_open',
  closed: 'circuit_breaker_closed',
} as const;

function logCircuit(log: Logger, event: Extract<UnnumberedEvent, { type: 'circuit_state_changed' }>): void {
  const { resource, previous_state, new_state } = event;
  const level = new_state === 'open' ? 'warn' : 'info';
  log[level]({ ...correlation(event), resource, previous_state }, circuitMessages[new_state]);
}

function correlation(event: UnnumberedEvent) {
  const { execution_id, workflow_id, bot_id, strategy_id, node_id, node_type, attempt } = event;
  return { execution_id, workflow_id, bot_id, strategy_id, node_id, node_type, attempt };
}
