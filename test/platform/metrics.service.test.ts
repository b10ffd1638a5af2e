import { expect, test } from 'vitest';
import { Metrics } from '../../src/platform/metrics.service.js';

test('what is counted can be read in the format of Prometheus', async () => {
  const metrics = new Metrics();
  metrics.requestAnswered('GET', '/.well-known/ocm', 200, 0.003);
  metrics.signatureJudged('ok');
  metrics.commitJudged('accept');
  metrics.commitAccepted(2);
  metrics.letterSettled('delivered');
  metrics.keyPackageStock('single-use', 40);
  metrics.tokenAnswered('issued');
  metrics.commitLog({ commits: 12, bytes: 8192, pruned: 3 });
  const text = await metrics.text();
  expect(text).toContain('covey_http_request_seconds_count{method="GET",route="/.well-known/ocm",status="200"} 1');
  expect(text).toContain('covey_signature_verifications_total{outcome="ok"} 1');
  expect(text).toContain('covey_commits_total{verdict="accept"} 1');
  expect(text).toContain('covey_commit_seconds_count 1');
  expect(text).toContain('covey_letters_total{outcome="delivered"} 1');
  expect(text).toContain('covey_key_packages{kind="single-use"} 40');
  expect(text).toContain('covey_tokens_total{outcome="issued"} 1');
  expect(text).toMatch(/covey_commit_log_commits 12[^]*covey_commit_log_bytes 8192[^]*covey_commit_log_pruned_total 3/);
});

test('a peer without letters is no longer shown', async () => {
  const metrics = new Metrics();
  metrics.outbox([{ peer: 'b.test', letters: 3, oldestSeconds: 60 }]);
  expect(await metrics.text()).toContain('covey_outbox_letters{peer="b.test"} 3');
  metrics.outbox([]);
  expect(await metrics.text()).not.toContain('b.test');
});

test('gauges are refreshed when they are read, and one that fails holds up none', async () => {
  const metrics = new Metrics();
  metrics.beforeReading(() => Promise.reject(new Error('no database')));
  metrics.beforeReading(async () => metrics.keyPackageStock('last-resort', 7));
  expect(await metrics.text()).toContain('covey_key_packages{kind="last-resort"} 7');
});
