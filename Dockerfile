FROM node:22.20.0-bookworm-slim AS build
WORKDIR /covey
COPY package.json package-lock.json ./
COPY patches patches
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
RUN npx tsc -p tsconfig.json \
    && npm prune --omit=dev --no-audit --no-fund

FROM node:22.20.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /covey
COPY --from=build /covey/package.json ./
COPY --from=build /covey/node_modules node_modules
COPY --from=build /covey/dist dist
# The embedded database's thread is plain JavaScript, and stays where it was written.
COPY --from=build /covey/src/platform/embedded.thread.mjs src/platform/
USER node
EXPOSE 8400
CMD ["node", "dist/main.js"]
