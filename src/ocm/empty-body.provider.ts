import { subscribe } from 'node:diagnostics_channel';

/** Of these undici says by itself that there is no body. */
const SAID = new Set(['PUT', 'POST', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH']);

/** Signatures cover the length of an empty body; undici leaves it out of a GET and its kin, though HTTP allows it there. */
subscribe('undici:request:create', (message) => {
  const { request } = message as { request: { method: string; contentLength: number | null; headers: string[] } };
  if (!SAID.has(request.method) && request.contentLength === 0) request.headers.push('content-length', '0');
});
