import { EXIT } from '../../core/errors.ts';
import { makeEditorSchema } from '../../input/job/schema-examples.ts';
import { print } from '../say.ts';

/** `rowmill schema`: the schema with which editors complete job files. */
export async function schema(): Promise<number> {
  print(JSON.stringify(makeEditorSchema(), null, 2));
  return EXIT.done;
}
