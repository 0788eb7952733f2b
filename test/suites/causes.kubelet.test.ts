// Broken situations on a cluster with real controllers, scheduler and kubelet: each explanation has the true cause as
// its first root cause, and says what to try next.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Explanation } from "../../api/explanation/explanation.ts";
import { newRequest } from "../security/certificate-request.ts";
import { commandOutcome } from "./command-outcome.ts";
import { runningCluster } from "./running-cluster.ts";
import { jsonClientOf, type SendJson } from "./json-client.ts";
import type { TestServer } from "./listening.ts";
import { image } from "./simulated-node.ts";

let server: TestServer;
let send: SendJson;

const forever = ["sh", "-c", "while"];
const exits = (code: number): readonly string[] => ["sh", "-c", `exit ${code}`];
const container = (more: object = {}): object => ({ name: "app", image, command: forever, ...more });
const podSpec = (more: object = {}, spec: object = {}): object => ({ containers: [container(more)], ...spec });

interface Manifest {
  readonly path: string;
  readonly body: object;
}
const paths: Readonly<Record<string, string>> = {
  ...{
    Pod: "api/v1 pods",
    Service: "api/v1 services",
    Namespace: "api/v1",
    Node: "api/v1",
    ConfigMap: "api/v1 configmaps",
  },
  ...{ PersistentVolumeClaim: "api/v1 persistentvolumeclaims", ResourceQuota: "api/v1 resourcequotas" },
  ...{ Deployment: "apis/apps/v1 deployments", StatefulSet: "apis/apps/v1 statefulsets" },
  ...{ Job: "apis/batch/v1 jobs", CronJob: "apis/batch/v1 cronjobs" },
  ...{ HorizontalPodAutoscaler: "apis/autoscaling/v2 horizontalpodautoscalers" },
  ...{ PodDisruptionBudget: "apis/policy/v1 poddisruptionbudgets", Ingress: "apis/networking.k8s.io/v1 ingresses" },
};
const ofCluster: Readonly<Record<string, string>> = {
  Namespace: "/api/v1/namespaces",
  Node: "/api/v1/nodes",
  CertificateSigningRequest: "/apis/certificates.k8s.io/v1/certificatesigningrequests",
  StorageClass: "/apis/storage.k8s.io/v1/storageclasses",
};
const collection = (kind: string, namespace: string): string => {
  const [root = "", plural = ""] = paths[kind]?.split(" ") ?? [];
  return ofCluster[kind] ?? `/${root}/namespaces/${namespace}/${plural}`;
};
const manifest = (
  kind: string,
  name: string,
  rest: object,
  namespace = "default",
  metadata: object = {},
): Manifest => ({
  path: collection(kind, namespace),
  body: { metadata: { name, ...metadata }, ...rest },
});
const deployment = (name: string, spec: object, replicas = 1, namespace = "default"): Manifest =>
  manifest(
    "Deployment",
    name,
    {
      spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec },
      },
    },
    namespace,
  );
const claim = (name: string, storageClassName?: string): Manifest =>
  manifest("PersistentVolumeClaim", name, {
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      ...(storageClassName !== undefined && { storageClassName }),
    },
  });
const claimed = (claimName: string): object => ({ volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] });
const service = (name: string, app: string, targetPort: string | number = 80): Manifest =>
  manifest("Service", name, { spec: { selector: { app }, ports: [{ port: 80, targetPort }] } });
const withEnv = (from: object): object => ({ env: [{ name: "VALUE", valueFrom: from }] });

