import path from 'node:path';
import type { Job } from '../../core/job.ts';
import { isBlankCell } from './cell-text.ts';
import { ImageProblem, makeImageUrl } from './image-url.ts';
import type { CompiledTemplate } from './template.ts';

/** An image of the prompt whose template has been compiled. */
export interface CompiledImage {
  readonly template: CompiledTemplate;
  /** Null: the API decides. */
  readonly detail: string | null;
}

/** Writes one image of a message as the endpoint has it. */
export type RenderImagePart = (url: string, detail: string | null) => string;

/**
 * Compiles the image parts of a message. An image whose cells are all empty is left out; a row without any image is skipped.
 * @param directory what relative paths start from: the folder of the job file
 * @returns the parts as JSON, joined by commas. It throws ImageProblem
 */
export function compileImageParts(
  images: readonly CompiledImage[],
  directory: string,
  renderPart: RenderImagePart,
): (cells: readonly unknown[]) => string {
  const compiled = images.map(({ template, detail }) => ({
    template,
    detail,
    ...locateFolder(template, directory),
  }));
  return (cells) => {
    const parts: string[] = [];
    for (const { template, detail, root, folder } of compiled) {
      if (template.columns.length > 0 && template.columns.every((index) => isBlankCell(cells[index]))) continue;
      const value = template.render(cells).trim();
      if (value === '') continue;
      const url = makeImageUrl(value.slice(value.startsWith(folder) ? folder.length : 0), root);
      parts.push(renderPart(url, detail));
    }
    if (parts.length === 0) throw new ImageProblem('empty', 'every image of the row is empty');
    return parts.join(',');
  };
}

/** The folder a template names before its first column, with its slash: `photos/` of `photos/{{ file }}`. Empty for an address. */
function locateFolder({ pieces }: CompiledTemplate, directory: string): { readonly folder: string; readonly root: string } {
  const first = typeof pieces?.[0] === 'string' ? pieces[0].trimStart() : '';
  const folder = /^(https?|data):/i.test(first) ? '' : first.slice(0, first.lastIndexOf('/') + 1);
  return { folder, root: path.resolve(directory, folder) };
}

/** An image may be another one under its old name, which only reading it tells. */
export function mayReadImageFiles({ messages }: Job): boolean {
  return messages.some(({ images = [] }) => images.some(({ url }) => !/^\s*https?:/i.test(url)));
}
