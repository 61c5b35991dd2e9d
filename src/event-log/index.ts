/** The event log: publisher, reader, subscriber. */
export {
  ClosingPublisher,
  ClosingSubscriber,
  type ClosingCounts,
  type ClosingHandlers,
  type ClosingSubscriberOptions,
} from './closings';
export { EventPublisher, type PublisherOptions, type PublisherStats } from './event-publisher';
export { isAfter, orderOf, type Cursor } from './cursor';
export { EventReader, type Progress, type ReaderOptions, type Replay, type Since, type Snapshot } from './event-reader';
export { EventSubscriber, type SubscriberHandlers } from './event-subscriber';
export type { Scope } from './keys';
export type { Gap } from './outbox';
