import type { Fault, FaultCode } from '../kernel/fault.js';
import { detailOf } from './problem.js';

/** RFC 7644 section 3.1, and of all that is below it */
export const SCIM_TYPE = 'application/scim+json';

/** RFC 7644 section 3.12, table 9 */
const TYPES: Partial<Record<FaultCode, string>> = {
  'scim.filter': 'invalidFilter',
  'scim.value': 'invalidValue',
  'scim.too-many': 'tooMany',
  'scim.path': 'invalidPath',
  'scim.no-target': 'noTarget',
  'scim.mutability': 'mutability',
  'scim.taken': 'uniqueness',
  'scim.too-much': 'tooMany',
  'scim.nobody-asks': 'invalidValue',
  'address.malformed': 'invalidValue',
  'client.exists': 'uniqueness',
  'group.address-taken': 'uniqueness',
  'body.malformed': 'invalidSyntax',
  'body.too-deep': 'invalidSyntax',
  'request.malformed': 'invalidSyntax',
};

/** For clients of SCIM. RFC 7644 section 3.12 */
export function scimError(fault: Fault): object {
  const scimType = TYPES[fault.code];
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(fault.status),
    ...(scimType && { scimType }),
    detail: detailOf(fault),
  };
}
