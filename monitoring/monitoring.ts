// Metrics of the cluster over time: one control plane, which holds a lease, scrapes, stores and evaluates rules; each
// serves requests, and passes them on to that one.
import type { ServiceMetrics } from "../api/explanation/monitoring.ts";
import { configMaps } from "../api/core/configmaps.ts";
import type { ConfigMap } from "../api/generated/types.ts";
import { revision } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { eventRecorder } from "../machinery/events.ts";
import { informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import { type HttpReply, type HttpRequest, replyFailure } from "./http/exchange.ts";
import { isPrometheusPath, servePrometheus, type Shown } from "./http/prometheus-api.ts";
import { serveSummary, summarisedService } from "./http/service-api.ts";
import { withoutPods } from "./http/summary.ts";
import { alertEvents } from "./rules/alert-events.ts";
import { builtInRules } from "./rules/built-in.ts";
import { ruleEvaluator, type RuleFile } from "./rules/evaluator.ts";
import { BadRules, parseRules } from "./rules/rule-file.ts";
import { clusterViews } from "./scrape/cluster-views.ts";
import { metricTypes } from "./scrape/metric-types.ts";
import { type ReadNode, scraper } from "./scrape/scraper.ts";
import { defaultLimits, metricStore } from "./store/store.ts";

export interface MonitoringOptions {
  /** Where metrics are stored. It belongs to this process. */
  readonly folder: string;
  readonly retentionMs: number;
  readonly scrapeIntervalMs: number;
}
/** What monitoring needs of the API server. */
export interface MonitoringPorts<R extends HttpRequest> {
  readonly readNode: ReadNode;
  /** Sends a request to the control plane that holds a lease. */
  readonly toLeader: (lease: string, request: R) => Promise<HttpReply>;
  /** Whether the user of a request may list the pods of a namespace. */
  readonly mayListPods: (request: R, namespace: string) => Promise<boolean>;
}
export interface Monitoring<R extends HttpRequest> {
  /** The reply to a request of the monitoring API; undefined for every other. */
  serve(request: R): Promise<HttpReply | undefined>;
  /** Scrapes and evaluates rules until the signal aborts. */
  lead(client: Client, world: World, signal: AbortSignal): Promise<void>;
}

/** The name of the lease, and of the component. */
export const monitoringComponent = "orrery-monitoring";
/** ConfigMaps of kube-system with this label are files of rules. */
const rulesSelection = { namespace: "kube-system", labelSelector: "orrery.dev/metric-rules=true" };
const maintenanceMs = 60_000;

/** The rule files of ConfigMaps. A file with a mistake is reported on its ConfigMap, and left out. */
function ruleFiles(
  client: Client,
  world: World,
  intervalMs: number,
  report: (map: ConfigMap, problem: string) => void,
) {
  const maps = informer(client, configMaps, world, { selection: rulesSelection });
  const builtIn: RuleFile = { file: "built-in", groups: parseRules(builtInRules, intervalMs) };
  let files: readonly RuleFile[] | undefined;
  maps.onChange(() => {
    files = undefined;
  });
  const filesIn = (map: ConfigMap): readonly RuleFile[] =>
    Object.entries(map.data ?? {}).flatMap(([name, text]) => {
      try {
        return [{ file: `${map.metadata.name}/${name}`, groups: parseRules(text, intervalMs) }];
      } catch (e) {
        if (!(e instanceof BadRules)) throw e;
        report(map, `${name}: ${e.message}`);
        return [];
      }
    });
  return {
    maps,
    current: (): readonly RuleFile[] => {
      files ??= [builtIn, ...maps.lister.all().flatMap(filesIn)];
      return files;
    },
  };
}

/** Nothing runs before `lead`. */
export function monitoring<R extends HttpRequest>(
  { folder, retentionMs, scrapeIntervalMs }: MonitoringOptions,
  { readNode, toLeader, mayListPods }: MonitoringPorts<R>,
): Monitoring<R> {
  let shown: Shown | undefined;
  const local = async (request: R): Promise<HttpReply> => {
    if (!shown)
      return toLeader(monitoringComponent, request).catch((e: Error) => replyFailure("unavailable", e.message));
    return isPrometheusPath(request.path) ? servePrometheus(shown, request) : serveSummary(shown, request);
  };
  return {
    async serve(request) {
      if (isPrometheusPath(request.path)) return local(request);
      const service = summarisedService(request.path);
      if (!service) return undefined;
      const reply = await local(request);
      if (reply.status !== 200 || (await mayListPods(request, service.namespace))) return reply;
      return { ...reply, body: JSON.stringify(withoutPods(JSON.parse(String(reply.body)) as ServiceMetrics)) };
    },
    async lead(client, world, signal) {
      const { clock, log } = world;
      const store = metricStore(folder, { ...defaultLimits, retentionMs }, log);
      const types = metricTypes();
      const views = clusterViews(client, world);
      const events = eventRecorder(client, world, { component: monitoringComponent });
      const files = ruleFiles(client, world, scrapeIntervalMs, (map, problem) => {
        log("a file of rules has a mistake", { configMap: map.metadata.name, problem });
        events.record(map, "Warning", "InvalidRules", problem);
      });
      const scrapes = scraper({ views, store, types, readNode, world, timeoutMs: scrapeIntervalMs });
      const rules = ruleEvaluator(store, alertEvents(views, events), world);
      const followed = [...Object.values(views), files.maps];
      const running = followed.map((view) => view.run(signal));
      try {
        await Promise.all(followed.map((view) => view.caughtUp(revision(0), signal)));
        shown = {
          store,
          types,
          targets: scrapes.targets,
          rules: rules.state,
          now: () => clock.now(),
          scrapeIntervalMs,
        };
        let maintainedAt = clock.now();
        while (!signal.aborted) {
          const began = clock.now();
          await scrapes.scrape(signal);
          if (signal.aborted) break;
          await rules.evaluate(files.current(), clock.now());
          if (began - maintainedAt >= maintenanceMs) {
            maintainedAt = began;
            await store.maintain(began);
          }
          await clock.sleep(Math.max(0, began + scrapeIntervalMs - clock.now()), signal).catch(() => {});
        }
      } catch (e) {
        if (!signal.aborted) throw e;
      } finally {
        shown = undefined;
        await Promise.allSettled(running);
        store.close();
      }
    },
  };
}
