# The server alone. docker-compose.yml shows it with all it needs: MongoDB, Redis, and a proxy that ends TLS.
# Run it with an init process (`docker run --init`), a read-only root and no capabilities: it writes no files when
# MONGODB_URI, MASTER_KEYS and COOKIE_KEYS are given, as an https issuer demands.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY config ./config
COPY locales ./locales
COPY scripts ./scripts
COPY src ./src
COPY views ./views
RUN npm run build

FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production
ENV HOST=0.0.0.0
ENV PORT=3000
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# a heap that may grow to gigabytes is collected late; this one stays small under the same load
CMD ["node", "--enable-source-maps", "--max-old-space-size=320", "--max-semi-space-size=8", "dist/src/main.js"]
