// A horizontal pod autoscaler over a deployment whose load users change, with policies in both directions.
import { deployments } from "../../../api/apps/deployments.ts";
import {
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
} from "../../../api/autoscaling/horizontalpodautoscalers.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { isActive, isReady } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Deployment, Pod } from "../../../api/generated/types.ts";
import { type Draft, key } from "../../../api/meta.ts";
import type { Clock } from "../../../machinery/world.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Committed, Rule } from "../judge.ts";
import { loadAnnotation } from "../load.ts";
import { staleMs } from "./readiness.ts";
import type { Workload } from "./workload.ts";

const namespace = "elastic";
const name = "elastic";
const own = key(namespace, name);
/** Changed with whatever a user changes of the deployment, so that the changes of the autoscaler are distinct. */
const userAnnotation = "example.com/user-change";
/** What one pod should use, in thousandths of a CPU. */
const targetMilli = 100;
const growth = { value: 2, periodSeconds: 30 };
const shrink = { value: 1, periodSeconds: 20 };
const windowSeconds = 45;
/** How long after a decision its request can arrive. */
const requestMs = 5_000;
/** How long the usage of a pod that became ready is not counted. */
const sampleMs = 10_000;

const deployment: Draft<Deployment> = {
  kind: "Deployment",
  metadata: { name, namespace, annotations: { [loadAnnotation]: "250" } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "app:1" }] } },
  },
};
const autoscaler: Draft<HorizontalPodAutoscaler> = {
  kind: "HorizontalPodAutoscaler",
  metadata: { name, namespace },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
    ...{ minReplicas: 2, maxReplicas: 6 },
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "AverageValue", averageValue: `${targetMilli}m` } },
      },
    ],
    behavior: {
      scaleUp: { policies: [{ type: "Pods", ...growth }] },
      scaleDown: { stabilizationWindowSeconds: windowSeconds, policies: [{ type: "Pods", ...shrink }] },
    },
  },
};

interface Bounds {
  readonly min: number;
  readonly max: number;
}
interface Resize {
  readonly at: number;
  readonly by: number;
  readonly to: number;
  /** Whether pods had just begun or ceased to be ready: they are set apart, and the rest need not be representative. */
  readonly isStarting: boolean;
  /** Whether the autoscaler knows that it took effect. */
  confirmed: boolean;
}
const boundsOf = ({ spec }: HorizontalPodAutoscaler): Bounds => ({ min: spec.minReplicas ?? 1, max: spec.maxReplicas });
const autoscalerOf = (committed: Committed): HorizontalPodAutoscaler | undefined =>
  committed.all(horizontalPodAutoscalers)[0];
const loadOf = (d: Deployment | undefined): string | undefined => d?.metadata.annotations?.[loadAnnotation];
const userChangeOf = (d: Deployment | undefined): string | undefined => d?.metadata.annotations?.[userAnnotation];

/** What one life knows of the changes of its scale. */
function history() {
  const resizes: Resize[] = [];
  const former: (Bounds & { readonly until: number })[] = [];
  return {
    resizes,
    former,
    /** Since when neither load nor bounds nor a user changed anything, and all pods count. */
    constantSince: 0,
    /** When a pod last became ready, or ceased to be. */
    readinessChangedAt: 0,
    /** The bounds that are in force, and those that a decision may have been made on. */
    boundsAt: (committed: Committed): readonly Bounds[] => {
      const h = autoscalerOf(committed);
      return [...(h ? [boundsOf(h)] : []), ...former.filter(({ until }) => committed.at - until < staleMs)];
    },
  };
}
type History = ReturnType<typeof history>;

