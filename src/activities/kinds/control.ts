/** Kinds that happen inside the execution: here only their declarations. */
import { HoldfastError } from '../../errors';
import { instantMs } from '../../graph/instant';
import { MOST_ITEMS } from '../../graph/loop';
import { isMessageName } from '../../graph/names';
import { idSchema } from '../../graph/schema';
import { defineNode, field, optional, output, type NodeDefinition, type NodeKind } from '../define-node';

const MOST_AT_ONCE = 1_000;
const MOST_APPROVERS = 100;

type Declaration = Pick<
  NodeDefinition<Parameters<typeof defineNode>[0]['fields'], unknown>,
  | 'type'
  | 'description'
  | 'example'
  | 'fields'
  | 'outputs'
  | 'open_fields'
  | 'open_outputs'
  | 'branches'
  | 'check'
  | 'body'
>;

function control(declaration: Declaration): NodeKind {
  return defineNode({
    ...declaration,
    family: 'control',
    effect: 'control',
    retry: { max_attempts: 1 },
    run: () => {
      throw new HoldfastError('Unexpected', `${declaration.type} happens in the execution and never reaches a worker`);
    },
  });
}

const DURATION = 'a number of seconds, or "500ms", "30s", "5m", "1h"';

const wait = control({
  type: 'wait',
  description:
    'Waits on a durable timer inside the execution: no worker is held, and a restart does not begin it anew. Exactly one of `for` and `until` is needed.',
  example: { type: 'wait', params: { for: '30s' } },
  fields: {
    for: optional(field.duration(`How long: ${DURATION}.`)),
    until: optional(
      field.textOf(
        'An instant with its time zone, such as 2026-01-31T08:00:00Z; one that is past ends it at once.',
        (text) => (instantMs(text) === undefined ? 'must be an instant such as 2026-01-31T08:00:00Z' : undefined),
      ),
    ),
  },
  outputs: {},
  check: ({ names }) =>
    names.has('for') === names.has('until') ? { message: 'give exactly one of `for` and `until`' } : undefined,
});

const waitForSignal = control({
  type: 'wait_for_signal',
  description: 'Waits until the signal `deliver` brings a payload under this name.',
  example: { type: 'wait_for_signal', params: { name: 'prices_ready', deadline: '10m', on_timeout: 'continue' } },
  fields: {
    name: field.textOf('The name it is delivered under: 1 to 200 characters.', (name) =>
      isMessageName(name) ? undefined : 'must be a text of 1 to 200 characters',
    ),
    deadline: optional(field.duration(`How long at most: ${DURATION}. Absent, it waits for ever.`)),
    on_timeout: field.choice(
      ['fail', 'continue'],
      'What a deadline that passes means: the node fails, or ends with timed_out.',
      {
        default: 'fail',
      },
    ),
  },
  outputs: { payload: output('any', 'What was delivered; absent after a time-out.') },
  branches: ['received', 'timed_out'],
  check: timeoutNeedsDeadline,
});

const approval = control({
  type: 'approval',
  description: 'Waits until a person approves or rejects.',
  example: {
    type: 'approval',
    params: { approvers: ['desk_lead'], deadline: '15m', message: 'Buy at {{price.last}}?' },
  },
  fields: {
    approvers: optional(
      field.names('Names or roles of those who may decide. Absent, any operator.', { max: MOST_APPROVERS }),
    ),
    deadline: optional(field.duration(`How long at most: ${DURATION}. Absent, it waits for ever.`)),
    on_timeout: field.choice(['reject', 'approve', 'fail'], 'What a deadline that passes means.', {
      default: 'reject',
    }),
    message: optional(field.text('What is asked, for people; may hold {{references}}.')),
  },
  outputs: {
    decision: output('text', 'approved or rejected.'),
    actor: output('text', 'Who decided; absent when the deadline did.'),
    comment: output('text', 'What they said; absent when nothing.'),
    at: output('text', 'When, ISO 8601 in UTC.'),
  },
  branches: ['approved', 'rejected'],
  check: timeoutNeedsDeadline,
});