/** What is created, the object that is explained, and the reason and a part of the message of its first root cause. */
interface Situation {
  readonly manifests: readonly Manifest[];
  readonly about: readonly [kind: string, name: string, namespace?: string];
  readonly reason: string;
  readonly message: string;
  /** The kind of the object that the root cause is about, where it is another one. */
  readonly on?: string;
}
const crashing = podSpec({ command: exits(3) });
const probe = { exec: { command: ["sh", "-c", "exit 1"] }, periodSeconds: 1 };
const big = { resources: { requests: { cpu: "50" } } };
const situations: Readonly<Record<string, Situation>> = {
  "no node is large enough": {
    manifests: [deployment("big", podSpec(big))],
    ...{ about: ["Deployment", "big"], reason: "Unschedulable", message: "Insufficient cpu", on: "Pod" },
  },
  "an image that does not exist": {
    manifests: [deployment("pull", podSpec({ image: "no/such:1" }), 2)],
    ...{
      about: ["Deployment", "pull"],
      reason: "ErrImagePull",
      message: "manifest for no/such:1 not found (and 1 more)",
      on: "Pod",
    },
  },
  "a container that crashes": {
    manifests: [deployment("crash", crashing)],
    ...{ about: ["Deployment", "crash"], reason: "CrashLoopBackOff", message: "exits with code 3", on: "Pod" },
  },
  "a command that does not exist": {
    manifests: [deployment("command", podSpec({ command: ["nonsense"] }))],
    ...{ about: ["Deployment", "command"], reason: "StartError", message: "no such file or directory", on: "Pod" },
  },
  "a missing ConfigMap": {
    manifests: [deployment("config", podSpec(withEnv({ configMapKeyRef: { name: "absent", key: "a" } })))],
    ...{ about: ["Deployment", "config"], reason: "ConfigMapNotFound", message: '"absent"', on: "ConfigMap" },
  },
  "a missing key of a ConfigMap": {
    manifests: [
      manifest("ConfigMap", "present", { data: { a: "1" } }),
      deployment("key", podSpec(withEnv({ configMapKeyRef: { name: "present", key: "b" } }))),
    ],
    ...{ about: ["Deployment", "key"], reason: "ConfigMapKeyNotFound", message: "b", on: "ConfigMap" },
  },
  "a missing Secret in a volume": {
    manifests: [
      deployment(
        "secret",
        podSpec(
          { volumeMounts: [{ name: "s", mountPath: "/s" }] },
          { volumes: [{ name: "s", secret: { secretName: "absent" } }] },
        ),
      ),
    ],
    ...{ about: ["Deployment", "secret"], reason: "SecretNotFound", message: '"absent"', on: "Secret" },
  },
  "a readiness probe that fails": {
    manifests: [deployment("ready", podSpec({ readinessProbe: probe }))],
    ...{ about: ["Deployment", "ready"], reason: "ReadinessProbeFailed", message: "fails its probe", on: "Pod" },
  },
  "an init container that fails": {
    manifests: [deployment("init", podSpec({}, { initContainers: [{ name: "first", image, command: exits(4) }] }))],
    ...{
      about: ["Deployment", "init"],
      reason: "CrashLoopBackOff",
      message: "init container first exits with code 4",
      on: "Pod",
    },
  },
  "a quota": {
    manifests: [
      manifest("ResourceQuota", "none", { spec: { hard: { pods: "0" } } }, "limited"),
      deployment("web", podSpec(), 1, "limited"),
    ],
    ...{
      about: ["Deployment", "web", "limited"],
      reason: "QuotaExceeded",
      message: "exceeded quota: none",
      on: "ResourceQuota",
    },
  },
  "pod security": {
    manifests: [deployment("web", podSpec(), 1, "strict")],
    ...{
      about: ["Deployment", "web", "strict"],
      reason: "PodSecurityViolation",
      message: "violates PodSecurity",
      on: "ReplicaSet",
    },
  },
  "a service account that does not exist": {
    manifests: [deployment("account", podSpec({}, { serviceAccountName: "absent" }))],
    ...{
      about: ["Deployment", "account"],
      reason: "ServiceAccountNotFound",
      message: '"absent" not found',
      on: "ServiceAccount",
    },
  },
  "a claim of a class that does not exist, of a pod": {
    manifests: [claim("unclassed", "absent"), deployment("data", podSpec({}, claimed("unclassed")))],
    ...{
      about: ["Deployment", "data"],
      reason: "StorageClassNotFound",
      message: '"absent" does not exist',
      on: "StorageClass",
    },
  },
  "a claim that does not exist": {
    manifests: [deployment("claimless", podSpec({}, claimed("absent")))],
    ...{
      about: ["Deployment", "claimless"],
      reason: "ClaimNotFound",
      message: '"absent"',
      on: "PersistentVolumeClaim",
    },
  },
  "a claim without a class where none is the default": {
    manifests: [claim("plain")],
    ...{ about: ["PersistentVolumeClaim", "plain"], reason: "NoStorageClass", message: "no default one" },
  },
  "a claim whose provisioner does not run": {
    manifests: [claim("driverless", "driverless")],
    ...{
      about: ["PersistentVolumeClaim", "driverless"],
      reason: "ProvisionerNotFound",
      message: "none.example.com",
      on: "StorageClass",
    },
  },
  "a claim that no pod uses": {
    manifests: [claim("unused", "late")],
    ...{ about: ["PersistentVolumeClaim", "unused"], reason: "WaitForFirstConsumer", message: "no pod uses it" },
  },
  "a service whose selector matches nothing": {
    manifests: [service("lost", "nothing")],
    ...{ about: ["Service", "lost"], reason: "NoMatchingPods", message: "app=nothing" },
  },
  "a service whose pods crash": {
    manifests: [service("down", "crash")],
    ...{ about: ["Service", "down"], reason: "CrashLoopBackOff", message: "exits with code 3", on: "Pod" },
  },
  "a service that names a port that pods do not have": {
    manifests: [service("port", "fine", "web")],
    ...{ about: ["Service", "port"], reason: "TargetPortNotFound", message: '"web"' },
  },
  "a stateful set that waits for its first pod": {
    manifests: [
      manifest("StatefulSet", "db", {
        spec: {
          ...{ replicas: 3, serviceName: "db", selector: { matchLabels: { app: "db" } } },
          template: { metadata: { labels: { app: "db" } }, spec: podSpec({ image: "no/such:2" }) },
        },
      }),
    ],
    ...{ about: ["StatefulSet", "db"], reason: "ErrImagePull", message: "no/such:2", on: "Pod" },
  },
  "a job that has failed": {
    manifests: [
      manifest("Job", "once", {
        spec: { backoffLimit: 0, template: { spec: podSpec({ command: exits(5) }, { restartPolicy: "Never" }) } },
      }),
    ],
    ...{ about: ["Job", "once"], reason: "Error", message: "exits with code 5", on: "Pod" },
  },
  "a cron job that is suspended": {
    manifests: [
      manifest("CronJob", "nightly", {
        spec: {
          ...{ schedule: "0 0 * * *", suspend: true },
          jobTemplate: { spec: { template: { spec: podSpec({}, { restartPolicy: "Never" }) } } },
        },
      }),
    ],
    ...{ about: ["CronJob", "nightly"], reason: "CronJobSuspended", message: "spec.suspend is true" },
  },
  "a pod with a scheduling gate": {
    manifests: [manifest("Pod", "gated", { spec: podSpec({}, { schedulingGates: [{ name: "example.com/wait" }] }) })],
    ...{ about: ["Pod", "gated"], reason: "SchedulingGated", message: "example.com/wait" },
  },
  "a pod on a node that is not ready": {
    manifests: [manifest("Pod", "placed", { spec: podSpec({}, { nodeName: "silent" }) })],
    ...{ about: ["Pod", "placed"], reason: "NodeNotReady", message: "the node silent is not ready", on: "Node" },
  },
  "a pod that a finalizer keeps": {
    manifests: [manifest("Pod", "kept", { spec: podSpec(big) }, "default", { finalizers: ["example.com/keep"] })],
    ...{ about: ["Pod", "kept"], reason: "FinalizersPending", message: "example.com/keep" },
  },
  "a namespace that does not go away": {
    manifests: [manifest("ConfigMap", "kept", {}, "ending", { finalizers: ["example.com/keep"] })],
    ...{ about: ["Namespace", "ending"], reason: "SomeFinalizersRemain", message: "example.com/keep" },
  },
  "an autoscaler whose target does not exist": {
    manifests: [
      manifest("HorizontalPodAutoscaler", "scaler", {
        spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "absent" } },
      }),
    ],
    ...{ about: ["HorizontalPodAutoscaler", "scaler"], reason: "FailedGetScale", message: "not found" },
  },
  "a budget that allows no disruption": {
    manifests: [
      manifest("PodDisruptionBudget", "strict", {
        spec: { minAvailable: 1, selector: { matchLabels: { app: "fine" } } },
      }),
    ],
    ...{
      about: ["PodDisruptionBudget", "strict"],
      reason: "DisruptionsNotAllowed",
      message: "needs 1 of 1 pods healthy",
    },
  },
  "a node whose kubelet is silent": {
    manifests: [],
    ...{ about: ["Node", "silent"], reason: "KubeletNotReporting", message: "has not reported" },
  },
  "an ingress without a controller": {
    manifests: [
      manifest("Ingress", "way", { spec: { defaultBackend: { service: { name: "fine", port: { number: 80 } } } } }),
    ],
    ...{ about: ["Ingress", "way"], reason: "NoIngressController", message: "no controller" },
  },
  "a request for a certificate that nobody has approved": {
    manifests: [],
    ...{ about: ["CertificateSigningRequest", "someone"], reason: "NotApproved", message: "nobody has approved" },
  },
};

