import { Fault } from '../kernel/fault.js';

/** A request as the outermost server of ours saw it; `host` may come from a proxy, if that one is trusted. */
interface Arrival {
  readonly host: string;
  /** Path and query, as in the request line. */
  readonly url: string;
}

/**
 * The public absolute URI of a request, which its signer signed. OCM core section "Signing Requirements"
 * Throws `request.misdirected` when the request was not made to our public host: else a request signed for one server
 * could be shown to another that shares the address.
 */
export function publicTarget(publicUrl: string, { host, url }: Arrival): string {
  const { protocol, host: ours } = new URL(publicUrl);
  // A URL would take what stands before an "@" for credentials.
  const asked = host.includes('@') ? '' : `${protocol}//${host}`;
  if (!url.startsWith('/') || !URL.canParse(asked) || new URL(asked).host !== ours) {
    throw new Fault('request.misdirected', { host: host.slice(0, 300) });
  }
  return publicUrl + url;
}
