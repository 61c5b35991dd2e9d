/** The REST interface in OpenAPI, from the routes as they are declared. */
import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { errorCatalogue, isErrorCode, type ErrorCode } from '../errors';
import type { DeclaredRoute } from './route';

/** Of what is promised: fields, messages and paths come on top of it, none goes or changes its meaning. */
const API_VERSION = '1';

const ABOUT = `Starts, watches and stops executions, and speaks to the emergency desk. All JSON is snake_case; times are ISO 8601 in UTC
unless a field says otherwise, amounts decimal texts. What happens is told over Socket.IO (docs/PROTOCOL.md).`;

/** Of every route that needs a token. */
const USUAL: readonly ErrorCode[] = ['BadRequest', 'Unauthenticated', 'Forbidden', 'RateLimited', 'Unexpected'];

const codes = Object.keys(errorCatalogue).filter(isErrorCode);
const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.enum(codes),
    retryable: z.boolean(),
    next_step: z.string(),
  })
  .meta({
    id: 'Problem',
    description: 'A refusal (RFC 9457). `code` is of docs/ERRORS.md; further members are its fields.',
  });

export type OpenApiDocument = ReturnType<typeof createDocument>;

export function openApiDocument(routes: readonly DeclaredRoute[]): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: 'Holdfast', version: API_VERSION, description: ABOUT, license: { name: 'MIT', identifier: 'MIT' } },
    // Wherever the document came from.
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    paths,
  });
}

function operationOf(route: DeclaredRoute): ZodOpenApiOperationObject {
  const { method, path, summary, role, params, query } = route;
  const words = [route.description, role && `For the role \`${role}\` and those above it.`].filter(Boolean);
  return {
    operationId: operationId(method, path),
    summary,
    description: words.join(' '),
    tags: [tagOf(path)],
    ...(role === undefined ? { security: [] } : { 'x-role': role }),
    requestParams: { ...(params && { path: params }), ...(query && { query }) },
    ...bodyOf(route),
    responses: { ...answersOf(route), ...refusalsOf(route) },
  };
}

function bodyOf({ body, told_body, body_optional }: DeclaredRoute): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  const schema = body ?? told_body;
  if (schema === undefined) return {};
  const required = body !== undefined && body_optional !== true;
  return { requestBody: { required, content: { 'application/json': { schema } } } };
}

function answersOf({ answers }: DeclaredRoute): ZodOpenApiResponsesObject {
  const entries = Object.entries(answers).map(([status, { says, schema, media_type = 'application/json' }]) => {
    const isEmpty = schema === undefined && media_type === 'application/json';
    const content = isEmpty ? {} : { content: { [media_type]: { schema: schema ?? z.string() } } };
    return [status, { description: says, ...content }] as const;
  });
  return Object.fromEntries(entries);
}

/** One entry per status, which names the codes it comes with. */
function refusalsOf({ role, refusals = [] }: DeclaredRoute): ZodOpenApiResponsesObject {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...(role === undefined ? [] : USUAL), ...refusals])) {
    const { http_status } = errorCatalogue[code];
    byStatus.set(http_status, [...(byStatus.get(http_status) ?? []), code]);
  }
  const entries = [...byStatus].map(([status, of]) => [
    String(status),
    {
      description: of.map((code) => `\`${code}\`: ${errorCatalogue[code].meaning}`).join(' '),
      content: { 'application/problem+json': { schema: problem } },
    },
  ]);
  return Object.fromEntries(entries) as ZodOpenApiResponsesObject;
}

/** `getApiExecutionsIdEvents`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** `executions` of `/api/executions/:id`. */
function tagOf(path: string): string {
  const [first = '', second] = path.split('/').filter(Boolean);
  return first === 'api' ? (second ?? first) : 'health';
}