const create = async ({ path, body }: Manifest): Promise<void> => {
  const { status, json } = await send("POST", path, body);
  expect([status, status === 201 ? "" : json.message]).toEqual([201, ""]);
};
const pathOf = ([kind, name, namespace = "default"]: Situation["about"]): string =>
  `/explain${collection(kind, namespace)}/${name}`;
const explain = async (about: Situation["about"]): Promise<Explanation> => (await send("GET", pathOf(about))).json;

beforeAll(async () => {
  server = await runningCluster({ authorizationMode: "RBAC" });
  send = jsonClientOf(server);
  const strict = { labels: { "pod-security.kubernetes.io/enforce": "restricted" } };
  for (const [name, metadata] of [
    ["limited", {}],
    ["strict", strict],
    ["ending", {}],
  ] as const)
    await create(manifest("Namespace", name, {}, "", metadata));
  for (const [name, volumeBindingMode, provisioner] of [
    ["late", "WaitForFirstConsumer", "none.example.com"],
    ["driverless", "Immediate", "none.example.com"],
  ])
    await create({ path: ofCluster["StorageClass"]!, body: { metadata: { name }, provisioner, volumeBindingMode } });
  await create(manifest("Node", "silent", {}, ""));
  await create({
    path: ofCluster["CertificateSigningRequest"]!,
    body: {
      metadata: { name: "someone" },
      spec: {
        request: await newRequest({ name: "someone", groups: [] }),
        signerName: "example.com/signer",
        usages: ["client auth"],
      },
    },
  });
  // Pods need the account and the certificate that controllers create.
  await vi.waitFor(async () => {
    for (const namespace of ["default", "limited", "strict"])
      for (const path of ["serviceaccounts/default", "configmaps/kube-root-ca.crt"])
        expect((await send("GET", `/api/v1/namespaces/${namespace}/${path}`)).status).toBe(200);
  }, 10_000);
  await create(deployment("fine", podSpec()));
  await create(service("fine", "fine"));
  await Promise.all(Object.values(situations).flatMap(({ manifests }) => manifests.map(create)));
  await send("DELETE", "/api/v1/namespaces/default/pods/kept", {});
  await send("DELETE", "/api/v1/namespaces/ending", {});
});
afterAll(() => server.close());

