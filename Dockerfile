# Debian, not Alpine: Temporal's native part is built for glibc.
FROM node:20.19.5-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json .npmrc ./
COPY dashboard/package.json dashboard/
RUN npm ci
COPY . .
RUN npm run build

FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
COPY dashboard/package.json dashboard/
RUN npm ci --omit=dev

# The slim image has no certificates, and Temporal's native part reads the system's for a server behind TLS.
FROM base AS runtime
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY examples examples
# A volume mounted here takes over its owner when it is made.
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/holdfast/blobs
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/holdfast/paper-venue
USER node

FROM runtime AS worker
# By default glibc lets every thread keep memory of its own, and V8 keeps what it needed to load the code.
ENV MALLOC_ARENA_MAX=2
CMD ["node", "--max-semi-space-size=4", "dist/worker/main.js"]

FROM runtime AS paper-venue
EXPOSE 8002
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=12 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8002/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/paper-venue/main.js"]

FROM runtime AS gateway
EXPOSE 8001
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=12 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8001/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/gateway/main.js"]
