import { EXIT } from '../../core/errors.ts';
import { makeJobSchema } from '../../input/job/job-schema.ts';
import { print } from '../say.ts';

/** `rowmill schema`: what editors complete job files from. */
export async function schema(): Promise<number> {
  print(JSON.stringify(makeJobSchema(), null, 2));
  return EXIT.done;
}
