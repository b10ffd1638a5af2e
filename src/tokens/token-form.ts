import { z } from 'zod';
import { type Host, host, type OcmAddress, ocmAddress } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';
import { oauthForm } from './oauth-form.js';

/** A token request. OCM core, Code Flow */
export interface TokenForm {
  readonly clientId: Host;
  readonly code: string;
  /** Ours: the one member of the asking server that the token shall be bound to. */
  readonly member?: OcmAddress;
}

const one = (longest: number) => z.string().min(1).max(longest);
const form = z.object({
  grant_type: one(100),
  client_id: one(300),
  code: one(512),
  member: one(512).optional(),
});

/** Throws `token.request-malformed`, or `token.grant-type` for any grant but `authorization_code`. */
export function tokenForm(contentType: string | undefined, body: unknown): TokenForm {
  const { grant_type: grantType, client_id: clientId, code, member } = oauthForm(form, contentType, body);
  if (grantType !== 'authorization_code') throw new Fault('token.grant-type', { grantType });
  try {
    return { clientId: host(clientId), code, ...(member === undefined ? {} : { member: ocmAddress(member) }) };
  } catch (cause) {
    throw new Fault('token.request-malformed', { fields: ['client_id', 'member'] }, cause);
  }
}
