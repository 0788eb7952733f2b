// Scrapes the pods of this node that ask for it by annotations, periodically and within bounds of time and size.
import http from "node:http";
import type { Pod } from "../../api/core/pods.ts";
import { timestamp } from "../../api/meta.ts";
import type { ScrapedPod, ScrapedText } from "../../api/metrics/values.ts";
import type { Lister } from "../../machinery/view.ts";
import type { World } from "../../machinery/world.ts";
import { parseExposition } from "./exposition.ts";
import { type Scrape, seriesOf } from "./series.ts";

const periodMs = 5_000;
const timeoutMs = 2_000;
const maxBytes = 1024 * 1024;
/** Of scrapes at the same time. */
const concurrency = 8;

/** Where a pod exposes its metrics. */
export interface ScrapeTarget {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

const annotated = ({ metadata }: Pod, name: string): string | undefined =>
  metadata.annotations?.[`prometheus.io/${name}`];

/**
 * The target in the annotations of a running pod: `prometheus.io/scrape: "true"`, `prometheus.io/port`, by default the
 * first declared port, and `prometheus.io/path`, by default `/metrics`.
 */
export function scrapeTarget(pod: Pod): ScrapeTarget | undefined {
  const { podIP: host, phase } = pod.status ?? {};
  if (
    annotated(pod, "scrape") !== "true" ||
    phase !== "Running" ||
    !host ||
    pod.metadata.deletionTimestamp !== undefined
  )
    return undefined;
  const declared = pod.spec.containers.flatMap((c) => c.ports ?? []).find((p) => (p.protocol ?? "TCP") === "TCP");
  const text = annotated(pod, "port");
  const port = text === undefined ? declared?.containerPort : /^\d{1,5}$/.test(text) ? Number(text) : undefined;
  if (port === undefined || port < 1 || port > 65_535) return undefined;
  const path = annotated(pod, "path") ?? "/metrics";
  return { host, port, path: path.startsWith("/") ? path : `/${path}` };
}

/** The text at a target. Redirects are not followed: they could lead to another host. */
export function scrapeText({ host, port, path }: ScrapeTarget, signal: AbortSignal): Promise<string> {
  const headers = { accept: "text/plain;version=0.0.4", "user-agent": "kubelet", connection: "close" };
  return new Promise((resolve, reject) => {
    const request = http.get({ host, port, path, headers, signal, agent: false }, (response) => {
      response.once("error", reject);
      if (response.statusCode !== 200) {
        response.destroy();
        return reject(new Error(`the status is ${response.statusCode}`));
      }
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > maxBytes) response.destroy(new Error(`there are more than ${maxBytes} bytes`));
      });
      response.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
    request.once("error", reject);
  });
}

/** The latest scrapes of the pods of a node. */
export interface PodMetrics {
  latest(): readonly ScrapedPod[];
  /** What they exposed, all series included. */
  texts(): readonly ScrapedText[];
  run(signal: AbortSignal): Promise<void>;
}

/** Scrapes all targets, a few at a time. A failed scrape removes the pod's series, and is served as an error. */
export function podMetrics(pods: Pick<Lister<Pod>, "all">, { clock }: World): PodMetrics {
  let scrapes: ReadonlyMap<string, Scrape> = new Map();
  let latest: readonly ScrapedPod[] = [];
  let texts: readonly (Omit<ScrapedText, "ageMs"> & { readonly at: number })[] = [];

  const scrape = async (target: ScrapeTarget, signal: AbortSignal): Promise<string> => {
    const late = AbortSignal.timeout(timeoutMs);
    return scrapeText(target, AbortSignal.any([signal, late])).catch((e: unknown) => {
      throw late.aborted ? new Error(`no response within ${timeoutMs} ms`) : e;
    });
  };
  const scrapeAll = async (signal: AbortSignal): Promise<void> => {
    const waiting = pods.all().flatMap((pod) => {
      const target = scrapeTarget(pod);
      return target ? [{ pod, target }] : [];
    });
    const [next, results, exposed] = [new Map<string, Scrape>(), [] as ScrapedPod[], [] as (typeof texts)[number][]];
    const work = async (): Promise<void> => {
      for (let job = waiting.pop(); job; job = waiting.pop()) {
        const { namespace = "", name, uid } = job.pod.metadata;
        const began = clock.now();
        const common = { pod: { namespace, name, uid }, timestamp: timestamp(began) };
        const about = { pod: common.pod, instance: `${job.target.host}:${job.target.port}`, at: began };
        try {
          const text = await scrape(job.target, signal);
          const current = { at: clock.now(), samples: parseExposition(text) };
          exposed.push({ ...about, tookMs: current.at - began, text });
          next.set(uid, current);
          results.push({ ...common, series: seriesOf(scrapes.get(uid), current) });
        } catch (e) {
          exposed.push({ ...about, tookMs: clock.now() - began });
          results.push({ ...common, series: [], error: (e as Error).message });
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    [scrapes, latest, texts] = [next, results, exposed];
  };
  return {
    latest: () => latest,
    texts: () => texts.map(({ at, ...scraped }) => ({ ...scraped, ageMs: clock.now() - at })),
    async run(signal) {
      while (!signal.aborted) {
        await scrapeAll(signal);
        await clock.sleep(periodMs, signal).catch(() => {});
      }
    },
  };
}
