import { basename, resolve } from 'node:path';
import { EXIT, UsageError } from '../../core/errors.ts';
import { quotePath } from '../../core/wording/quote-argument.ts';
import { compileJob } from '../../input/compile-job.ts';
import { findDraft } from '../../input/draft/find-draft.ts';
import { showFile } from '../../input/table/find-files.ts';
import { blameFlags, checkFolder, createDraftFile } from '../draft-file.ts';
import type { JobFlags, TableFlags } from '../options/flags.ts';
import { programName } from '../program-name.ts';
import { createPaint } from '../render/paint.ts';
import { makeExcerpt, renderPrompt } from '../render/render-prompt.ts';
import { hasColour, print, printJson, say } from '../say.ts';
import { askOf, listAsked, loadDraft, makeDraft, makeRequestsDraft, showAsked, type TableDraft } from '../table-job.ts';

const NO_ROLES = { id: ['custom_id'], nearId: null, texts: [], labels: [] };

/** `rowmill init TABLE`: writes its job file next to it once the job has been checked; on a terminal shows the first prompt. */
export async function initTable(table: string, flags: JobFlags & TableFlags): Promise<number> {
  const found = await findDraft(resolve(table), process.cwd());
  const command = `${programName()} init ${quotePath(table)}${showAsked(flags)}`;
  const isUnasked = listAsked(flags).length === 0 && found.known === null;
  const requests = isUnasked ? await makeRequestsDraft(table, found) : null;
  const draft = requests ?? (await makeDraft(table, found, askOf(found, flags, command)));
  await checkFolder(draft, table, `${programName()} init ${quotePath(basename(table))}${showAsked(flags)}`);
  const file = showFile(draft.file, process.cwd());
  const prompt = await renderFirst(draft);
  const isSame = draft.text === draft.known?.text;
  if (isSame) say(`${file} already exists and would not change`);
  else await createDraftFile(draft).write();
  if (flags.json === true) {
    const { sample, roles } = draft.guessed ?? { sample: { rows: [], isWhole: false }, roles: NO_ROLES };
    const rows = { sampled: sample.rows.length, isWhole: sample.isWhole };
    printJson({ schema: 'rowmill.init/1', file, replaced: draft.known !== null && !isSame, rows, columns: roles });
  } else {
    print(file);
    if (process.stdout.isTTY === true && prompt !== null) print(`\n${prompt}\n`);
  }
  sayNext(file);
  return EXIT.done;
}

/** The first request in readable form; null if the table holds requests. @throws UsageError if the job does not fit its table */
async function renderFirst(draft: TableDraft): Promise<string | null> {
  if (draft.guessed === null) return null;
  const { sample } = draft.guessed;
  const paint = createPaint(hasColour(process.stdout));
  const whole = `${programName()} plan ${quotePath(showFile(draft.file, process.cwd()))} --prompts 1`;
  try {
    const rendered = compileJob(await loadDraft(draft, {}), sample).render(sample.first);
    if (rendered.status === 'skipped') return `The first row would not be sent: ${rendered.message}`;
    return `${paint('bold', 'The first prompt')}\n${renderPrompt(JSON.parse(rendered.request.body), paint, makeExcerpt(whole))}`;
  } catch (error) {
    throw error instanceof UsageError ? blameFlags(error) : error;
  }
}

function sayNext(file: string): void {
  const commands = [
    ['plan', '', 'what it would do and cost; sends nothing'],
    ['run', ' --simulate', 'the whole way, without a key'],
  ] as const;
  const typed = commands.map(([command, flags]) => `  ${programName()} ${command} ${quotePath(file)}${flags}`);
  const width = Math.max(...typed.map(({ length }) => length));
  say('What to type next:');
  for (const [index, line] of typed.entries()) say(`${line.padEnd(width)}   ${commands[index]?.[2]}`);
}
