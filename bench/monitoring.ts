// Metrics over time: what it costs to add the samples of many pods, how many bytes they take, and how long queries take.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rangeQuery } from "../monitoring/promql/query.ts";
import { metricTypes } from "../monitoring/scrape/metric-types.ts";
import { target } from "../monitoring/scrape/target.ts";
import { defaultLimits, metricStore } from "../monitoring/store/store.ts";
import { report } from "./report.ts";

const [podCount, seriesCount] = [1_000, 200];
const [scrapes, intervalMs] = [Number(process.argv[2] ?? 20), 15_000];
const start = 1_700_000_000_000;
const folder = mkdtempSync(join(tmpdir(), "orrery-bench-"));

const cpuMs = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};
const heapMb = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1024 ** 2;
};

/** A program's text: half of it counters that grow, a quarter gauges, a quarter values that stay. */
function exposition(pod: number, scrape: number): string {
  const lines = Array.from({ length: seriesCount }, (_, i) => {
    const value =
      i % 4 < 2
        ? scrape * (10 + (i % 50)) + ((pod + i * scrape) % 7)
        : i % 4 === 2
          ? ((pod * 31 + scrape * 17 + i) % 1000) / 10
          : i;
    return `metric_${i % 40}${i % 4 < 2 ? "_total" : ""}{path="/p/${Math.floor(i / 40)}",code="200"} ${value}`;
  });
  return lines.join("\n");
}

const store = metricStore(folder, { ...defaultLimits, blockMs: 3_600_000 }, () => {});
const types = metricTypes();
const targets = Array.from({ length: podCount }, (_, i) =>
  target(store, types, [
    ...([
      ["namespace", "default"],
      ["pod", `web-${i}`],
      ["node", `n${i % 10}`],
      ["job", "kubernetes-pods"],
    ] as const),
    ["instance", `10.0.${i >> 8}.${i & 255}:80`],
  ]),
);
const memoryBefore = heapMb();
let [first, later] = [0, 0];
for (let scrape = 0; scrape < scrapes; scrape++) {
  const texts = targets.map((_, pod) => exposition(pod, scrape));
  const before = process.cpuUsage();
  for (const [pod, one] of targets.entries()) one.add(texts[pod]!, start + scrape * intervalMs + pod);
  if (scrape === 0) first = cpuMs(before);
  else later += cpuMs(before);
}
const perScrape = later / (scrapes - 1);
const { openBytes, series } = store.size();
const samples = series * scrapes;
const memory = heapMb() - memoryBefore;
console.log(
  `${podCount} pods x ${seriesCount} series, ${scrapes} scrapes; the first took ${first.toFixed(0)} ms of CPU`,
);
report({ what: "a scrape of all pods, in CPU time", value: perScrape, unit: "ms", budget: { atMost: 1_500 } });
const bytes = openBytes / samples;
report({ what: "a thousand samples in open chunks", value: bytes, unit: "KB", budget: { atMost: 5 } });
report({ what: "memory of all", value: memory, unit: "MB", budget: { atMost: 700 } });

const end = start + (scrapes - 1) * intervalMs;
async function measure(query: string): Promise<number> {
  const before = process.cpuUsage();
  const range = { start: Math.max(start, end - 3_600_000), end, stepMs: intervalMs };
  await rangeQuery(query, range, { select: store.select });
  return cpuMs(before);
}
const queries = [
  'rate(metric_0_total{path="/p/0"}[5m])',
  "sum by (node) (rate(metric_0_total[5m]))",
  'topk(5, rate(metric_0_total{path="/p/0"}[5m]))',
  'metric_0_total{pod="web-7"}',
];
for (const query of queries) {
  await measure(query);
  report({
    what: query,
    value: await measure(query),
    unit: "ms",
    budget: { atMost: query.startsWith("sum") ? 300 : 100 },
  });
}
const cut = process.cpuUsage();
await store.maintain(start + 3_600_000 + 1);
console.log(`a block of ${(store.size().diskBytes / 1024 ** 2).toFixed(1)} MB: ${cpuMs(cut).toFixed(0)} ms of CPU`);
store.close();
const opened = process.cpuUsage();
const again = metricStore(folder, defaultLimits, () => {});
console.log(`opened again in ${cpuMs(opened).toFixed(0)} ms of CPU, ${again.size().series} series`);
again.close();
rmSync(folder, { recursive: true });
