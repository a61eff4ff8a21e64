import fs from 'node:fs';
import path from 'node:path';
import type { Job } from '../../core/job.ts';
import { formatCount } from '../../core/wording/format-count.ts';
import { isBlankCell } from './cell-text.ts';
import { ImageProblem, MAX_IMAGE_REQUEST_BYTES, makeFileUrl, makeImageUrl } from './image-url.ts';
import type { CompiledTemplate } from './template.ts';

/** An image of the prompt with its compiled template. */
export interface CompiledImage {
  readonly template: CompiledTemplate;
  /** Null: the API decides. */
  readonly detail: string | null;
  /** Whether it is sent as a file. */
  readonly isFile: boolean;
  /** Whether it is a single image, never a glob, as from a prompt function that declares its maximum; absent: no. */
  readonly isOne?: true;
}

/** Writes one image of a message in the form of the endpoint. */
export type RenderImagePart = (url: string, detail: string | null) => string;

/** Writes one file of a message in the form of the endpoint. */
export type RenderFilePart = (dataUrl: string, name: string) => string;

/**
 * Compiles the image and file parts of a message. A part whose cells are all empty is left out; a row without any is skipped. A path may be a glob, which
 * stands for all files it matches.
 * @param directory the folder that relative paths refer to: that of the job file
 * @returns the parts as JSON, joined by commas. It throws ImageProblem
 */
export function compileImageParts(
  images: readonly CompiledImage[],
  directory: string,
  render: { readonly image: RenderImagePart; readonly file: RenderFilePart },
): (cells: readonly unknown[]) => string {
  const compiled = images.map(({ template, detail, isFile, isOne }) => ({
    template,
    detail,
    isFile,
    isOne,
    ...locateFolder(template, directory),
  }));
  const kinds = [...new Set(images.map(({ isFile }) => (isFile ? 'file' : 'image')))];
  return (cells) => {
    const parts: string[] = [];
    let characters = 0;
    const add = (part: string) => {
      characters += part.length;
      // A glob may match more than fits into memory.
      if (characters > MAX_IMAGE_REQUEST_BYTES)
        throw new ImageProblem(
          'too_large',
          `the ${kinds.map((kind) => `${kind}s`).join(' and ')} of the row have more than ${formatCount(MAX_IMAGE_REQUEST_BYTES)} bytes together`,
        );
      parts.push(part);
    };
    for (const { template, detail, isFile, isOne, root, folder } of compiled) {
      if (template.columns.length > 0 && template.columns.every((index) => isBlankCell(cells[index]))) continue;
      const value = template.render(cells).trim();
      if (value === '') continue;
      const inFolder = value.slice(value.startsWith(folder) ? folder.length : 0);
      for (const one of isOne ? [inFolder] : listMatches(inFolder, root))
        add(isFile ? render.file(makeFileUrl(one, root), path.basename(one)) : render.image(makeImageUrl(one, root), detail));
    }
    if (parts.length === 0) throw new ImageProblem('empty', `every ${kinds.join(' and ')} of the row is empty`);
    return parts.join(',');
  };
}

/** The folder in a template before its first column, with its slash: `photos/` in `photos/{{ file }}`. Empty for a URL. */
function locateFolder({ pieces }: CompiledTemplate, directory: string): { readonly folder: string; readonly root: string } {
  const first = typeof pieces?.[0] === 'string' ? pieces[0].trimStart() : '';
  const folder = /^(https?|data):/i.test(first) ? '' : first.slice(0, first.lastIndexOf('/') + 1);
  return { folder, root: path.resolve(directory, folder) };
}

/** The image may have changed under the same name, which only reading it reveals. */
export function mayReadImageFiles({ messages }: Job): boolean {
  return messages.some(({ images = [] }) => images.some(({ url }) => !/^\s*https?:/i.test(url)));
}

/**
 * The files of a path: itself, or if its last part has `*` or `?`, the matching files of the folder in alphabetical order.
 * @throws ImageProblem if none does
 */
function listMatches(value: string, root: string): readonly string[] {
  const name = path.basename(value);
  if (/^[a-z][a-z0-9+.-]*:/i.test(value) || !/[*?]/.test(name) || fs.existsSync(path.resolve(root, value))) return [value];
  const folder = path.dirname(value);
  const pattern = new RegExp(
    `^${name
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  );
  const names = listNames(path.resolve(root, folder)).filter((found) => pattern.test(found) && !found.startsWith('.'));
  if (names.length === 0) throw new ImageProblem('unrenderable', `no file matches ${JSON.stringify(value.slice(0, 80))}`);
  return names.toSorted().map((found) => path.join(folder, found));
}

function listNames(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
