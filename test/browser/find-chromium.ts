import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const USUAL = ['/usr/bin', '/usr/local/bin', '/snap/bin', '/opt/google/chrome'];
const ON_A_MAC = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium'];

/** The browser of this machine: `CHROMIUM_PATH`, else one on the path or in the usual places; null when there is none. */
export function findChromium(env: NodeJS.ProcessEnv): string | null {
  if (env.CHROMIUM_PATH !== undefined && env.CHROMIUM_PATH !== '') return env.CHROMIUM_PATH;
  const folders = [...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...USUAL];
  const candidates = [...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))), ...ON_A_MAC];
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
