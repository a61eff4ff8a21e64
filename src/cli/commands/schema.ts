import { EXIT } from '../../core/errors.ts';
import { makeEditorSchema } from '../../input/job/schema-examples.ts';
import { printForPrograms } from '../say.ts';

/** `rowmill schema`: what editors complete job files from. */
export async function schema(): Promise<number> {
  printForPrograms(JSON.stringify(makeEditorSchema(), null, 2));
  return EXIT.done;
}
