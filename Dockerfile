# syntax=docker/dockerfile:1

# The Node that is a package elsewhere is that of the image here.
ARG NODE=node:26.10.0-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=optional
COPY . .
RUN npm run build && npm prune --omit=dev --omit=optional \
  && rm -rf dist/.tsbuildinfo dist/test dist/bench dist/contract dist/src/bulk/generate.* dist/src/commands/openapi.* \
    node_modules/better-sqlite3/deps node_modules/better-sqlite3/src

FROM ${NODE}
# Listening on 0.0.0.0 it starts only with API_KEYS, API_KEYS_FILE or ALLOW_ANONYMOUS=true.
ENV NODE_ENV=production \
  HOST=0.0.0.0 \
  PORT=3000 \
  DATABASE_URL=file:/data/employees.db
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/drizzle ./drizzle
COPY --from=build /app/public ./public
COPY --from=build /app/dist ./dist
RUN install --directory --owner=node --group=node --mode=700 /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/server.js"]
