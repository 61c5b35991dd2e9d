/** Search attributes of an execution; all keywords, registered by API at every start (a namespace has room for ten). */
import { TypedSearchAttributes, defineSearchAttributeKey } from '@temporalio/common';
import type { ExecutionState, RunGraphInput } from './messages';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

export const executionAttributes = {
  workflow: keyword('HoldfastWorkflow'),
  version: keyword('HoldfastVersion'),
  bot: keyword('HoldfastBot'),
  strategy: keyword('HoldfastStrategy'),
  desk: keyword('HoldfastDesk'),
  mode: keyword('HoldfastMode'),
  state: keyword('HoldfastState'),
} as const;

export const DEFAULT_DESK = 'default';

/** The attributes an execution of this graph starts with. */
export function startAttributes({ graph, version, mode }: RunGraphInput): TypedSearchAttributes {
  const { workflow, bot, strategy, desk } = executionAttributes;
  return new TypedSearchAttributes([
    { key: workflow, value: graph.id },
    { key: executionAttributes.version, value: version },
    ...(graph.bot_id === undefined ? [] : [{ key: bot, value: graph.bot_id }]),
    ...(graph.strategy_id === undefined ? [] : [{ key: strategy, value: graph.strategy_id }]),
    { key: desk, value: graph.desk ?? DEFAULT_DESK },
    { key: executionAttributes.mode, value: mode },
    stateAttribute('running'),
  ]);
}

export function stateAttribute(state: ExecutionState) {
  return { key: executionAttributes.state, value: state };
}
