// Behaviours of kubectl that need no containers, with the newest kubectl of this machine.
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CoreV1Api } from "@kubernetes/client-node";
import { expect, test, vi } from "vitest";
import { configOf, kubectls, runner, type CommandResult } from "../kubectl/kubectl.ts";
import { type ScenarioContext, behaviour as published } from "./behaviour.ts";
import { waitOptions, podNames, whileRunning } from "./running-controllers.ts";

const kubectl = kubectls(27).at(-1);

if (!kubectl) test("kubectl: not installed, so its behaviours are not tested", () => {});

type Run = (line: string, stdin?: string) => Promise<CommandResult>;
/** A behaviour of kubectl in a namespace of its own. Without kubectl no test is defined. */
function behaviour(name: string, body: (run: Run, context: ScenarioContext) => Promise<void>): void {
  if (!kubectl) return;
  published(name, async (context) => {
    const run = runner(kubectl, configOf(context.server.kubeconfig));
    await body((line, stdin) => run(["-n", context.namespace, ...line.split(" ")], stdin), context);
  });
}

const image = "registry.example.com/web:1";
const podNamed = (name: string): string => `run ${name} --image=${image} --restart=Never --labels=run=${name}`;

behaviour("Kubectl client Kubectl api-versions should check if v1 is in available api versions", async (run) => {
  expect((await run("api-versions")).out.split("\n")).toContain("v1");
});

behaviour(
  "Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info",
  async (run) => {
    expect((await run("cluster-info")).out).toMatch(/Kubernetes control plane.* is running at /);
  },
);

behaviour("Kubectl client Kubectl version should check is all data is printed", async (run) => {
  const { out } = await run("version -o json");
  const result = JSON.parse(out) as Record<string, Record<string, string>>;
  const fields = ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "platform"];
  for (const whose of ["clientVersion", "serverVersion"])
    expect(Object.keys(result[whose] ?? {}), whose).toEqual(expect.arrayContaining(fields));
});

behaviour(
  "Kubectl client Kubectl run pod should create a pod from an image when restart is Never",
  async (run, { client, namespace }) => {
    expect(await run(podNamed("web"))).toMatchObject({ code: 0, out: "pod/web created\n" });
    const { spec } = await client(CoreV1Api).readNamespacedPod({ name: "web", namespace });
    expect([spec?.containers[0]?.image, spec?.restartPolicy]).toEqual([image, "Never"]);
  },
);

behaviour(
  "Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods",
  async (run, { client, namespace }) => {
    await run(podNamed("web"));
    const patch = '{"spec":{"containers":[{"name":"web","image":"registry.example.com/other:1"}]}}';
    const dryRun = await run(`patch pod web -p ${patch} --dry-run=server`);
    expect(dryRun).toMatchObject({ code: 0, out: "pod/web patched\n" });
    const { spec } = await client(CoreV1Api).readNamespacedPod({ name: "web", namespace });
    expect(spec?.containers[0]?.image).toBe(image);
  },
);

behaviour(
  "Kubectl client Kubectl replace should update a single-container pod's image",
  async (run, { client, namespace }) => {
    await run(podNamed("web"));
    const before = (await run("get pod web -o json")).out;
    const other = "registry.example.com/other:1";
    expect(await run("replace -f -", before.replaceAll(image, other))).toMatchObject({
      code: 0,
      out: "pod/web replaced\n",
    });
    const { spec } = await client(CoreV1Api).readNamespacedPod({ name: "web", namespace });
    expect(spec?.containers[0]?.image).toBe(other);
  },
);

behaviour("Kubectl client Kubectl label should update the label on a resource", async (run) => {
  await run(podNamed("web"));
  await run("label pods web testing-label=testing-label-value");
  expect((await run("get pod web -L testing-label")).out).toMatch(/TESTING-LABEL\nweb .* testing-label-value\n/);
  await run("label pods web testing-label-");
  expect((await run("get pod web -L testing-label")).out).not.toMatch(/testing-label-value/);
});

behaviour(
  "Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments",
  async (run, { server }) => {
    const of = (tag: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "registry.example.com/web:${tag}"}]}
`;
    expect((await run("create -f -", of("one"))).code).toBe(0);
    const file = join(dirname(server.kubeconfig), "changed.yaml");
    writeFileSync(file, of("two"));
    const { code, out } = await run(`diff -f ${file}`);
    expect(code).toBe(1);
    expect(out).toMatch(/^-\s+- image: registry\.example\.com\/web:one$/m);
    expect(out).toMatch(/^\+\s+- image: registry\.example\.com\/web:two$/m);
  },
);

const agnhost = (replicas: number): string => `
apiVersion: v1
kind: ReplicationController
metadata: {name: agnhost-primary, labels: {app: agnhost, role: primary}}
spec:
  replicas: ${replicas}
  selector: {app: agnhost, role: primary}
  template:
    metadata: {labels: {app: agnhost, role: primary}}
    spec: {containers: [{name: agnhost-primary, image: "${image}", ports: [{name: agnhost-server, containerPort: 6379}]}]}
