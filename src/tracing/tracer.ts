/**
 * Spans for OpenTelemetry, sent by OTLP over HTTP (JSON). Only where an endpoint is configured is a tracer opened, and only then are the
 * libraries loaded. A span is a view: it is queued, sent later, and dropped where the queue is full or the collector does not answer;
 * nothing waits for it.
 */
import type { Span } from '@opentelemetry/api';

export interface SpanWords {
  readonly name: string;
  /** `server`: somebody asked for it; `internal`: a node of an execution. */
  readonly kind: 'server' | 'internal';
  /** The `traceparent` it belongs under; without one it begins a trace. */
  readonly parent: string | undefined;
  readonly attributes: Readonly<Record<string, string | number>>;
}

export interface SpanFailure {
  readonly error: string;
  readonly error_type: string;
}

export interface OpenSpan {
  /** For what belongs under this one. */
  readonly traceparent: string;
  end(failure?: SpanFailure): void;
}

export interface Tracer {
  begin(words: SpanWords): OpenSpan;
  /** Sends what is left, for at most two seconds. */
  close(): Promise<void>;
}

export interface TracerOptions {
  /** Scheme, host and port of a collector. */
  readonly endpoint: string;
  /** `service.name` of its spans. */
  readonly service: string;
}

const CLOSE_WITHIN_MS = 2_000;

export async function openTracer({ endpoint, service }: TracerOptions): Promise<Tracer> {
  const [api, sdk, exporter, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const provider = new sdk.BasicTracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new sdk.BatchSpanProcessor(new exporter.OTLPTraceExporter({ url }))],
  });
  const tracer = provider.getTracer('holdfast');
  const kinds = { server: api.SpanKind.SERVER, internal: api.SpanKind.INTERNAL };
  return {
    begin: ({ name, kind, parent, attributes }) => {
      const above = parent === undefined ? undefined : spanContextOf(parent);
      const context =
        above === undefined
          ? api.ROOT_CONTEXT
          : api.trace.setSpanContext(api.ROOT_CONTEXT, { ...above, isRemote: true });
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes }, context);
      return {
        traceparent: traceparentOf(span),
        end: (failure) => {
          if (failure !== undefined) {
            span.setStatus({ code: api.SpanStatusCode.ERROR, message: failure.error });
            span.setAttribute('error.type', failure.error_type);
          }
          span.end();
        },
      };
    },
    close: () => within(CLOSE_WITHIN_MS, provider.shutdown()),
  };
}

/** Of a `traceparent` that was checked where it came in. */
function spanContextOf(traceparent: string) {
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  return { traceId, spanId, traceFlags: flags.endsWith('1') || flags.endsWith('3') ? 1 : 0 };
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), late]).finally(() => {
    clearTimeout(timer);
  });
}
