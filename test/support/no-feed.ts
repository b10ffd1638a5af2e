import type { FeedRecorder } from '../../src/feed/recorder.service.js';

/** For repositories that are used without a feed. */
export const NO_FEED = { record: () => Promise.resolve() } as unknown as FeedRecorder;
