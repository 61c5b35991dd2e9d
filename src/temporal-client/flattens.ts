/** Workflows that close positions: the desk starts them, for a command it has accepted. */
import type { FlattenReport } from '../emergency/flatten';
import { FLATTEN_POSITIONS, flattenReportQuery, flattenWorkflowId } from '../workflows/desk-messages';
import type { Named, Reporting } from './desk-reports';

/** `name`: the epoch the desk answered the command with. */
export type NamedFlatten = Named<FlattenReport>;

export const flattening: Reporting<FlattenReport> = {
  type: FLATTEN_POSITIONS,
  query: flattenReportQuery,
  workflowId: flattenWorkflowId,
};
