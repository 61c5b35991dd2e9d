/** REST as a whole. */
import { z } from 'zod';
import { checkRoutes } from './api-check';
import { drillRoutes } from './api-drill';
import { emergencyRoutes, type EmergencyApiContext } from './api-emergency';
import { executionRoutes, type ApiContext } from './api-executions';
import { figureRoutes } from './api-figures';
import { healthRoutes, type HealthContext } from './api-health';
import { historyRoutes } from './api-history';
import { orderRoutes } from './api-orders';
import { steeringRoutes } from './api-steering';
import { nodeKindRoutes, workflowRoutes } from './api-workflows';
import { openApiDocument, type OpenApiDocument } from './openapi';
import { route, type DeclaredRoute } from './route';

export interface RestContext extends ApiContext, EmergencyApiContext, HealthContext {}

/** Every route there is, the one that tells of them included. */
export function restRoutes(context: RestContext): readonly DeclaredRoute[] {
  const routes = [
    ...healthRoutes(context),
    ...workflowRoutes(context),
    ...figureRoutes(context),
    ...checkRoutes(context),
    ...executionRoutes(context),
    ...historyRoutes(context),
    ...steeringRoutes(context),
    ...emergencyRoutes(context),
    ...drillRoutes(context),
    ...orderRoutes(context),
    ...nodeKindRoutes(context.kinds),
  ];
  return [...routes, documentRoute(routes)];
}

function documentRoute(others: readonly DeclaredRoute[]): DeclaredRoute {
  let document: OpenApiDocument | undefined;
  const own: DeclaredRoute = route({
    method: 'get',
    path: '/api/openapi.json',
    summary: 'This document',
    role: 'viewer',
    answers: { 200: { says: 'OpenAPI 3.1.', schema: z.record(z.string(), z.unknown()) } },
    handle: () => (document ??= openApiDocument([...others, own])),
  });
  return own;
}