`;
const service = `
apiVersion: v1
kind: Service
metadata: {name: agnhost-primary, labels: {app: agnhost, role: primary}}
spec:
  ports: [{port: 6379, targetPort: agnhost-server}]
  selector: {app: agnhost, role: primary}
`;
/** With the replication controller of that file, its controller running, and its pods. */
async function whilePrimary(
  run: Run,
  context: ScenarioContext,
  replicas: number,
  body: (pods: readonly string[]) => Promise<void>,
): Promise<void> {
  await whileRunning(context, async () => {
    expect(await run("create -f -", agnhost(replicas))).toMatchObject({ code: 0 });
    await vi.waitFor(async () => {
      const { status } = await context
        .client(CoreV1Api)
        .readNamespacedReplicationController({ namespace: context.namespace, name: "agnhost-primary" });
      expect(status?.readyReplicas).toBe(replicas);
    }, waitOptions);
    await body(await podNames(context));
  });
}
const expectAll = (text: string, rows: readonly (readonly string[])[]): void => {
  for (const words of rows)
    expect(text).toMatch(new RegExp(words.map((word) => word.replaceAll(/[.*+?^$()[\]\\/]/g, "\\$&")).join("\\s*")));
};

behaviour(
  "Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods",
  (run, context) =>
    whilePrimary(run, context, 1, async ([pod = ""]) => {
      await run("create -f -", service);
      const { namespace } = context;
      const describe = async (line: string): Promise<string> => (await run(`describe ${line}`)).out;
      expectAll(await describe(`pod ${pod}`), [
        ["Name:", "agnhost-primary-"],
        ["Namespace:", namespace],
        ["Node:"],
        ["Labels:", "app=agnhost"],
        ["role=primary"],
        ["Status:", "Running"],
        ["IP:"],
        ["Controlled By:", "ReplicationController/agnhost-primary"],
        ["Image:", image],
        ["QoS Class:", "BestEffort"],
      ]);
      expectAll(await describe("rc agnhost-primary"), [
        ["Name:", "agnhost-primary"],
        ["Namespace:", namespace],
        ["Selector:", "app=agnhost,role=primary"],
        ["Labels:", "app=agnhost"],
        ["Replicas:", "1 current / 1 desired"],
        ["Pods Status:", "1 Running / 0 Waiting / 0 Succeeded / 0 Failed"],
        ["Pod Template:"],
        ["Image:", image],
        ["Events:"],
      ]);
      await vi.waitFor(
        async () =>
          expectAll(await describe("service agnhost-primary"), [
            ["Name:", "agnhost-primary"],
            ["Selector:", "app=agnhost,role=primary"],
            ["Type:", "ClusterIP"],
            ["IP:"],
            ["Port:", "<unset>", "6379/TCP"],
            ["Endpoints:", "10.244.0.1:6379"],
            ["Session Affinity:", "None"],
          ]),
        waitOptions,
      );
      expectAll(await describe(`namespace ${namespace}`), [
        ["Name:", namespace],
        ["Labels:"],
        ["Annotations:"],
        ["Status:", "Active"],
        ["No resource quota"],
        ["No LimitRange resource"],
      ]);
    }),
);

behaviour("Kubectl client Kubectl expose should create services for rc", (run, context) =>
  whilePrimary(run, context, 1, async () => {
    const leadsTo = (name: string, port: number): Promise<void> =>
      vi.waitFor(async () => {
        const at = { namespace: context.namespace, name };
        const core = context.client(CoreV1Api);
        expect((await core.readNamespacedService(at)).spec?.ports?.map((p) => p.port)).toEqual([port]);
        const [subset] = (await core.readNamespacedEndpoints(at)).subsets ?? [];
        expect([subset?.addresses?.length, subset?.ports?.map((p) => p.port)]).toEqual([1, [6379]]);
      }, waitOptions);
    await run("expose rc agnhost-primary --name=rm2 --port=1234 --target-port=6379");
    await leadsTo("rm2", 1234);
    await run("expose service rm2 --name=rm3 --port=2345 --target-port=6379");
    await leadsTo("rm3", 2345);
  }),
);

behaviour("Kubectl client Kubectl patch should add annotations for pods in rc", (run, context) =>
  whilePrimary(run, context, 2, async (pods) => {
    for (const pod of pods)
      expect(await run(["patch", "pod", pod, "-p", '{"metadata":{"annotations":{"x":"y"}}}'].join(" "))).toMatchObject({
        code: 0,
      });
    const { items } = await context.client(CoreV1Api).listNamespacedPod({ namespace: context.namespace });
    expect(items.map((p) => p.metadata?.annotations?.["x"])).toEqual(["y", "y"]);
  }),
);
