// Runs the probes of one pod's containers periodically and counts their results up to the probes' thresholds.
import type { Probe, Container } from "../../api/generated/types.ts";
import type { EventType } from "../../machinery/events.ts";
import type { World } from "../../machinery/world.ts";
import type { ContainerRuntime, RuntimeContainer } from "../runtime.ts";
import { failure, runHandler, type Target } from "./handlers.ts";

export type ProbeResult = "success" | "failure";
/** The state a probe has reached, and how many equal results came in a row. */
interface ProbeState {
  readonly verdict: ProbeResult | "unknown";
  readonly latest: ProbeResult | undefined;
  readonly inARow: number;
}
type ProbeKind = "startup" | "readiness" | "liveness";

/** Before its first result a container is alive and not ready; whether it has started is unknown. */
const initialVerdict = { startup: "unknown", readiness: "failure", liveness: "success" } as const;
export const initialState = (kind: ProbeKind): ProbeState => ({
  ...{ verdict: initialVerdict[kind], latest: undefined, inARow: 0 },
});

/** The verdict changes once as many equal results as its threshold came in a row. */
export function afterResult(state: ProbeState, result: ProbeResult, probe: Probe): ProbeState {
  const inARow = state.latest === result ? state.inARow + 1 : 1;
  const threshold = result === "failure" ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
  return { verdict: inARow >= threshold ? result : state.verdict, latest: result, inARow };
}

/** The probes' results for one run of a container. */
export interface Health {
  readonly started: boolean;
  readonly ready: boolean;
  /** Set once a probe or hook has failed so that the container must be restarted. */
  readonly verdict?: { readonly because: string; readonly graceMs?: number };
}

interface ProberPorts {
  readonly world: World;
  readonly runtime: ContainerRuntime;
  /** Called when a verdict has changed. */
  readonly changed: () => void;
  readonly record: (container: string, type: EventType, reason: string, message: string) => void;
}
/** The state of a container that the API had before this kubelet first saw it. */
type Reported = Pick<Health, "started" | "ready">;

export interface Prober {
  /** Starts the probes of a container; idempotent. */
  watch(target: Target, startedAt: number, reported: Reported | undefined): void;
  /** While a postStart hook runs, the container does not count as started. */
  hookBegan(id: string): void;
  hookEnded(id: string, failure?: string): void;
  health(): Readonly<Record<string, Health>>;
  /** Stops all probes but readiness: failures of a pod that terminates have no consequence. */
  stopLivenessAndStartup(): void;
  /** Stops the probes of every container that is not among these. */
  keep(running: readonly RuntimeContainer[]): void;
}

interface Watched {
  readonly states: Partial<Record<ProbeKind, ProbeState>>;
  readonly container: Container;
  readonly stops: Readonly<Record<ProbeKind, AbortController>>;
  verdict: Health["verdict"];
}

const kinds: readonly ProbeKind[] = ["startup", "readiness", "liveness"];
const newStops = (): Watched["stops"] => ({
  ...{ startup: new AbortController(), readiness: new AbortController(), liveness: new AbortController() },
});
const stop = (w: Watched, stopped: readonly ProbeKind[]): void => {
  for (const kind of stopped) w.stops[kind].abort();
};
const probeOf = (c: Container, kind: ProbeKind): Probe | undefined => c[`${kind}Probe`];
const titled = { startup: "Startup", readiness: "Readiness", liveness: "Liveness" } as const;

const hasStarted = (w: Watched): boolean => (w.states.startup?.verdict ?? "success") === "success";

function healthOf(w: Watched, hooked: boolean): Health {
  const started = hasStarted(w) && !hooked;
  const ready = started && (w.states.readiness?.verdict ?? "success") === "success";
  return { started, ready, ...(w.verdict ? { verdict: w.verdict } : {}) };
}

/** The prober of one pod; its loops end with `signal`. */
export function prober(ports: ProberPorts, signal: AbortSignal): Prober {
  const watched = new Map<string, Watched>();
  const hooks = new Set<string>();
  const { world, changed } = ports;

  const settle = (w: Watched, kind: ProbeKind, probe: Probe, result: ProbeResult): void => {
    const before = w.states[kind]!;
    const now = afterResult(before, result, probe);
    w.states[kind] = now;
    if (now.verdict === before.verdict) return;
    if (now.verdict === "failure" && kind !== "readiness") {
      const graceMs =
        probe.terminationGracePeriodSeconds === undefined ? undefined : probe.terminationGracePeriodSeconds * 1_000;
      w.verdict = { because: `Container ${w.container.name} failed ${kind} probe, will be restarted`, graceMs };
    }
    changed();
  };

  const attempt = async (w: Watched, kind: ProbeKind, target: Target, until: AbortSignal): Promise<void> => {
    const probe = probeOf(w.container, kind)!;
    const limit = { ms: (probe.timeoutSeconds ?? 1) * 1_000, signal: until };
    const { result, output } = await runHandler(ports, target, probe, limit).catch((e: Error) => failure(e.message));
    if (until.aborted) return;
    const record = (reason: string, what: string): void =>
      ports.record(w.container.name, "Warning", reason, `${titled[kind]} probe ${what}: ${output}`);
    if (result === "failure") record("Unhealthy", "failed");
    if (result === "warning") record("ProbeWarning", "warning");
    settle(w, kind, probe, result === "failure" ? "failure" : "success");
  };

  const loop = async (w: Watched, kind: ProbeKind, target: Target, startedAt: number): Promise<void> => {
    const probe = probeOf(w.container, kind)!;
    const until = w.stops[kind].signal;
    const firstAt = startedAt + (probe.initialDelaySeconds ?? 0) * 1_000;
    await world.clock.sleep(Math.max(0, firstAt - world.clock.now()), until);
    while (!until.aborted && w.verdict === undefined) {
      if (kind === "startup" && hasStarted(w)) return;
      const waitsForStart = kind !== "startup" && !hasStarted(w);
      if (!waitsForStart) await attempt(w, kind, target, until);
      // The other probes begin soon after the start, not one period later.
      await world.clock.sleep(waitsForStart ? 250 : (probe.periodSeconds ?? 10) * 1_000, until);
    }
  };

  return {
    watch(target, startedAt, reported) {
      if (watched.has(target.id)) return;
      const { container } = target;
      const w: Watched = { states: {}, container, stops: newStops(), verdict: undefined };
      for (const kind of kinds) if (probeOf(container, kind)) w.states[kind] = initialState(kind);
      if (reported?.started && w.states.startup) w.states.startup = { ...w.states.startup, verdict: "success" };
      if (reported?.ready && w.states.readiness) w.states.readiness = { ...w.states.readiness, verdict: "success" };
      watched.set(target.id, w);
      if (signal.aborted) stop(w, kinds);
      // A loop ends by rejecting with the abort reason.
      for (const kind of kinds) if (w.states[kind]) loop(w, kind, target, startedAt).catch(() => {});
    },
    hookBegan: (id) => void hooks.add(id),
    hookEnded(id, failure) {
      hooks.delete(id);
      const w = watched.get(id);
      if (w && failure !== undefined) w.verdict = { because: failure };
      changed();
    },
    health: () => Object.fromEntries([...watched].map(([id, w]) => [id, healthOf(w, hooks.has(id))])),
    stopLivenessAndStartup() {
      for (const w of watched.values()) stop(w, ["liveness", "startup"]);
    },
    keep(running) {
      const ids = new Set(running.map((r) => r.id));
      for (const [id, w] of watched)
        if (!ids.has(id)) {
          stop(w, kinds);
          watched.delete(id);
        }
    },
  };
}
