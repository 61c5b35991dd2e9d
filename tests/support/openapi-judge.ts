/** Holds real answers against an OpenAPI document. */
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';

interface Operation {
  readonly operationId: string;
  readonly 'x-role'?: string;
  readonly responses: Readonly<Record<string, Response>>;
}

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: object;
}

export interface Answered {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

export class OpenApiJudge {
  readonly #document: OpenApi;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  readonly #checks = new Map<object, ValidateFunction>();
  /** Operations that were answered as they should be, with the statuses they were answered with. */
  readonly judged = new Map<string, Set<number>>();

  constructor(document: OpenApi) {
    this.#document = document;
  }

  /** `GET /api/executions/{id}` and the like. */
  get operations(): readonly string[] {
    return Object.entries(this.#document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** What is wrong with an answer, in words; nothing for one that is as documented. */
  mistakesOf({ method, path, status, type, body }: Answered): readonly string[] {
    const template = this.#templateOf(method, path);
    if (template === undefined) return [`${method} ${path} is not documented`];
    const response = this.#document.paths[template]?.[method.toLowerCase()]?.responses[String(status)];
    if (response === undefined) return [`${method} ${template} answers ${status}, which is not documented`];
    const name = `${method} ${template}`;
    this.judged.set(name, (this.judged.get(name) ?? new Set()).add(status));
    return this.#mistakesIn(response.content, { type, body }).map((mistake) => `${name} ${status} ${mistake}`);
  }

  #mistakesIn(content: Response['content'], { type, body }: Pick<Answered, 'type' | 'body'>): readonly string[] {
    if (content === undefined) return body === undefined ? [] : ['has a body'];
    const media = Object.keys(content).find((each) => type?.startsWith(each) === true);
    if (media === undefined) return [`is ${type ?? 'nothing'}`];
    const check = this.#checkOf(content[media]?.schema ?? {});
    if (check(body)) return [];
    return (check.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
    );
  }

  #checkOf(schema: object): ValidateFunction {
    const known = this.#checks.get(schema);
    if (known !== undefined) return known;
    const check = this.#ajv.compile({ ...schema, components: this.#document.components });
    this.#checks.set(schema, check);
    return check;
  }

  /** A path that is written out beats one with a parameter. */
  #templateOf(method: string, path: string): string | undefined {
    const given = (path.split('?')[0] ?? '').split('/');
    const fitting = Object.keys(this.#document.paths).filter((template) => {
      const parts = template.split('/');
      const fits = parts.every((part, at) => part === given[at] || (part.startsWith('{') && given[at] !== ''));
      return parts.length === given.length && fits && method.toLowerCase() in (this.#document.paths[template] ?? {});
    });
    const parameters = (template: string) => template.split('{').length;
    return fitting.sort((a, b) => parameters(a) - parameters(b))[0];
  }
}
