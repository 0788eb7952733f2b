// A job on an in-process server, and its controller, which can be interrupted after any action.
import { jobs } from "../../../api/batch/jobs.ts";
import { limitRanges } from "../../../api/core/limitranges.ts";
import { pods } from "../../../api/core/pods.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { isActive } from "../../../api/core/pod/status.ts";
import type { Job, Pod } from "../../../api/generated/types.ts";
import { hasReason } from "../../../api/errors.ts";
import { key, keyOf, timestamp } from "../../../api/meta.ts";
import { act, type Action } from "../../../machinery/action.ts";
import { decide } from "../../../controllers/job/decide.ts";
import { server } from "./running.ts";

export interface JobWorld {
  job(): Promise<Job>;
  pods(): Promise<readonly Pod[]>;
  active(): Promise<readonly Pod[]>;
  /** Changes the spec of the job. */
  change(spec: object): Promise<unknown>;
  /** Ends a pod with an exit code. */
  end(pod: Pod, code: number, more?: object): Promise<unknown>;
  /** Changes a pod. */
  edit(name: string, patch: object): Promise<unknown>;
  /** A user deletes a pod, and its node confirms that it has ended. */
  remove(pod: Pod): Promise<unknown>;
  /** One reconcile with at most this number of actions executed. Returns them without events. */
  look(most?: number): Promise<readonly string[]>;
  /** Reconciles until there are no actions. */
  settle(): Promise<void>;
  pass(seconds: number): Promise<void>;
  /** From now on the server admits no pods. */
  refusePods(): Promise<unknown>;
  /** Reasons and messages of the events so far. */
  readonly events: string[];
}

/** No pod of a job world has a limit. */
const noPods = {
  kind: "LimitRange",
  metadata: { name: "none", namespace: "default" },
  spec: { limits: [{ type: "Pod", max: { cpu: "1m" } }] },
} as const;

/** A job `web` in the namespace default. */
export async function jobWorld(spec: object, podSpec: object = {}): Promise<JobWorld> {
  const { client, clock, pass } = await server();
  // Pods are admitted once their service account exists.
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } });
  const events: string[] = [];
  const recorder = { record: (...[, , reason, message]: unknown[]) => void events.push(`${reason}: ${message}`) };
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "app:1" }], ...podSpec } };
  const draft = { kind: "Job", metadata: { name: "web", namespace: "default" }, spec: { template, ...spec } };
  await client.create(jobs, draft as never);
  const job = (): Promise<Job> => client.get(jobs, key("default", "web"));
  const all = async (): Promise<readonly Pod[]> => (await client.list(pods, { namespace: "default" })).items;
  const end = (pod: Pod, code: number, more: object = {}): Promise<unknown> => {
    const terminated = { exitCode: code, finishedAt: timestamp(clock.now()) };
    const containerStatuses = [
      { name: "main", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated } },
    ];
    const status = { phase: code === 0 ? "Succeeded" : "Failed", containerStatuses, ...more };
    return client.patch(pods, keyOf(pod), { type: "merge", patch: { status } }, "status");
  };
  let deletions = 0;
  const look: JobWorld["look"] = async (most = Number.POSITIVE_INFINITY) => {
    const [object, children] = [await job(), await all()];
    const isTaken = (name: string): boolean => children.some((pod) => pod.metadata.name === name);
    const { actions } = decide({ job: object, pods: children, isTaken, deletions, deletedAt: [] }, clock.now());
    for (const action of actions.slice(0, most)) await act(action, client, recorder);
    return actions.filter((a): a is Exclude<Action, { do: "event" }> => a.do !== "event").map((a) => a.do);
  };
  return {
    ...{ job, pods: all, end, look, pass, events },
    active: async () => (await all()).filter(isActive),
    change: (changed) => client.patch(jobs, key("default", "web"), { type: "merge", patch: { spec: changed } }),
    edit: (name, patch) => client.patch(pods, key("default", name), { type: "merge", patch }),
    refusePods: () => client.create(limitRanges, noPods),
    async remove(pod) {
      deletions += 1;
      await client.delete(pods, keyOf(pod), { gracePeriodSeconds: 0 }).catch((e: unknown) => {
        if (!hasReason(e, "NotFound")) throw e;
      });
    },
    async settle() {
      for (let i = 0; i < 30; i++) if ((await look()).length === 0) return;
      throw new Error("the controller does not settle");
    },
  };
}

/** The types of the conditions that hold. */
export const conditionsOf = ({ status }: Job): readonly string[] =>
  (status?.conditions ?? []).filter((c) => c.status === "True").map((c) => c.type);
