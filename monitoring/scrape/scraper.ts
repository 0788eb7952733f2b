// Scrapes all nodes periodically: the programs in their pods, the usage of containers, the traffic of services. The
// kubelets have the programs' texts already, since autoscalers need them.
import type { ScrapedText } from "../../api/metrics/values.ts";
import type { World } from "../../machinery/world.ts";
import type { MetricStore } from "../store/store.ts";
import { emitClusterState, sampler } from "./cluster-state.ts";
import type { ClusterViews } from "./cluster-views.ts";
import type { MetricTypes } from "./metric-types.ts";
import { type Target, target } from "./target.ts";

/** Reads a document of a kubelet. */
export type ReadNode = (node: string, path: string, signal: AbortSignal) => Promise<string>;

/** A scraped target, as it is listed. */
export interface TargetState {
  readonly job: string;
  readonly instance: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly url: string;
  readonly lastScrape: number;
  readonly seconds: number;
  readonly error: string | undefined;
}

export interface Scraper {
  scrape(signal: AbortSignal): Promise<void>;
  targets(): readonly TargetState[];
}

interface Scraped {
  readonly target: Target;
  state: TargetState;
  /** The round that saw it last. */
  round: number;
}
interface About {
  readonly job: string;
  readonly instance: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly url: string;
  readonly honoursLabels?: boolean;
}
interface Outcome {
  readonly time: number;
  readonly seconds: number;
  readonly text: string | undefined;
  readonly error?: string;
}

/** Of nodes at the same time. */
const concurrency = 16;
/** Documents of a node, beside the texts of its pods. */
const documents = [
  { job: "kubelet", path: "/metrics/resource" },
  { job: "service-proxy", path: "/metrics/services" },
];

export interface ScraperPorts {
  readonly views: ClusterViews;
  readonly store: MetricStore;
  readonly types: MetricTypes;
  readonly readNode: ReadNode;
  readonly world: World;
  readonly timeoutMs: number;
}

export function scraper({ views, store, types, readNode, world, timeoutMs }: ScraperPorts): Scraper {
  const { clock } = world;
  const scraped = new Map<string, Scraped>();
  const sampleState = sampler(store, "kube-state-metrics");
  let round = 0;

  const record = ({ honoursLabels = false, ...about }: About, { time, seconds, text, error }: Outcome): void => {
    const { job, instance, labels, url } = about;
    const one = scraped.getOrInsertComputed(`${job} ${url}`, () => {
      const pairs = Object.entries({ ...labels, job, instance });
      return { target: target(store, types, pairs, honoursLabels), state: {} as TargetState, round };
    });
    one.round = round;
    let [samples, problem] = [0, error];
    try {
      samples = one.target.add(text ?? "", time);
    } catch (e) {
      problem = (e as Error).message;
      one.target.add("", time);
    }
    const up = Number(problem === undefined);
    const own = { up, scrape_duration_seconds: seconds, scrape_samples_scraped: samples };
    one.target.addOwn(Object.entries(own), time);
    one.state = { job, instance, labels, url, lastScrape: time, seconds, error: problem };
  };

  const scrapePods = async (node: string, signal: AbortSignal): Promise<void> => {
    const { items } = JSON.parse(await readNode(node, "/metrics/pods/text", signal)) as {
      items: readonly ScrapedText[];
    };
    const now = clock.now();
    for (const { pod, instance, ageMs, tookMs, text } of items) {
      const labels = { namespace: pod.namespace, pod: pod.name, node };
      record(
        { job: "kubernetes-pods", instance, labels, url: `http://${instance}` },
        {
          time: now - ageMs,
          seconds: tookMs / 1000,
          text,
          ...(text === undefined && { error: "the kubelet could not read its metrics" }),
        },
      );
      // The texts of a node are up to megabytes; other requests are served between them.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const scrapeNode = async (node: string, signal: AbortSignal): Promise<void> => {
    for (const { job, path } of documents) {
      const began = clock.now();
      const about = { job, instance: node, labels: { node }, url: `https://${node}${path}`, honoursLabels: true };
      const outcome = await readNode(node, path, signal).then(
        (text) => ({ text }),
        (e: unknown) => ({ text: undefined, error: (e as Error).message }),
      );
      record(about, { ...outcome, time: clock.now(), seconds: (clock.now() - began) / 1000 });
    }
    await scrapePods(node, signal).catch((e: unknown) =>
      world.log("the metrics of the pods of a node cannot be read", { node, error: (e as Error).message }),
    );
  };
  const endMissing = (): void => {
    for (const [key, one] of scraped) {
      if (one.round === round) continue;
      scraped.delete(key);
      one.target.end(clock.now());
    }
  };
  return {
    async scrape(signal) {
      round++;
      sampleState(clock.now(), (emit) => emitClusterState(views, emit));
      const waiting = views.nodes.lister.all().map(({ metadata }) => metadata.name);
      const late = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const work = async (): Promise<void> => {
        for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) await scrapeNode(node, late);
      };
      await Promise.all(Array.from({ length: concurrency }, work));
      if (!signal.aborted) endMissing();
    },
    targets: () => [...scraped.values()].map(({ state }) => state),
  };
}
