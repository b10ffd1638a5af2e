import { z } from 'zod';
import { accepts, demandsTokenExchange, type Discovery, exchangesTokens, federates } from '../ocm/discovery.js';
import type { Requirement } from '../ocm/share-protocol.js';
import type { Resource } from './share.js';

/** What stands in the notice for one server. */
export interface Sending {
  readonly kind: 'send';
  readonly uri: string;
  readonly requirements: readonly Requirement[];
  /** The providerId under which protocol servers know the share. */
  readonly provisionedAs?: string;
}

export type Terms =
  | Sending
  | { readonly kind: 'unsupported'; readonly why: 'federation' | 'resource-type' | 'uri-form' | 'token-exchange' };

/** Older servers lack the property, and the example of OCM-MLS has it empty. */
const receives = z.object({ uri: z.enum(['absolute', 'relative']).optional() });

/**
 * On which terms one member server gets a share, from its own discovery document (OCM-MLS R-206, OCM core section 5.1).
 * Who can exchange tokens must: our tokens carry the share data themselves, and the secret opens nothing by itself
 * (OCM-IP, Integration Modes). A server that cannot is not asked to, unless it asks for it itself.
 */
export function shareTerms(peer: Discovery, resource: Resource, webdavRoot: string): Terms {
  if (!federates(peer)) return { kind: 'unsupported', why: 'federation' };
  if (!accepts(peer, resource.type, 'federation', 'webdav')) return { kind: 'unsupported', why: 'resource-type' };
  const uri = formOf(peer, resource, webdavRoot);
  if (uri === undefined) return { kind: 'unsupported', why: 'uri-form' };
  const exchange = exchangesTokens(peer) || demandsTokenExchange(peer);
  return { kind: 'send', uri, requirements: exchange ? ['must-exchange-token'] : [] };
}

/** The URI in the form that the server takes, as far as it can be written that way. OCM core section 3.3 */
function formOf(peer: Discovery, { type, uri }: Resource, webdavRoot: string): string | undefined {
  const { protocols } = peer.resourceTypes.find(({ name }) => name === type)!;
  const form = receives.safeParse(protocols['webdav-receive']).data?.uri;
  if (form === 'absolute') return new URL(uri, webdavRoot).href;
  if (form === undefined || !URL.canParse(uri)) return uri;
  return uri.startsWith(webdavRoot) ? uri.slice(webdavRoot.length) : undefined;
}
