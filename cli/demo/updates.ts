// Two acts about rollouts: an update without lost requests, and a bad one that is rolled back.
import type { Deployment, Pod } from "../../api/generated/types.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { controllerOf, key } from "../../api/meta.ts";
import { statusWord } from "../../api/core/pod/status.ts";
import { revisionsOf, templateOf } from "../client/revisions.ts";
import { type Act, activePods, check, detail, eventually, readyPods, type Stage } from "./stage.ts";
import { checkNoneLost, type Visits, visitedDuring } from "./visitors.ts";

const good = "orrery/web:2";
const missing = "orrery/web:no-such-version";

const web = ({ client, namespace }: Stage): Promise<Deployment> => client.get(deployments, key(namespace, "web"));

const setImage = ({ client, namespace }: Stage, image: string): Promise<unknown> =>
  client.patch(deployments, key(namespace, "web"), {
    type: "strategic",
    patch: { spec: { template: { spec: { containers: [{ name: "web", image }] } } } },
  });

const runs =
  (image: string) =>
  (pod: Pod): boolean =>
    pod.spec.containers[0]?.image === image;

const summary = ({ responses, succeeded }: Visits): string =>
  `${succeeded} requests, none lost: ${[...responses].map(([version, count]) => `${count} saw version ${version}`).join(", ")}`;

export const update: Act = {
  title: "A rolling update under requests",
  story:
    "One new pod is added, then one old pod removed, until all are new. An old pod is removed from the service's endpoints on every node before it terminates.",
  play: async (stage) => {
    const count = (await web(stage)).spec.replicas ?? 1;
    const visits = await visitedDuring(stage, "/version", async () => {
      await stage.io.progress.step(`web set to ${good}`, () => setImage(stage, good));
      await eventually(
        stage,
        `${count} pods of version 2 are Ready, none of version 1 is left`,
        90_000,
        readyPods(stage, "web", count, runs(good)),
      );
    });
    checkNoneLost(visits);
    check((visits.responses.get("2") ?? 0) > 0, "no request was answered by version 2");
    detail(stage, summary(visits));
  },
};

/** Restores the template of the previous revision, like `rollout undo`. */
async function rollBack(stage: Stage): Promise<void> {
  const { client, namespace } = stage;
  const deployment = await web(stage);
  const { items } = await client.list(replicaSets, { namespace });
  const previous = revisionsOf(items.filter((set) => controllerOf(set)?.uid === deployment.metadata.uid)).at(-2);
  check(previous !== undefined, "there is no earlier revision");
  await client.patch(deployments, key(namespace, "web"), {
    type: "json",
    operations: [{ op: "replace", path: "/spec/template", value: templateOf(previous) }],
  });
}

const troubles: readonly string[] = ["ErrImagePull", "ImagePullBackOff"];

export const badUpdate: Act = {
  title: "A failed update and a rollback",
  story:
    "The new image does not exist: the rollout stops at its first pod, the old pods keep serving, and the previous revision is restored.",
  play: async (stage) => {
    const count = (await web(stage)).spec.replicas ?? 1;
    const visits = await visitedDuring(stage, "/version", async () => {
      await stage.io.progress.step(`web set to ${missing}`, () => setImage(stage, missing));
      await eventually(stage, "the new pod reports why it does not start", 60_000, async () => {
        const pod = (await activePods(stage, "web")).find(runs(missing));
        return {
          holds: pod !== undefined && troubles.includes(statusWord(pod)),
          seen: pod ? statusWord(pod) : "no new pod yet",
        };
      });
      const [stuck, serving] = [(await activePods(stage, "web")).find(runs(missing)), await activePods(stage, "web")];
      check(serving.filter(runs(good)).length === count, "old pods were removed although no new one was Ready");
      detail(stage, `${statusWord(stuck!)}: ${stuck!.status?.containerStatuses?.[0]?.state?.waiting?.message ?? ""}`);
      await stage.io.progress.step("rolled back", () => rollBack(stage));
      await eventually(
        stage,
        `${count} pods of version 2 are Ready, the failed one is gone`,
        60_000,
        readyPods(stage, "web", count, runs(good)),
      );
    });
    checkNoneLost(visits);
    detail(stage, summary(visits));
  },
};
