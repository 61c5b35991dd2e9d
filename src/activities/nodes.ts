/**
 * For authors of node kinds; published as `holdfast/nodes`. A module of own kinds exports them as the list `kinds`, and is named in
 * `HOLDFAST_NODES` or with `--nodes`.
 */
export type { FoundOrder, OrderLookup } from '../venues/order-lookup';
export { OrderSender } from '../venues/order-sender';
export type { OrderDelivery, OrderHttpRequest, OrderSenderOptions, VenueExpiry } from '../venues/order-sender';
export type { OrderDraft, Trade, TradePermit } from './trade';
export { HoldfastError, type ErrorCode } from '../errors';
export { decimal, formatDecimal, isDecimal, type Decimal } from '../money';
export { defineNode, field, optional, output } from './define-node';
export type { NodeContext, NodeDefinition, NodeKind, NodeOutcome } from './define-node';
