// The embedded database: PGlite in a thread of its own, so that a long statement does not hold up the event loop,
// behind a Unix socket, so that the ordinary PostgreSQL driver talks to it. Plain JavaScript, since a thread starts from
// a file and that file must be the same for the built service and for tests.
import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const { folder, socket } = workerData;
const db = await PGlite.create(folder);

// When the engine itself fails (not a statement), the socket's queue stays busy for ever: whoever started this thread
// must start another one.
const stream = db.execProtocolRawStream.bind(db);
db.execProtocolRawStream = async (...args) => {
  try {
    return await stream(...args);
  } catch (error) {
    parentPort.postMessage({ kind: 'broken', message: String(error) });
    throw error;
  }
};

rmSync(socket, { force: true });
// One connection works at a time; others exist for moments only, while a lost one is being replaced.
const server = new PGLiteSocketServer({ db, path: socket, maxConnections: 4 });
await server.start();

parentPort.on('message', async (message) => {
  if (message === 'break') db.execProtocolRawStream = breakOnce(db.execProtocolRawStream);
  if (message === 'stop') {
    await server.stop();
    await db.close();
    parentPort.postMessage({ kind: 'stopped' });
  }
});
parentPort.postMessage({ kind: 'ready' });

/** For the test that shows the restart: the next statement fails as the engine would. */
function breakOnce(next) {
  return async () => {
    db.execProtocolRawStream = next;
    parentPort.postMessage({ kind: 'broken', message: 'asked to break' });
    throw new Error('asked to break');
  };
}
