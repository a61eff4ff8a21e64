// Bundles src, with every package it uses, into dist/bundle, which is what ships: a start of the command reads a few files instead of hundreds, and
// nothing else has to be installed. What only some commands need lies in files of its own. The tree in dist/src is for types, tests and mutants.
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import makeStandalone from 'ajv/dist/standalone/index.js';
import { rolldown } from 'rolldown';
import { RANKS } from './ranks.mjs';

const FOLDER = 'dist/bundle';
/** Node begins with CommonJS sooner than with modules, and before Node 22 only that can be kept compiled. */
const ENTRIES = {
  main: 'src/cli/main.ts',
  program: 'src/cli/program.ts',
  index: 'src/index.ts',
  simulator: 'src/simulator/start.ts',
};
/** What programs import: the names of a bundled entry, as a module. */
const MODULES = ['index', 'simulator'];
/** Loaded before the command, and shares nothing with it. */
const SEAM = { seam: 'src/prove/seam/seam.ts' };
/** What src loads by `require`, or never: each a file of its own, under its name. */
const REQUIRED = ['re2js', 'ajv/dist/2020.js'];
/** A binary that msgpackr can do without, and whose install script nobody wants to run. */
const LEFT_OUT = ['msgpackr-extract'];

/** Lets those `require`s find the files beside the bundle. */
const requireBesides = {
  name: 'require-besides',
  transform: {
    filter: { id: /\/src\/.*\.ts$/, code: /\brequire\([`']/ },
    handler: (code) => ({ code: code.replace(/(?<=\brequire\([`'])([^`']+?)(?:\.js)?(?=[`'])/g, './required/$1.cjs'), map: null }),
  },
};

/** Commander starts programs for commands that are files of their own; ours are not, and to load what starts them takes longer than commander. */
const startsNoProgram = {
  name: 'starts-no-program',
  transform: {
    filter: { id: /\/commander\/lib\/command\.js$/ },
    handler: (code) => ({ code: replaceOnce(code, "require('node:child_process')", 'undefined'), map: null }),
  },
};

/** The pool of connections, without the fetch, caches and sockets that undici has around it. */
const poolOfUndici = {
  name: 'pool-of-undici',
  load: {
    filter: { id: /\/undici\/index\.js$/ },
    handler: () => `
      Object.assign(require('./lib/dispatcher/dispatcher.js').prototype, require('./lib/api/index.js'));
      exports.Agent = require('./lib/dispatcher/agent.js');
      exports.EnvHttpProxyAgent = require('./lib/dispatcher/env-http-proxy-agent.js');`,
  },
};

/**
 * Node compiles every function of its own fetch anew at each start, and reads HTTP/2 with it; undici's is kept compiled like all of the bundle, and is
 * read in parts.
 */
const fetchOfUndici = {
  name: 'fetch-of-undici',
  resolveId: { filter: { id: /^fetch-of-undici$/ }, handler: (id) => id },
  load: {
    filter: { id: /^fetch-of-undici$/ },
    handler: () => `
      export { FormData } from 'undici/lib/web/fetch/formdata.js';
      export { Headers } from 'undici/lib/web/fetch/headers.js';
      export { Response } from 'undici/lib/web/fetch/response.js';
      export const fetch = async (...given) => (await import('undici/lib/web/fetch/index.js')).default.fetch(...given);`,
  },
};
const FETCH = Object.fromEntries(['fetch', 'FormData', 'Headers', 'Response'].map((name) => [name, ['fetch-of-undici', name]]));

/**
 * The price list is larger than all of src, and most jobs need the part of one provider: the others' models are read when one of them is asked for.
 * What the package can besides finding models is left out.
 */
const pricesByProvider = {
  name: 'prices-by-provider',
  transform: {
    filter: { id: /\/genai-prices\/dist\/index\.js$/ },
    handler(code) {
      const [, literal] = /^const E = (\[$.*?^\])/ms.exec(code);
      const providers = new Function(`return ${literal}`)().map(({ extractors: _, ...provider }) => provider);
      const isRead = ({ id }) => id === 'openai';
      const others = Object.fromEntries(providers.filter((provider) => !isRead(provider)).map(({ id, models }) => [id, models]));
      this.emitFile({ type: 'asset', fileName: 'other-prices.json', source: JSON.stringify(others) });
      const read = providers.map((provider) => (isRead(provider) ? provider : { ...provider, models: undefined }));
      const list = `readOthers(JSON.parse(${JSON.stringify(JSON.stringify(read))}))`;
      const small = replaceOnce(replaceOnce(code, literal, list), 'new Y(J)', '/* @__PURE__ */ new Y(J)');
      return { code: `import { readFileSync } from 'node:fs';\n${readOthers}\n${small}`, map: null };
    },
  },
};

/** Goes into the bundle. */
function readOthers(providers) {
  let others;
  const readModels = (id) => {
    others ??= JSON.parse(readFileSync(new URL('./other-prices.json', import.meta.url), 'utf8'));
    return others[id];
  };
  for (const provider of providers.filter(({ models }) => models === undefined)) {
    Object.defineProperty(provider, 'models', { get: () => readModels(provider.id) });
  }
  return providers;
}

function replaceOnce(text, search, replacement) {
  const parts = text.split(search);
  if (parts.length !== 2) throw new Error(`${parts.length - 1} times in a package: ${search.slice(0, 80)}`);
  return parts.join(replacement);
}

/** Compiling the schema of a job takes longer than a small job does: ajv's code for it is made here. */
const compiledJobSchema = {
  name: 'compiled-job-schema',
  load: {
    filter: { id: /\/src\/input\/job\/job-validator\.ts$/ },
    async handler() {
      const { OWN_SCHEMA } = await import('../dist/src/input/job/job-validator.js');
      const { makeJobSchema } = await import('../dist/src/input/job/job-schema.js');
      const ajv = new Ajv2020({ ...OWN_SCHEMA, code: { source: true, esm: true } });
      const code = makeStandalone(ajv, ajv.compile(makeJobSchema()));
      return `${code}\nexport const OWN_SCHEMA = ${JSON.stringify(OWN_SCHEMA)};\nexport const makeJobValidator = () => validate;`;
    },
  },
};

/** Read before the files whose compiled code it keeps. */
const FIRST = 'engine';

/** Read with what calls a provider, whichever layer names it. */
const PART_OF_FETCH = /^fetch-of-undici$|\/node_modules\/undici\//;

/** Each reads all that those before it read, and more. */
const LAYERS = [FIRST, 'program', 'define-commands', 'commands/status', 'commands/report', 'commands/plan', 'commands/run'];

/**
 * To find and open a file takes as long as to read 50 kB of it: what every start reads is one file, what `status` reads besides another, and so on.
 * The rest is split by who imports it.
 */
function makeLayers() {
  const layers = new Map();
  return (id, graph) => {
    if (layers.size === 0) for (const layer of LAYERS) addLayer(layer, graph, layers);
    return layers.get(id) ?? null;
  };
}

/** Adds a module of the command line and what it imports at once, as far as no earlier layer has it. */
function addLayer(layer, graph, layers) {
  const top = join(process.cwd(), 'src/cli', `${layer}.ts`);
  const found = new Set([top]);
  for (const id of found) for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) found.add(imported);
  for (const id of found)
    if (!layers.has(id) && !PART_OF_FETCH.test(id)) layers.set(id, layer === FIRST ? layer : `for-${basename(layer)}`);
}

const OUTSIDE_ASCII = /[\u0080-\uffff]/g;
/** Where an escape would mean something else. */
const UNESCAPABLE = /(?<!\\)(?:\\\\)*\\[\u0080-\uffff]|String\.raw`[^`]*[\u0080-\uffff]/;

/** One sign outside of Latin doubles the memory of a file's text, and takes V8 a slower way through all of it. */
const asciiAlone = {
  name: 'ascii-alone',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      const found = UNESCAPABLE.exec(file.code);
      if (found !== null) throw new Error(`${file.fileName} cannot be written in ASCII: ${found[0].slice(0, 80)}`);
      file.code = file.code.replace(OUTSIDE_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

const PLUGINS = [startsNoProgram, requireBesides, poolOfUndici, fetchOfUndici, pricesByProvider, compiledJobSchema, asciiAlone];
const COMMON_JS = { format: 'cjs', exports: 'named', entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs' };

async function bundle(input, plugins, output, inject = {}) {
  const build = await rolldown({
    input,
    platform: 'node',
    external: LEFT_OUT,
    preserveEntrySignatures: 'allow-extension',
    checks: { bundlerTimings: false },
    transform: { target: 'node20.19', inject },
    plugins,
  });
  try {
    const { output: files } = await build.write({
      sourcemap: true,
      sourcemapExcludeSources: true,
      comments: false,
      chunkFileNames: '[name].js',
      ...output,
    });
    return files.filter(({ type }) => type === 'chunk');
  } finally {
    await build.close();
  }
}

/** The folders of all packages that a chunk holds code of. */
function findPackages(chunks) {
  const folders = chunks.flatMap(({ moduleIds }) => moduleIds.map((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)?.[0]));
  return [...new Set(folders)].filter((folder) => folder !== undefined).sort();
}

/** Names, versions and licences of packages, with the text each brings. */
function renderLicences(folders) {
  const licences = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    return `${name} ${version}, ${license}\n${text}`;
  });
  return `rowmill holds code of these packages.\n\n${licences.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function isFresh() {
  if (!existsSync(join(FOLDER, 'main.cjs'))) return false;
  const made = statSync(join(FOLDER, 'main.cjs')).mtimeMs;
  const sources = readdirSync('src', { recursive: true }).map((name) => join('src', name));
  return [...sources, 'package-lock.json', 'scripts/bundle.mjs'].every((path) => statSync(path).mtimeMs <= made);
}

/** What src loads by `require`, where `requireBesides` looks for it. */
function bundleRequired(folder) {
  const entries = Object.fromEntries(REQUIRED.map((name) => [name.replace(/\.js$/, ''), name]));
  return bundle(entries, [asciiAlone], { ...COMMON_JS, dir: join(folder, 'required') });
}

function copyRanks(folder) {
  for (const path of RANKS) copyFileSync(path, join(folder, basename(path)));
}

/** Bundles modules that use src in the way of what ships, for the benches that do without the command line. @param entries modules by name */
export async function bundleApart(entries, folder) {
  rmSync(folder, { recursive: true, force: true });
  await bundle(entries, PLUGINS, { ...COMMON_JS, dir: folder }, FETCH);
  await bundleRequired(folder);
  copyRanks(folder);
}

/** Bundles anew where a source, a package or this script has changed. */
export async function makeBundle() {
  if (isFresh()) return;
  rmSync(FOLDER, { recursive: true, force: true });
  const required = await bundleRequired(FOLDER);
  const codeSplitting = { groups: [{ name: makeLayers(), includeDependenciesRecursively: false }] };
  const chunks = await bundle(ENTRIES, PLUGINS, { ...COMMON_JS, dir: FOLDER, codeSplitting }, FETCH);
  for (const name of MODULES) {
    const { exports } = chunks.find(({ fileName }) => fileName === `${name}.cjs`);
    writeFileSync(join(FOLDER, `${name}.js`), `export { ${exports.join(', ')} } from './${name}.cjs';\n`);
  }
  await bundle(SEAM, [], { dir: join(FOLDER, 'seam'), format: 'esm' });
  writeFileSync(join(FOLDER, 'LICENCES.txt'), renderLicences(findPackages([...chunks, ...required])));
  copyRanks(FOLDER);
  chmodSync(join(FOLDER, 'main.cjs'), 0o755);
}
