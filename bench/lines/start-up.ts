import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, BenchLine } from '../harness/line.ts';
import { COMMAND, timeStarts } from '../harness/measure.ts';

const JOB =
  'name: tickets\ninput: { path: table.csv, id: id }\nmodel: gpt-4o-mini\nprompt: "Label: {{ text }}"\noutput: { label: billing | bug | other }\n';
const TABLE = `id,text\n${Array.from({ length: 10 }, (_, row) => `T-${row},I was charged twice on day ${row}\n`).join('')}`;
/** A server and six calls to it by Node's own client of HTTP, over one connection: below this no run in the simulator can be. */
const SIX_CALLS = `
const http = require('node:http');
const agent = new http.Agent({ keepAlive: true });
const server = http.createServer((request, response) => request.resume().on('end', () => response.end('{}')));
const call = (port) => new Promise((done) => {
  http.request({ agent, host: '127.0.0.1', port, method: 'POST' }, (response) => response.resume().on('end', done)).end('{}');
});
server.listen(0, '127.0.0.1', async () => {
  for (let calls = 0; calls < 6; calls += 1) await call(server.address().port);
  agent.destroy();
  server.close();
});
`;
/** What the client touches first: with it Node loads all of its fetch. */
const HEADERS = 'new Headers()';
/** Of each command, in folders of their own. */
const STARTS = 10;

export const bench: Bench = {
  order: 0,
  heading: 'Start-up',
  introduction: `The command of package.json, started once, so that its code is compiled, and then ${STARTS} times in a row; the mean of a start, timed by the shell. The table has ten rows.
Of a run in the simulator, by a profile of 2026-11-30 (a stack may count twice), 14 % is memory touched for the first time and 12 % calls of the kernel, 10 % compiling functions of Node's own modules, which are not kept from one start to the next (24 % while Node's fetch was among them), 8 % reading our compiled functions back, 8 % collecting garbage, 4 % compiling regular expressions (the largest splits text into tokens), 4 % below Node's parser of HTTP, between the client and the simulator. The rest is spread over thousands of functions that run once.
What was found by counting page faults (12,450, of which bare Node has 2,170; 10,000 now): Node 20 reads a file of code in pieces of 8 kB, joins and decodes them, and copies the text once more to put a function around it; the table of token ranks, 5 MB, was read whole for a tenth of its pages; and V8 freed its memory at the end, 3 %. What a first run of 10,000 rows keeps compiled is less than what one of ten rows keeps (for one file 446 kB instead of 724), probably since V8 drops functions that have not run for long; the next small run compiles the rest again.
What did not pay: files of half the size, without spaces and long names (1 %, within the noise). To keep V8 from collecting, or from optimizing, would take a flag, and once one is set Node compiles its own modules anew; a snapshot of the started program would take a flag as well, hence a second process, a whole bare start.`,
  rows: { full: 10, small: 10 },
  async measure({ folder }) {
    const folders = Array.from({ length: STARTS }, (_, number) => join(folder, String(number)));
    for (const each of folders) {
      mkdirSync(each);
      writeFileSync(join(each, 'job.yaml'), JOB);
      writeFileSync(join(each, 'table.csv'), TABLE);
    }
    const time = (command: readonly string[]) => {
      const start = (where: readonly string[]) => timeStarts([process.execPath, ...command], where, { HOME: folder });
      // Compiles, and keeps what it compiled.
      start(folders.slice(0, 1));
      return start(folders);
    };
    const bare: BenchLine = { what: 'bare Node: node -e 0', measured: time(['-e', '0']) };
    const start = (what: string, mostCpu: number, args: readonly string[]): BenchLine => ({
      what,
      measured: time([COMMAND, ...args]),
      against: [{ line: bare, mostCpu }],
    });
    return [
      bare,
      { what: 'a server and six calls by node:http, nothing else', measured: time(['-e', SIX_CALLS]) },
      { what: 'new Headers(), nothing else', measured: time(['-e', HEADERS]) },
      start('rowmill --help', 1.3, ['--help']),
      start('rowmill run --simulate, ten rows', 8, ['run', 'job.yaml', '--simulate', '--yes', '--json', '--progress', 'none']),
      start('rowmill status, ten rows', 4, ['status', 'job.yaml', '--json']),
    ];
  },
};
