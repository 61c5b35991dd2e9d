/** Prints what of OpenTelemetry a process has loaded once it holds gateway and worker. */
import '../../src/gateway/create-gateway';
import '../../src/worker/create-worker';
import '../../src/tracing/tracer';

const isOfSdk = (path: string) => /@opentelemetry.(sdk|exporter|resources|otlp)/.test(path);
process.stdout.write(JSON.stringify(Object.keys(require.cache).filter(isOfSdk)));