function timeoutNeedsDeadline({ names }: { readonly names: ReadonlySet<string> }) {
  if (!names.has('on_timeout') || names.has('deadline')) return undefined;
  return { field: 'on_timeout', message: 'means nothing without a `deadline`' };
}

const map = control({
  type: 'map',
  description:
    'Runs its body once for every item of a list, so many at a time. Inside, item.value and item.index are the item and its place from 0.',
  example: {
    type: 'map',
    inputs: { items: 'markets.value' },
    params: { concurrency: 4 },
    body: {
      nodes: { price: { type: 'ticker', params: { venue: 'paper_binance' }, inputs: { symbol: 'item.value' } } },
      outputs: { last: 'price.last' },
    },
  },
  fields: {
    items: field.list(`The list, of at most ${MOST_ITEMS} items.`, { max: MOST_ITEMS }),
    concurrency: field.integer('How many items run at a time.', { min: 1, max: MOST_AT_ONCE, default: 10 }),
    on_item_error: field.choice(['fail', 'continue'], 'What an item that fails means: the node fails, or goes on.', {
      default: 'fail',
    }),
  },
  outputs: {
    results: output('list', 'What the body’s outputs were, in the order of the items; null where an item failed.'),
    errors: output('list', 'The items that failed, in their order: {index, error, error_type}.'),
    count: output('integer', 'How many items there were.'),
  },
  body: {},
});

const repeat = control({
  type: 'repeat',
  description:
    'Runs its body again while its `while` is true, at least once and without one `max_iterations` times. Inside, item.index counts from 0 and item.last is what the iteration before gave.',
  example: {
    type: 'repeat',
    params: { max_iterations: 10 },
    while: 'price.last < 17000',
    body: {
      nodes: {
        pause: { type: 'wait', params: { for: '30s' } },
        price: { type: 'ticker', after: ['pause'], params: { venue: 'paper_binance', symbol: 'BTC/BUSD' } },
      },
      outputs: { last: 'price.last' },
    },
  },
  fields: {
    max_iterations: field.integer('The most iterations.', { min: 1, max: MOST_ITEMS }),
  },
  outputs: {
    iterations: output('integer', 'How many ran.'),
    exhausted: output('boolean', 'Whether it ended although `while` was still true.'),
    last: output('object', 'What the body’s outputs were the last time.'),
  },
  body: {},
});

const subgraph = control({
  type: 'subgraph',
  description:
    'Runs another graph as an execution of its own and waits for it: the `body`, or a deployed graph. Every other field becomes one of its start inputs; what it gives are the outputs.',
  example: {
    type: 'subgraph',
    inputs: { price: 'ticker.last' },
    body: {
      nodes: { fee: { type: 'math', params: { op: 'multiply', b: '0.001' }, inputs: { a: 'input.price' } } },
      outputs: { fee: 'fee.value' },
    },
  },
  fields: {
    workflow: optional(
      field.textOf('Id of a deployed graph; exactly one of this and `body` is needed.', (id) =>
        idSchema.safeParse(id).success ? undefined : 'must be the id of a graph',
      ),
    ),
  },
  open_fields: field.any('A start input of that graph.'),
  outputs: { execution_id: output('text', 'The execution it ran as.') },
  open_outputs: true,
  body: { instead_of: 'workflow' },
});

const set = control({
  type: 'set',
  description: 'Gives a variable of the execution a new value.',
  example: { type: 'set', params: { name: 'best' }, inputs: { value: 'price.last' } },
  fields: {
    name: field.text('A variable the graph declares.'),
    value: field.any('Its new value.'),
  },
  outputs: { value: output('any', 'The new value.', { same_as: 'value' }) },
});

const get = control({
  type: 'get',
  description: 'Gives the value a variable of the execution has when this node starts.',
  example: { type: 'get', params: { name: 'best' } },
  fields: { name: field.text('A variable the graph declares.') },
  outputs: { value: output('any', 'The value.') },
});

export const controlKinds: readonly NodeKind[] = [map, repeat, subgraph, wait, waitForSignal, approval, set, get];
