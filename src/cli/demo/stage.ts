import type { Host, OcmAddress } from '../../kernel/address.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON as a value, anything else as text. */
  readonly body: unknown;
}

/** One Covey, as its own EFSS sees it. */
export interface Server {
  readonly name: string;
  readonly domain: Host;
  readonly url: string;
  /** A user of this server. */
  user(identifier: string): OcmAddress;
  get(path: string): Promise<Answer>;
  post(path: string, body?: object): Promise<Answer>;
  delete(path: string): Promise<Answer>;
}

/** What the protocol server decided about one request. */
export interface Decision {
  readonly method: string;
  readonly code: string;
  readonly issuer?: string;
  readonly group?: string;
  readonly recipient?: string;
  readonly members?: readonly string[];
  readonly epoch?: number;
}

/** The third party that serves the file. */
export interface FileServer {
  /** Where the file is. */
  readonly file: string;
  readonly content: string;
  /** Where a file is that it cannot read. */
  readonly sealed: string;
  /** Takes that file, in the stead of what it had, and says how long it is. */
  store(chunks: AsyncIterable<Uint8Array>): Promise<number>;
  /** That file as it lies there, for whoever stored it. */
  stored(): AsyncIterable<Uint8Array>;
  download(token: string): Promise<{ readonly status: number; readonly bytes: Uint8Array }>;
  /** A request for the file, with this text behind "Bearer " or without credentials. */
  request(method: 'GET' | 'PROPFIND', token?: string): Promise<Answer>;
  /** What it said to the last request. */
  lastDecision(): Decision | undefined;
}

export interface Stage {
  readonly alpha: Server;
  readonly beta: Server;
  readonly gamma: Server;
  readonly files: FileServer;
  /**
   * A copy of gamma as it was when this was first asked for: its disk and its keys, on another port. Other servers do not
   * know of it, so it hears of nothing that happens afterwards.
   */
  copyOfGamma(): Promise<Server>;
  /** Asks again and again until the probe gives something. Throws `Unfulfilled`, with `what`, when it takes too long. */
  until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T>;
  /** What one act leaves for the next. */
  readonly notes: Map<string, string>;
}
