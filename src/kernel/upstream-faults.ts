import type { FaultKind } from './group-faults.js';

/** The part of the catalogue that is about the file platform behind this server. */
export const UPSTREAM_FAULTS = {
  'upstream.unreachable': { status: 502, retry: true, says: 'the file platform behind this server cannot be reached' },
  'upstream.timeout': { status: 504, retry: true, says: 'the file platform behind this server did not answer in time' },
  'upstream.malformed': { status: 502, retry: true, says: 'the file platform says of itself what cannot be used' },
  'upstream.loop': { status: 508, retry: false, says: 'the request came back: the file platform passes it on to here' },
  'handover.malformed': { status: 400, retry: false, says: 'that is not a request as another server made it' },
  'handover.stopping': { status: 503, retry: true, says: 'this process stops and takes nothing over any more' },
} as const satisfies Record<string, FaultKind>;
