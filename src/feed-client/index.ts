/** Published as `holdfast/client`, for browsers and for Node. */
export { Feed, FeedError, type FeedEvents, type FeedOptions, type FeedStatus, type Target } from './feed';
export type { ExecutionState, ExecutionView, NodeState, NodeView } from './execution-view';
export type { Cursor } from '../event-log/cursor';
export type { EventEnvelope, EventType } from '../events/envelope';
export type { Answer, EmergencyAnswer, EmergencyOrder, GapNotice, Message, MessageName } from '../gateway/protocol';
