import { defineNode, field, output, type NodeKind } from '../define-node';

const notify = defineNode({
  type: 'notify',
  family: 'messages',
  effect: 'notify',
  description: 'Tells people something: one line in the worker’s log.',
  example: { type: 'notify', after: ['worth_it.pass'], params: { message: 'spread is {{spread.bps}} bps' } },
  fields: { message: field.text('The message; may hold {{references}}.') },
  outputs: {
    channel: output('text', 'Where it went: log.'),
    message: output('text', 'The message as it was delivered.'),
  },
  run: ({ message }, { log, idempotency_key }) => {
    log.info({ message, idempotency_key }, 'notification');
    return { outputs: { channel: 'log', message } };
  },
});

export const messageKinds: readonly NodeKind[] = [notify];
