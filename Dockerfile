# "npm run image" builds this with its version and revision. The Node that is a package elsewhere is that of the image
# here, by the digest of its index of all platforms: another one behind the same tag is not taken.
ARG NODE=docker.io/library/node:26.10.0-bookworm-slim@sha256:662933cf47f013bc8e4beb31a6116448427a82057ba7c42c97e4c5ba766504c2

FROM ${NODE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional \
  && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=optional
COPY . .
RUN npm run build && npm run --silent sbom -- --omit=optional > sbom.cdx.json \
  && rm -rf dist/.tsbuildinfo dist/src/bulk/generate.* dist/src/commands/openapi.*

FROM ${NODE}
# Listening on 0.0.0.0 it starts only with API_KEYS, API_KEYS_FILE or ALLOW_ANONYMOUS=true.
ENV NODE_ENV=production \
  HOST=0.0.0.0 \
  PORT=3000 \
  DATABASE_URL=file:/data/employees.db
RUN install --directory --owner=node --group=node --mode=700 /data
WORKDIR /app
COPY --from=packages /app/package.json ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/sbom.cdx.json ./
COPY --from=build /app/drizzle ./drizzle
COPY --from=build /app/public ./public
COPY --from=build /app/dist ./dist
# The user node, as a number: else Kubernetes does not see that it is not root (runAsNonRoot).
USER 1000:1000
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/server.js"]
ARG NODE
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="employees-service" \
  org.opencontainers.image.description="A JSON API over employees and salaries with hybrid caching that is never stale" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="${NODE}"
