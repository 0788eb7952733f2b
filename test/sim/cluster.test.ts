// Many lives of a whole cluster, each from a seed. A failing seed is a full bug report: `node test/sim/one.ts SEED`
// lives it again.
import { expect, test } from "vitest";
import { type Controller, rightsOf } from "../../machinery/controller.ts";
import { controllerUser } from "../../apiserver/authentication/components.ts";
import type { RequestAttributes } from "../../apiserver/authorization/authorizer.ts";
import { ruleAllows } from "../../apiserver/authorization/rbac/rules.ts";
import { ownRoles } from "../../apiserver/bootstrap/roles/own.ts";
import { controllers } from "../../controllers/controllers.ts";
import { controllerOptions, simulate, type WorkloadName } from "./cluster.ts";
import { hashedLife } from "./history-hash.ts";
import { lives } from "./lives.ts";
import { beginning } from "./virtual-clock.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Number(process.env["SEEDS"] ?? 60);

test(`${count} lives from seed ${first}: nothing forbidden happens, and peace brings every deployment home`, async () => {
  const began = performance.now();
  for await (const { seed, violations, unsettled } of lives({ first, count }))
    expect({ seed, violations, unsettled }).toEqual({ seed, violations: [], unsettled: [] });
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(`${count} seeds, ${(count / seconds).toFixed(1)} a second\n`);
});

test("the same seed gives the same history, byte for byte; another seed gives another", async () => {
  const [once, again, other] = [
    await hashedLife({ seed: first }),
    await hashedLife({ seed: first }),
    await hashedLife({ seed: first + 1 }),
  ];
  expect(again.hash).toBe(once.hash);
  expect(other.hash).not.toBe(once.hash);
});

/** What an action line of a decision needs a right for. Events are not declared. */
function needed(action: string): readonly (readonly [resource: string, verb: string])[] {
  const [done = "", resource = ""] = action.split(" ");
  if (done === "event") return [];
  if (done === "status") return [[`${resource}/status`, "update"]];
  return [[resource, done === "adopt" || done === "release" ? "patch" : done]];
}

test("controllers do what their declarations give them the right to do, and nothing else", async () => {
  const all = new Map(controllers(controllerOptions).map((c: Controller) => [c.name, rightsOf(c)]));
  const exceeded = new Set<string>();
  const used = new Set<string>();
  for (let seed = first; seed < first + 3; seed++)
    await simulate({
      seed,
      decided({ controller, actions }) {
        // Those of the lower contract have no declaration.
        if (!all.has(controller)) return;
        for (const [resource, verb] of actions.flatMap(needed)) {
          const has = all.get(controller)?.some((r) => r.resource === resource && r.verbs.includes(verb)) === true;
          (has ? used : exceeded).add(`${controller}: ${verb} ${resource}`);
        }
      },
    });
  expect([...exceeded]).toEqual([]);
  expect(used.size).toBeGreaterThan(12);
});

/** Lives in which every controller has something to do. */
const livesOfAll: readonly (readonly WorkloadName[])[] = [
  ["deployments", "statefulsets", "daemonsets", "jobs"],
  ["cronjobs", "quotas", "budgets", "autoscalers"],
  ["owners", "claims", "services", "placement"],
  ["attachables", "devices", "gangs"],
];
/** What these have their own rights for does not happen in those lives. */
const usedElsewhere = [
  ...["certificate-controller", "descheduler", "flowschema-controller", "pod-garbage-collector"],
  ...["serviceaddress-controller", "snapshot-controller", "tokens-controller"],
];

test("the roles beside Kubernetes' own have no rule that no controller uses", async () => {
  const used = new Map<string, RequestAttributes[]>();
  for (const workloads of livesOfAll)
    await simulate({
      ...{ seed: first, workloads },
      authorized(request) {
        const own = used.get(request.user.name);
        if (own) own.push(request);
        else used.set(request.user.name, [request]);
      },
    });
  const unused = ownRoles.flatMap(([{ kind }, { metadata, rules }]) => {
    const account = metadata.name.replace("orrery.dev:controller:", "");
    if (kind !== "ClusterRole" || account === metadata.name || usedElsewhere.includes(account)) return [];
    const requests = used.get(controllerUser(account).name) ?? [];
    return (rules ?? [])
      .filter((rule) => !requests.some((request) => ruleAllows(rule, request)))
      .map((r) => [account, r]);
  });
  expect(unused).toEqual([]);
  expect(used.size).toBeGreaterThan(20);
});

test("every decision that is carried out leads to silence: a cluster left alone is written to no more", async () => {
  const minutes = 4;
  const late: string[] = [];
  let decisions = 0;
  await simulate({
    seed: first,
    minutes,
    // Jobs are over by then; cron jobs go on for ever.
    workloads: ["deployments", "statefulsets", "daemonsets", "jobs"],
    trouble: false,
    loss: 0,
    lateness: 0,
    crashRate: 0,
    decided({ controller, key, at, actions }) {
      decisions += 1;
      if (actions.length > 0 && at > beginning + 120_000) late.push(`${controller} ${key}: ${actions.join(", ")}`);
    },
  });
  expect(late).toEqual([]);
  expect(decisions).toBeGreaterThan(50);
});
