import { Fault } from '../kernel/fault.js';
import { isCurrent } from '../membership/etag.js';
import type { JsonObject } from './schema.js';

/** Under which circumstances a client wants a resource to be changed. */
export interface Precondition {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** The ETag of a whole resource. */
export const versionOf = (resource: JsonObject): string => (resource['meta'] as { readonly version: string }).version;

/** As it is compared: all of ours are weak, and SCIM compares such. RFC 7644 section 3.14 */
export const opaque = (version: string): string => version.replace(/^W\//, '');

/** Throws `scim.version` when the resource is not the one that the client means. RFC 9110 sections 13.1.1, 13.1.2 */
export function assertMeant(resource: JsonObject, { ifMatch, ifNoneMatch }: Precondition): void {
  const version = versionOf(resource);
  const isMeant = ifMatch === undefined || isCurrent(ifMatch, opaque(version));
  if (!isMeant || isCurrent(ifNoneMatch, opaque(version))) throw new Fault('scim.version', { version });
}
