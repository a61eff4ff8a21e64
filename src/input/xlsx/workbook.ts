import path from 'node:path';
import { type Archive, refuse } from './archive.ts';
import { type DateForm, tellDateForm } from './date-form.ts';
import { readWholeXml } from './read-xml.ts';

/** A sheet of a workbook and its part. */
export interface Sheet {
  readonly name: string;
  readonly part: string;
  readonly isHidden: boolean;
}

/** What is shared by all cells of a workbook. */
export interface Workbook {
  /** In the order of the tabs, without charts. */
  readonly sheets: readonly Sheet[];
  /** How the numbers of a style are dates, by the style's index; null for numbers. */
  readonly dateForms: readonly (DateForm | null)[];
  /** Texts that cells refer to by index. */
  readonly texts: readonly string[];
  /** Whether days are counted from 1904, as in old programs for the Mac, instead of 1900. */
  readonly isFrom1904: boolean;
}

/** Of XML: all texts of a workbook are held in memory; short ones take almost three times as much. */
const MAX_TEXT_BYTES = 128 * 1024 * 1024;
/** Of all other parts: enough for thousands of styles. */
const MAX_PART_BYTES = 64 * 1024 * 1024;
const WORKBOOK = 'xl/workbook.xml';
const RELATIONS = 'xl/_rels/workbook.xml.rels';
const BINARY_WORKBOOK = 'xl/workbook.bin';

/** @throws UsageError if it is not a workbook, or one that would not fit into memory */
export async function readWorkbook(archive: Archive): Promise<Workbook> {
  refuseLarge(archive, [WORKBOOK, RELATIONS]);
  const targets = await readTargets(archive);
  const { named, isFrom1904 } = await readSheets(archive);
  if (named.length === 0 && archive.sizeOf(BINARY_WORKBOOK) > 0)
    throw refuse(archive.file, 'is a binary workbook (.xlsb), which is not supported; save it as .xlsx, or the sheet as CSV (UTF-8)');
  if (named.length === 0) throw refuse(archive.file, 'is a ZIP archive, not a workbook; unpack it, or name the table in it');
  const sheets = named.flatMap(({ id, ...sheet }) => {
    const target = targets.get(id);
    return target?.type.endsWith('/worksheet') === true ? [{ ...sheet, part: target.part }] : [];
  });
  const textsPart = [...targets.values()].find(({ type }) => type.endsWith('/sharedStrings'))?.part ?? 'xl/sharedStrings.xml';
  const stylesPart = [...targets.values()].find(({ type }) => type.endsWith('/styles'))?.part ?? 'xl/styles.xml';
  refuseLarge(archive, [stylesPart]);
  if (archive.sizeOf(textsPart) > MAX_TEXT_BYTES)
    throw refuse(
      archive.file,
      `holds more than ${MAX_TEXT_BYTES / 1024 / 1024} MB of text, too much to read from a workbook; save the sheet as CSV (UTF-8)`,
    );
  return { sheets, dateForms: await readDateForms(archive, stylesPart), texts: await readTexts(archive, textsPart), isFrom1904 };
}

function refuseLarge(archive: Archive, parts: readonly string[]): void {
  const large = parts.find((part) => archive.sizeOf(part) > MAX_PART_BYTES);
  if (large !== undefined)
    throw refuse(archive.file, `its ${large} has more than ${MAX_PART_BYTES / 1024 / 1024} MB, which is not supported`);
}

interface Target {
  readonly part: string;
  readonly type: string;
}

async function readTargets(archive: Archive): Promise<ReadonlyMap<string, Target>> {
  const targets = new Map<string, Target>();
  await readWholeXml(await archive.open(RELATIONS), {
    open(name, { Id = '', Type = '', Target = '' }) {
      if (name !== 'Relationship') return;
      const part = Target.startsWith('/') ? Target.slice(1) : path.posix.normalize(path.posix.join('xl', Target));
      targets.set(Id, { part, type: Type });
    },
  });
  return targets;
}

async function readSheets(archive: Archive) {
  const named: { readonly name: string; readonly id: string; readonly isHidden: boolean }[] = [];
  let isFrom1904 = false;
  await readWholeXml(await archive.open(WORKBOOK), {
    open(tag, attributes) {
      if (tag === 'workbookPr') isFrom1904 = /^(1|true)$/.test(attributes.date1904 ?? '');
      if (tag !== 'sheet') return;
      const id = Object.entries(attributes).find(([key]) => key.endsWith(':id'))?.[1] ?? '';
      named.push({ name: attributes.name ?? '', id, isHidden: (attributes.state ?? 'visible') !== 'visible' });
    },
  });
  return { named, isFrom1904 };
}

async function readDateForms(archive: Archive, part: string): Promise<readonly (DateForm | null)[]> {
  const codes = new Map<number, string>();
  const forms: (DateForm | null)[] = [];
  let isInCellStyles = false;
  await readWholeXml(await archive.open(part), {
    open(tag, { numFmtId = '0', formatCode = '' }) {
      if (tag === 'numFmt') codes.set(Number(numFmtId), formatCode);
      if (tag === 'cellXfs') isInCellStyles = true;
      if (tag === 'xf' && isInCellStyles) forms.push(tellDateForm(Number(numFmtId), codes.get(Number(numFmtId))));
    },
    close(tag) {
      if (tag === 'cellXfs') isInCellStyles = false;
    },
  });
  return forms;
}

/** Phonetic text above characters is not part of the text. */
async function readTexts(archive: Archive, part: string): Promise<readonly string[]> {
  const texts: string[] = [];
  let text = '';
  let isText = false;
  let phoneticDepth = 0;
  await readWholeXml(await archive.open(part), {
    open(tag) {
      if (tag === 'si') text = '';
      if (tag === 'rPh') phoneticDepth += 1;
      isText = tag === 't' && phoneticDepth === 0;
    },
    text(more) {
      if (isText) text += more;
    },
    close(tag) {
      if (tag === 't') isText = false;
      if (tag === 'rPh') phoneticDepth -= 1;
      if (tag === 'si') texts.push(unescapeText(text));
    },
  });
  return texts;
}

/** Characters that XML cannot hold are written as `_x000D_` (ECMA-376, ST_Xstring). */
export function unescapeText(text: string): string {
  return text.includes('_x')
    ? text.replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
}
