import { HoldfastError } from '../../errors';
import { defineNode, field, type NodeKind } from '../define-node';

const wait = defineNode({
  type: 'wait',
  family: 'control',
  effect: 'control',
  description:
    'Waits on a durable timer inside the execution: no worker is held, and a restart does not begin it anew.',
  example: { type: 'wait', params: { for: '30s' } },
  fields: { for: field.duration('How long: a number of seconds, or "500ms", "30s", "5m", "1h".') },
  outputs: {},
  retry: { max_attempts: 1 },
  run: () => {
    throw new HoldfastError('Unexpected', 'wait is a timer of the execution and never reaches a worker');
  },
});

export const controlKinds: readonly NodeKind[] = [wait];
