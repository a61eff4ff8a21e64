import * as fs from 'node:fs';
import * as path from 'node:path';
import { projectRoot } from './project-root.ts';

/** A shape of fixtures/world/, as its README describes them. */
export interface WorldShape {
  readonly name: string;
  readonly status: number;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly want: { readonly run?: 'stops' | 'goes on'; readonly exitCode?: number; readonly says?: string; readonly askedAgain?: boolean };
}

export function readWorldShapes(file: string): readonly WorldShape[] {
  return JSON.parse(fs.readFileSync(path.join(projectRoot, 'fixtures', 'world', `${file}.json`), 'utf8'));
}
