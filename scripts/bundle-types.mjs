// Copies the declarations a program needs next to the bundle: those reachable from the entries, and no others. None of them may refer to a
// package, a module or a global type of Node, whose types would have to be installed too.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const FROM = 'dist/src';
const TO = 'dist/bundle/types';
const ENTRIES = ['index.d.ts', 'simulator/start.d.ts'];
const GLOBAL_OF_NODE = /(?<!\/\*.*|\* .*|\/\/.*)\b(?:Buffer|NodeJS)\b/;
const SPECIFIER = /(?<=\b(?:from|import)\s*\(?\s*['"])[^'"]+(?=['"])/g;

export function makeTypes() {
  rmSync(TO, { recursive: true, force: true });
  const done = new Set();
  const copy = (name) => {
    if (done.has(name)) return;
    done.add(name);
    const text = readFileSync(join(FROM, name), 'utf8');
    const [global] = GLOBAL_OF_NODE.exec(text) ?? [];
    if (global !== undefined)
      throw new Error(`${name}: the public types name ${global}, of which a project without the types of Node knows nothing`);
    for (const [specifier] of text.matchAll(SPECIFIER)) {
      if (specifier.startsWith('.')) copy(relative('.', join(dirname(name), specifier.replace(/\.ts$/, '.d.ts'))));
      else throw new Error(`${name}: the public types name ${specifier}`);
    }
    mkdirSync(dirname(join(TO, name)), { recursive: true });
    // What a program's compiler looks for beside it is a .js file.
    writeFileSync(
      join(TO, name),
      text.replaceAll(SPECIFIER, (specifier) => specifier.replace(/^(\..*)\.ts$/, '$1.js')),
    );
  };
  for (const name of ENTRIES) copy(name);
}
