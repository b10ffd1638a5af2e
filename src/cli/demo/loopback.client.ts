import { lookup } from 'node:dns';
import { Agent, request } from 'undici';
import type { Answer } from './stage.js';

const LONGEST_MS = 20_000;

/** HTTP on this machine. Every name means this machine, as those below `localhost` do (RFC 6761 section 6.3). */
export class LoopbackClient {
  private readonly agent = new Agent({
    // No connection is kept: servers are stopped and started on the way.
    pipelining: 0,
    headersTimeout: LONGEST_MS,
    bodyTimeout: LONGEST_MS,
    connect: { lookup: (_name, options, callback) => lookup('127.0.0.1', options, callback) },
  });

  async send(method: string, url: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
    const answer = await request(url, {
      method,
      headers,
      dispatcher: this.agent,
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: flat(answer.headers), body: parsed(text) };
  }

  /** Whatever it is, as bytes. */
  async download(url: string, headers: Record<string, string>): Promise<{ status: number; bytes: Uint8Array }> {
    const answer = await request(url, { headers, dispatcher: this.agent });
    return { status: answer.statusCode, bytes: new Uint8Array(await answer.body.arrayBuffer()) };
  }

  /** Throws when there is no JSON to be had. */
  async json(url: string): Promise<unknown> {
    const { status, body } = await this.send('GET', url);
    if (status !== 200 || typeof body === 'string') throw new Error(`${url} answered ${status}`);
    return body;
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

const flat = (headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
