/** For authors of graphs and node kinds; published as `holdfast/testing`. */
export { fails, hangs, type Answer, type Call, type Fake, type FailsOptions } from './fakes';
export { testGraph, type ApproveOptions, type TestGraphOptions, type TestRun } from './test-graph';
export type { Order } from './timeline';
