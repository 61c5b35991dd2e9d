/** A span for every attempt of a node whose execution was started within a trace. */
import type { NodeTask } from '../graph/task';
import { present } from '../json';
import type { OpenSpan, Tracer } from '../tracing/tracer';

export type BeginSpan = (task: NodeTask, attempt: number) => OpenSpan | undefined;

export function nodeSpans(tracer: Tracer): BeginSpan {
  return (task, attempt) => {
    const { traceparent, node_id, node_type, frame, generation, dispatch } = task;
    if (traceparent === undefined) return undefined;
    const { execution_id, workflow_id, bot_id, strategy_id, mode } = task;
    const attributes = {
      ...prefixed({ execution_id, workflow_id, mode, ...present({ bot_id, strategy_id }) }),
      ...prefixed({ node_id, node_type, frame, generation, dispatch, attempt }),
    };
    return tracer.begin({ name: `${node_type} ${node_id}`, kind: 'internal', parent: traceparent, attributes });
  };
}

function prefixed(members: Readonly<Record<string, string | number>>): Record<string, string | number> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [`holdfast.${name}`, value]));
}
