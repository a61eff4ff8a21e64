# rowmill as a small image that runs as an unprivileged user: `docker build -t rowmill .`
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json job.schema.json ./
COPY scripts/build.mjs scripts/
COPY src src
RUN npm run --silent build && npm prune --omit=dev --ignore-scripts

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json /app/job.schema.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY jobs jobs
COPY fixtures fixtures
USER node
# Tables, job files and `.rowmill/` are mounted here.
WORKDIR /data
# node is process 1 and hears SIGTERM itself: a worker drains before it ends.
ENTRYPOINT ["node", "/app/dist/src/cli/main.js"]
CMD ["--help"]