/** The resize that this change is, if the autoscaler made it; notes what else changed. */
function resizeOf(known: History, after: Deployment | undefined, before: Deployment | undefined, at: number) {
  if (after?.metadata.namespace !== namespace) return undefined;
  if (loadOf(after) !== loadOf(before) || userChangeOf(after) !== userChangeOf(before)) known.constantSince = at;
  const to = after.spec.replicas ?? 1;
  const by = to - (before?.spec.replicas ?? 1);
  if (!before || by === 0 || userChangeOf(after) !== userChangeOf(before)) return undefined;
  return { at, by, to, isStarting: at - known.readinessChangedAt < sampleMs + requestMs, confirmed: false };
}

const inBounds = (known: History): Rule<Deployment> => ({
  name: "autoscaler out of bounds",
  kind: deployments,
  broken(after, before, committed) {
    const resize = resizeOf(known, after, before, committed.at);
    if (!resize) return undefined;
    known.resizes.push(resize);
    const replicas = after!.spec.replicas ?? 1;
    const bounds = known.boundsAt(committed);
    if (bounds.some(({ min, max }) => replicas >= min && replicas <= max)) return undefined;
    return `${replicas} replicas, bounds ${JSON.stringify(bounds)}`;
  },
});

/** What the other rules read: it comes after the rule of bounds, which notes each resize. */
const laterRule = (
  known: History,
  ruleName: string,
  broken: (resize: Resize, before: Deployment, committed: Committed) => string | undefined,
): Rule<Deployment> => ({
  name: ruleName,
  kind: deployments,
  broken(after, before, committed) {
    const resize = known.resizes.at(-1);
    const isOwn = before && after?.metadata.namespace === namespace && after.spec.replicas !== before.spec.replicas;
    return resize && isOwn && resize.at === committed.at ? broken(resize, before, committed) : undefined;
  },
});

/** A scale out of its bounds is set to the bound at once; otherwise policies limit it, by what the leader knows. */
const withinPolicies = (known: History): Rule<Deployment> =>
  laterRule(known, "autoscaler faster than its policies", ({ at, by }, before, committed) => {
    const replicas = before.spec.replicas ?? 1;
    if (known.boundsAt(committed).some(({ min, max }) => replicas < min || replicas > max)) return undefined;
    const { value, periodSeconds } = by > 0 ? growth : shrink;
    const from = Math.max(at - periodSeconds * 1000 + requestMs, committed.leadingSince);
    const counted = known.resizes.slice(0, -1).filter((r) => r.confirmed && r.at >= from && r.by * by > 0);
    const sum = counted.reduce((all, r) => all + Math.abs(r.by), Math.abs(by));
    return sum > value ? `${sum} replicas in ${periodSeconds} s` : undefined;
  });

/** It shrinks to what it grew to a moment ago at least. A size that a user chose is none of its recommendations. */
const stabilized = (known: History): Rule<Deployment> =>
  laterRule(known, "autoscaler shrinks too soon", ({ at, by, to }, before, committed) => {
    const replicas = before.spec.replicas ?? 1;
    if (by > 0 || known.boundsAt(committed).some(({ max }) => replicas > max)) return undefined;
    const grown = known.resizes.find(
      (r) => r.by > 0 && r.to > to && r.confirmed && at - r.at < windowSeconds * 1000 - requestMs,
    );
    return grown ? `${at - grown.at} ms after it grew` : undefined;
  });

const steady = (known: History): Rule<Deployment> =>
  laterRule(known, "autoscaler flaps", ({ at, by, isStarting }) => {
    // What follows may correct it.
    if (isStarting) known.constantSince = at;
    const opposite = known.resizes.find((r) => r.by * by < 0 && r.at > known.constantSince + requestMs);
    return opposite ? `${by} after ${opposite.by} ${at - opposite.at} ms before, under the same load` : undefined;
  });

/** Notes when the pods that are ready changed. */
const readinessNoted = (known: History): Rule<Pod> => ({
  name: "",
  kind: pods,
  broken(after, before, { at }) {
    const isOwn = (after ?? before)?.metadata.namespace === namespace;
    const [now, then] = [after, before].map((p) => p !== undefined && isReady(p));
    if (isOwn && now !== then) known.readinessChangedAt = at;
    return undefined;
  },
});

