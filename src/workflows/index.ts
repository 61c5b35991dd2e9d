/** What the workers run. */
export { emergencyBroadcast } from './emergency-broadcast';
export { emergencyDesk } from './emergency-desk';
export { deskOrderExport } from './order-export';
export { runGraph } from './run-graph';
