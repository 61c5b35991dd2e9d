/** What the workers run. */
export { cancelOpenOrders } from './cancel-orders';
export { emergencyBroadcast } from './emergency-broadcast';
export { emergencyDesk } from './emergency-desk';
export { flattenPositions } from './flatten-positions';
export { deskOrderExport } from './order-export';
export { runGraph } from './run-graph';
