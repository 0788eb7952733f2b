// Metrics of requests, under the names that Prometheus' dashboards and alerts for Kubernetes use.
import { Gauge, type Registry as MetricsRegistry } from "prom-client";
import { byLabels, counts, distributions, durationBounds, type Count } from "../../machinery/counters.ts";
import { version } from "../discovery/version.ts";

/** Labels of request metrics. */
export const about = ["verb", "group", "version", "resource", "subresource", "scope", "component"] as const;
export type About = Readonly<Record<(typeof about)[number], string>>;

/** What is counted of requests that ended alike. */
interface OutcomeMetrics {
  end(ms: number, bytes: number): void;
}
/** What is counted of watches of one kind. */
interface WatchEventMetrics {
  onChunk(bytes: number): void;
}

const powers = (base: number, factor: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => base * factor ** i);
/** From a thousand bytes to a thousand millions. */
const sizeBounds = powers(1000, 10, 7);
const eventSizeBounds = powers(1024, 2, 8);
/** Buckets for the SLI, which begins at 50 ms. */
const promisedBounds = durationBounds.filter((bound) => bound >= 0.05);

type OutcomeLabels = About & { readonly dry_run: string; readonly code: string };
/** The key of a set of labels. */
const placeOf = ({ verb, group, version, resource, subresource, scope }: About, dryRun: string, code: number): string =>
  `${verb}/${group}/${version}/${resource}/${subresource}/${scope}/${dryRun}/${code}`;

function outcomeMetrics(registry: MetricsRegistry): (about: About, dryRun: string, code: number) => OutcomeMetrics {
  const named = (name: string, help: string) => ({ name, help });
  const requests = counts(named("apiserver_request_total", "Requests answered, by what was asked and how."), registry);
  const histogram = (name: string, help: string, bounds: readonly number[]) =>
    distributions({ name, help, bounds }, registry);
  const took = "How long requests took, from their first byte to their last";
  const duration = histogram("apiserver_request_duration_seconds", `${took}.`, durationBounds);
  const promised = histogram(
    "apiserver_request_sli_duration_seconds",
    `${took}, as promises count it.`,
    promisedBounds,
  );
  const sizes = histogram("apiserver_response_sizes", "How large the answers are to those who read.", sizeBounds);
  const make = (labels: Readonly<Record<string, string>>): OutcomeMetrics => {
    const { code: _, dry_run, ...subject } = labels;
    const [count, elapsed] = [requests(labels), duration({ ...subject, dry_run: dry_run! })];
    const kept = dry_run === "" ? promised(subject) : undefined;
    const size = subject["verb"] === "GET" || subject["verb"] === "LIST" ? sizes(subject) : undefined;
    return {
      end(ms, bytes) {
        count.n++;
        elapsed.saw(ms / 1000);
        kept?.saw(ms / 1000);
        size?.saw(bytes);
      },
    };
  };
  const series = byLabels(make);
  return (about, dryRun, code) =>
    series.at(placeOf(about, dryRun, code), (): OutcomeLabels => ({ ...about, dry_run: dryRun, code: `${code}` }));
}

function watchEventMetrics(
  registry: MetricsRegistry,
): (labels: Pick<About, "group" | "version" | "resource">) => WatchEventMetrics {
  const total: (labels: Readonly<Record<string, string>>) => Count = counts(
    { name: "apiserver_watch_events_total", help: "Events told to watchers." },
    registry,
  );
  const sizes = distributions(
    { name: "apiserver_watch_events_sizes", help: "How large events are.", bounds: eventSizeBounds },
    registry,
  );
  const make = (labels: Readonly<Record<string, string>>): WatchEventMetrics => {
    const [count, size] = [total(labels), sizes(labels)];
    return {
      onChunk(bytes) {
        count.n++;
        size.saw(bytes);
      },
    };
  };
  return byLabels(make).of;
}

/** Says what was built of what. Here nothing is built: it is what is spoken. */
function buildInfo(registry: MetricsRegistry): void {
  const { gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform, major, minor } = version;
  const labels = {
    ...{ build_date: buildDate, compiler, git_commit: gitCommit, git_tree_state: gitTreeState },
    ...{ git_version: gitVersion, go_version: goVersion, major, minor, platform },
  };
  const help = "Which version of the API this server speaks.";
  const name = "kubernetes_build_info";
  new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set(labels, 1);
}

/** The figures of requests of one server. */
export function requestInstruments(registry: MetricsRegistry) {
  buildInfo(registry);
  const inflight = { readOnly: 0, mutating: 0 };
  new Gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests under way at this moment, streams aside.",
    labelNames: ["request_kind"],
    registers: [registry],
    collect() {
      for (const [kind, count] of Object.entries(inflight)) this.set({ request_kind: kind }, count);
    },
  });
  const longRunning = new Gauge({
    name: "apiserver_longrunning_requests",
    help: "Watches and other streams open at this moment.",
    labelNames: about,
    registers: [registry],
  });
  const deprecated = new Gauge({
    name: "apiserver_requested_deprecated_apis",
    help: "Kinds that were asked for although they had better not be used.",
    labelNames: ["group", "version", "resource", "subresource", "removed_release"],
    registers: [registry],
  });
  return {
    inflight,
    longRunning,
    deprecated,
    outcomeOf: outcomeMetrics(registry),
    watchEventsOf: watchEventMetrics(registry),
  };
}
