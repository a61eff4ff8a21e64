import { EXIT } from '../../core/errors.ts';
import { makeEditorSchema } from '../../input/job/schema-examples.ts';
import { printForPrograms } from '../say.ts';

/** `rowmill schema`: the schema with which editors complete job files. */
export async function schema(): Promise<number> {
  printForPrograms(JSON.stringify(makeEditorSchema(), null, 2));
  return EXIT.done;
}
