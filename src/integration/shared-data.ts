import { z } from 'zod';
import { withoutSecrets } from '../ocm/share-protocol.js';

const MOST_ENTRIES = 20;
export const line = z.string().min(1).max(2000);
export const timestamp = z.number().int().nonnegative().max(253_402_300_799);
const words = z.array(line).max(20);

/** The protocol entries of a share; those that are not known here are kept as they are, but for secrets. */
const entries = <T extends z.ZodType>(webdav: T) =>
  z
    .unknown()
    .transform(withoutSecrets)
    .pipe(
      z
        .looseObject({ webdav: webdav.optional() })
        .refine((all) => Object.keys(all).length <= MOST_ENTRIES, 'too many entries'),
    );

const webdav = z.object({ uri: line, permissions: words, requirements: words.optional() });

/** As a token or an answer about one has it. Unknown members are ignored. OCM-IP, The ocm_ip Claim */
export const sharedData = z.object({
  providerId: line,
  resourceType: line,
  shareType: line.optional(),
  name: line.optional(),
  expiration: timestamp.optional(),
  protocol: entries(webdav),
});

/** What a share is, wherever it was learnt from. */
export type SharedData = z.output<typeof sharedData>;

/** As a provisioned share has it: the protocol server may be the one that chooses `uri`. Least rights when none are named. */
export const intendedProtocol = entries(
  z.object({ uri: line.optional(), permissions: words.default(['read']), requirements: words.optional() }),
);
export type IntendedProtocol = z.output<typeof intendedProtocol>;

/** The same once `uri` is known. */
export const settledProtocol = entries(webdav);
