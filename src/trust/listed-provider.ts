import { z } from 'zod';
import { host, type Host } from '../kernel/address.js';
import { Fault } from '../kernel/fault.js';

/** A provider that is on somebody's list. */
export interface ListedProvider {
  readonly host: Host;
  readonly name: string;
}

export interface ProviderList {
  readonly providers: readonly ListedProvider[];
  /** Entries that name no provider, or not as they must. */
  readonly skipped: number;
}

/** A list is read into memory by every process, and gone through by people. */
const MOST_PROVIDERS = 10_000;

const shown = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, 200);

function gathered(entries: readonly (ListedProvider | undefined)[]): ProviderList {
  const providers = entries.filter((entry) => entry !== undefined);
  return { providers, skipped: entries.length - providers.length };
}

function hostIn(text: string): Host | undefined {
  try {
    return host(text);
  } catch {
    return undefined;
  }
}

const service = z.object({ endpoint: z.object({ type: z.object({ name: z.string() }) }) });
const entry = z.object({
  name: z.string().optional(),
  full_name: z.string().optional(),
  domain: z.string(),
  services: z.array(z.unknown()).optional(),
});

/**
 * The file of providers that ScienceMesh and Reva use: an array of providers with `domain`, in older files as a URL, and
 * `services`, of which one must be of the type `OCM` where there are any. Throws `providers.malformed`.
 */
export function parseProvidersFile(body: unknown): ProviderList {
  const entries = z.array(z.unknown()).max(MOST_PROVIDERS).safeParse(body);
  if (!entries.success) throw new Fault('providers.malformed', { reason: 'not an array of providers' });
  const list = gathered(entries.data.map(fileEntry));
  // Of a file in which nothing is as it should be, it is likelier that it is another file.
  if (list.skipped > 0 && list.providers.length === 0)
    throw new Fault('providers.malformed', { reason: 'no provider' });
  return list;
}

function fileEntry(value: unknown): ListedProvider | undefined {
  const read = entry.safeParse(value);
  if (!read.success) return undefined;
  const { name, full_name: fullName, domain, services } = read.data;
  const speaksOcm = (one: unknown) => service.safeParse(one).data?.endpoint.type.name === 'OCM';
  if (services && !services.some(speaksOcm)) return undefined;
  const named = hostIn(domain.replace(/^https?:\/\//i, '').replace(/\/$/, ''));
  return named && { host: named, name: shown(fullName ?? name ?? named) };
}

const payload = z.object({
  federation: z.string().min(1).max(1_000),
  servers: z.array(z.unknown()).max(MOST_PROVIDERS),
  iat: z.number().optional(),
  exp: z.number().optional(),
});
const server = z.object({ url: z.string(), displayName: z.string() });

export interface DirectoryList extends ProviderList {
  readonly federation: string;
  /** When it was made and until when it is good, in seconds, where it says so. The draft knows neither. */
  readonly iat?: number;
  readonly exp?: number;
}

/**
 * What a Directory Service signed. OCM core, Appendix C. A server whose `url` is more than a scheme, a host and a port is
 * left out. Throws `directory.malformed`.
 */
export function parseDirectory(body: unknown, plainHttp: boolean): DirectoryList {
  const read = payload.safeParse(body);
  if (!read.success) throw new Fault('directory.malformed', { reason: 'not a list of servers' });
  const { federation, servers, iat, exp } = read.data;
  const list = gathered(servers.map((value) => directoryEntry(value, plainHttp)));
  return {
    ...list,
    federation: shown(federation),
    ...(iat === undefined ? {} : { iat }),
    ...(exp === undefined ? {} : { exp }),
  };
}

function directoryEntry(value: unknown, plainHttp: boolean): ListedProvider | undefined {
  const read = server.safeParse(value);
  if (!read.success) return undefined;
  const [, scheme, name] = /^(https?):\/\/([^/?#@\\\s]+)$/i.exec(read.data.url) ?? [];
  if (scheme === undefined || name === undefined) return undefined;
  if (scheme.toLowerCase() === 'http' && !plainHttp) return undefined;
  const named = hostIn(name);
  return named && { host: named, name: shown(read.data.displayName) };
}
