# syntax=docker/dockerfile:1
FROM node:22-bookworm-slim AS base
WORKDIR /app
ENV NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false NPM_CONFIG_UPDATE_NOTIFIER=false
# the manifests alone decide whether the packages are installed again
COPY package.json package-lock.json .npmrc ./
COPY embedded/package.json embedded/

FROM base AS build
RUN --mount=type=cache,target=/root/.npm npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY embedded/tsconfig.json embedded/tsconfig.build.json embedded/
COPY embedded/src embedded/src
COPY src src
RUN npm run build

FROM base AS packages
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production PORT=5002
COPY --from=packages /app/package.json ./
COPY --from=packages /app/node_modules node_modules
COPY --from=packages /app/embedded embedded
COPY --from=build /app/embedded/dist embedded/dist
COPY --from=build /app/dist dist
# a named volume mounted here takes over this owner
RUN install -d -o node -g node data data/clicks
USER node
EXPOSE 5002
HEALTHCHECK --interval=5s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 5002}/status`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# node is process 1 and gets SIGTERM itself: no shell and no npm in between
STOPSIGNAL SIGTERM
CMD ["node", "dist/server.js"]