test.each(Object.entries(situations))("%s", async (_, { about, reason, message, on }) => {
  const explanation = await vi.waitFor(
    async () => {
      const found = await explain(about);
      expect(found.causes?.[0], JSON.stringify(found)).toMatchObject({
        reason,
        message: expect.stringContaining(message),
      });
      return found;
    },
    { timeout: 20_000, interval: 200 },
  );
  const [root] = explanation.causes;
  expect(["Failing", "Waiting"]).toContain(explanation.summary.state);
  expect([root!.object?.kind, root!.causes]).toEqual([on ?? root!.object?.kind, undefined]);
  expect(root!.next).toEqual(expect.any(String));
});

test("the explanation of a deployment: the chain to its pods, decisions with what woke them, and who wrote which field", async () => {
  const { causes, decisions, fields, owners } = await explain(["Deployment", "crash"]);
  const [, branch] = causes;
  expect(branch).toMatchObject({
    ...{ reason: "ReplicaSetNotReady", object: { kind: "ReplicaSet" } },
    causes: [{ reason: "CrashLoopBackOff", object: { kind: "Pod" } }],
  });
  expect(owners).toEqual([]);
  expect(decisions.map(({ controller }) => controller)).toEqual(expect.arrayContaining(["deployment", "replicaset"]));
  const creation = decisions.find(({ actions }) =>
    actions.some((line) => line.startsWith("create pods default/crash-")),
  );
  expect(creation).toMatchObject({
    ...{ controller: "replicaset", kind: "ReplicaSet", because: ["1 desired, 0 active, 0 terminating"] },
    reasons: [{ type: "added", kind: "ReplicaSet" }],
  });
  expect(fields.find(({ manager }) => manager === "tester")?.paths).toContain(
    'spec.template.spec.containers[name="app"].command',
  );
});

