import type { ImageTemplate, Job, MessageTemplate } from '../../core/job.ts';
import type { Rendered } from '../../core/request.ts';
import type { Row } from '../../core/row.ts';
import { describeThrown } from '../../core/wording/describe-thrown.ts';
import { makeLiteral } from './choose-examples.ts';
import type { CodePrompts } from './code-prompts.ts';
import { ImageProblem } from './image-url.ts';
import { NO_JSON_WORD, needsJsonWord, saysJson } from './json-word.ts';
import { boundRequests, makeRequest, type RequestLimits } from './render-row.ts';
import { type CompiledMessage, compileBody } from './request-body.ts';

/**
 * Compiles how a row becomes a request if a function writes its messages. The body is that of a job whose prompt has the same text. The result
 * never throws: a row whose function throws is `unrenderable`; one for which it returns null or blank text is `empty`.
 */
export function compileCodeRender(job: Job, prompts: CodePrompts, limits: RequestLimits | null): (row: Row) => Rendered {
  const mostImages = countImages(job.messages);
  const needsWord = needsJsonWord(job);
  return (row) => {
    try {
      const messages = prompts.messagesOf(row) ?? [];
      const images = countImages(messages);
      if (images > mostImages) throw new Error(`${images} images and files, where the job has at most ${mostImages}; raise max_images`);
      const hasImages = images > 0;
      if (!hasImages && messages.every(({ role, content }) => role === 'system' || content.trim() === '')) {
        return { status: 'skipped', cause: 'empty', message: 'the prompt function returned nothing for this row' };
      }
      if (needsWord && !messages.some(({ content }) => saysJson(content))) throw new Error(NO_JSON_WORD);
      return makeRequest(job, compileBody(job, messages.map(makeLiteralMessage))([]), boundRequests(limits, hasImages));
    } catch (error) {
      const cause = error instanceof ImageProblem ? error.skipCause : 'unrenderable';
      return { status: 'skipped', cause, message: describeThrown(error) };
    }
  };
}

function countImages(messages: readonly MessageTemplate[]): number {
  return messages.reduce((sum, { images = [] }) => sum + images.length, 0);
}

function makeLiteralMessage({ role, content, images = [] }: MessageTemplate): CompiledMessage {
  return { role, template: makeLiteral(content), images: images.map(makeLiteralImage) };
}

/** Without pieces, no folder of the path counts as written by the job's author: it may come from a cell, and must not lead out of the job's folder. */
function makeLiteralImage({ url, detail, isFile }: ImageTemplate): CompiledMessage['images'][number] {
  return { template: { ...makeLiteral(url), pieces: null }, detail, isFile: isFile === true, isOne: true };
}
