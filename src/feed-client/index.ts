/** Published as `holdfast/client`, for browsers and for Node. */
export { Feed, FeedError, type FeedEvents, type FeedOptions, type FeedStatus } from './feed';
export type { Target } from './target';
export type { ExecutionState, ExecutionView, NodeView } from './execution-view';
export { isNodeEnd, nodeStateAfter, type NodeState } from './node-states';
export type { Cursor } from '../event-log/cursor';
export type { EventEnvelope, EventType } from '../events/envelope';
export type { Answer, EmergencyAnswer, EmergencyOrder, GapNotice, Message, MessageName } from '../gateway/protocol';