test("the explanation of a pod: its chain of controllers, what its kubelet decided, and the controller that made it", async () => {
  const { json } = await send("GET", "/api/v1/namespaces/default/pods?labelSelector=app%3Dfine");
  const name: string = json.items[0].metadata.name;
  const { summary, owners, kubelet, decisions, causes } = await explain(["Pod", name]);
  expect([summary.state, causes]).toEqual(["AsDesired", []]);
  expect(owners.map((o) => o.kind)).toEqual(["ReplicaSet", "Deployment"]);
  expect(kubelet).toMatchObject({ node: "n1" });
  const actions = kubelet!.decisions.flatMap((d) => d.actions);
  expect(actions).toEqual(expect.arrayContaining(["mountVolumes", "runSandbox", "getImage app", "create app"]));
  expect(decisions.some((d) => d.actions.includes(`create pods default/${name}`))).toBe(true);
});

test("orrery why lists what is not as desired, without what a controller explains", async () => {
  const { out, err, code } = await commandOutcome(["why"], server.kubeconfig);
  expect([err, code]).toEqual(["", 0]);
  const lines = out.split("\n").map((line) => line.split(/\s{2,}/));
  const reasonOf = (name: string): string | undefined => lines.find(([first]) => first === name)?.at(-1);
  expect(lines[0]).toEqual(["OBJECT", "STATE", "WHY"]);
  expect(reasonOf("deployment/crash")).toMatch(/^CrashLoopBackOff on pod\/crash-\S+: container app exits with code 3/);
  expect(reasonOf("service/lost")).toMatch(/^NoMatchingPods: its selector app=nothing matches no pod/);
  expect(reasonOf("deployment/fine")).toBeUndefined();
  expect(lines.some(([first]) => first?.startsWith("pod/crash-") || first?.startsWith("replicaset/"))).toBe(false);
});

test("orrery why deploy/NAME prints the root cause, what to try next, and the chain that leads from it", async () => {
  const { out } = await commandOutcome(["why", "deploy/config", "svc/lost"], server.kubeconfig);
  expect(out).toMatch(/^Deployment default\/config 0 of 1 pods are ready \[failing\]\n\nWhy:\n/);
  expect(
    out,
  ).toContain(`  ConfigMapNotFound on configmap/absent: the ConfigMap "absent", which the pod needs, does not exist
    next: create it: orrery create configmap absent --from-literal=KEY=VALUE
`);
  expect(out).toMatch(
    /Because of it:\n {2}ReplicaSetNotReady on replicaset\/config-\S+: 0 of 1 pods are ready\n {4}ConfigMap/,
  );
  expect(out).toMatch(/\n +\d+s ago {2}replicaset: 1 desired, 0 active, 0 terminating -> create pods default\/config-/);
  expect(out).toContain("\n\nService default/lost has no endpoints [failing]\n");
});