/** The status names the last resize that the autoscaler knows of. */
const noted = (known: History): Rule<HorizontalPodAutoscaler> => ({
  name: "",
  kind: horizontalPodAutoscalers,
  broken(after, before, { at }) {
    if (!after) return undefined;
    const last = known.resizes.at(-1);
    if (last && after.status?.lastScaleTime !== before?.status?.lastScaleTime && at - last.at < requestMs)
      last.confirmed = true;
    const [now, then] = [boundsOf(after), before && boundsOf(before)];
    if (then && (now.min !== then.min || now.max !== then.max)) {
      known.former.push({ ...then, until: at });
      known.constantSince = at;
    }
    return undefined;
  },
});

const annotate = (user: Client, annotations: Readonly<Record<string, string>>, spec: object = {}): Promise<unknown> =>
  user.patch(deployments, own, { type: "merge", patch: { metadata: { annotations }, spec } });

const peakLoad = "750";
/** A peak, after which the scale must stay for a while; unless something else changed the load during it. */
async function peak(user: Client, clock: Clock, ms: number): Promise<void> {
  await annotate(user, { [loadAnnotation]: peakLoad });
  await clock.sleep(ms);
  if (loadOf(await user.get(deployments, own)) === peakLoad) await annotate(user, { [loadAnnotation]: "150" });
}

export const autoscalerWorkload: Workload = {
  kinds: [deployments, horizontalPodAutoscalers],
  async begin(user) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await user.create(deployments, deployment);
    await user.create(horizontalPodAutoscalers, autoscaler);
  },
  async meddle(user, random, clock) {
    const dice = random.next();
    // Half way between two sizes, so that roundings of usages do not matter.
    const load = (): string => String(50 + Math.floor(random.next() * 8) * 100);
    if (dice < 0.4) await peak(user, clock, 15_000 + random.next() * 20_000);
    else if (dice < 0.75) await annotate(user, { [loadAnnotation]: load() });
    else if (dice < 0.9) {
      const bounds = { minReplicas: 1 + Math.floor(random.next() * 3), maxReplicas: 4 + Math.floor(random.next() * 4) };
      await user.patch(horizontalPodAutoscalers, own, { type: "merge", patch: { spec: bounds } });
    } else
      await annotate(user, { [userAnnotation]: String(clock.now()) }, { replicas: 1 + Math.floor(random.next() * 8) });
  },
  async heal(user) {
    // A size that is reached by growth, which waits for no window.
    const bounds = { minReplicas: 2, maxReplicas: 5 };
    await user.patch(horizontalPodAutoscalers, own, { type: "merge", patch: { spec: bounds } });
    await annotate(user, { [loadAnnotation]: "450" });
  },
  rules() {
    const known = history();
    return [
      readinessNoted(known),
      noted(known),
      inBounds(known),
      withinPolicies(known),
      stabilized(known),
      steady(known),
    ];
  },
  unsettled(committed) {
    const h = autoscalerOf(committed);
    const d = committed.all(deployments).find(({ metadata }) => metadata.namespace === namespace);
    if (!h || !d) return ["the autoscaler or its deployment is gone"];
    const { min, max } = boundsOf(h);
    const replicas = d.spec.replicas ?? 1;
    const needed = Math.min(max, Math.max(min, Number(loadOf(d)) / targetMilli));
    const active = committed.all(pods).filter((p) => p.metadata.namespace === namespace && isActive(p)).length;
    // Within the tolerance of a tenth, rounded up.
    const isSettled =
      replicas >= Math.floor(needed * 0.9) && replicas <= Math.ceil(needed * 1.12) && active === replicas;
    return isSettled ? [] : [`${replicas} replicas, ${active} pods for a load of ${loadOf(d)}, ${min} to ${max}`];
  },
};
