/** What the workers run. */
export { emergencyDesk } from './emergency-desk';
export { runGraph } from './run-graph';
