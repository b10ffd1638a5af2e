// One embedded database in a thread of its own, on a Unix socket: as the service runs it, but in memory.
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const { socket, template } = workerData;
const db = await PGlite.create(template ? { loadDataDir: new Blob([await readFile(template)]) } : {});
// More than one connection may exist (a test looks on), but they must not be used at the same time.
const server = new PGLiteSocketServer({ db, path: socket, maxConnections: 8 });
await server.start();

parentPort.on('message', async () => {
  const dump = await db.dumpDataDir('none');
  parentPort.postMessage({ dump: new Uint8Array(await dump.arrayBuffer()) });
});
parentPort.postMessage({ ready: true });
