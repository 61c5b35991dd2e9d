/** What several routes are asked with. */
import { z } from 'zod';
import { wholeNumber } from '../whole-number';
import { idSchema } from './protocol';

export const idParams = z.object({ id: idSchema });

/** ISO 8601 with a zone, or milliseconds since 1970. */
export const moment = z
  .union([
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z
      .string()
      .regex(/^\d{1,14}$/)
      .transform(wholeNumber),
  ])
  .meta({ description: 'ISO 8601 with a zone, or milliseconds since 1970.' });

export const pageOf = (limit: { readonly most: number; readonly usual: number }) => ({
  limit: z.coerce.number().int().min(1).max(limit.most).default(limit.usual),
  page: z.string().max(10_000).optional().meta({ description: '`next_page` of the page before.' }),
});
