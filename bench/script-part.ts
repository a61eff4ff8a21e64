import { runScript } from './live-script.ts';

/** The plain script in a process of its own: `script-part.js OPTIONS`. */
process.stdout.write(`${JSON.stringify(await runScript(JSON.parse(process.argv[2] as string)))}\n`);
