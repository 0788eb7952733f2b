// What a pod gets from the account it runs as, and when there is none.
import { expect, test } from "vitest";
import type { Container, Pod, PodSpec, ServiceAccount } from "../../../api/generated/types.ts";
import { pods } from "../../../api/core/pods.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { bootstrap } from "../../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { runningAs } from "../../../apiserver/admission/pods.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { World } from "../../../machinery/world.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const container = (name: string, own: readonly string[] = []): Container => ({
  name,
  image: "i",
  volumeMounts: own.map((path) => ({ name: "own", mountPath: path })),
});
const spec = (more: Partial<PodSpec> = {}): PodSpec => ({ containers: [container("c")], ...more });
const account = (more: Partial<ServiceAccount> = {}): ServiceAccount =>
  ({ metadata: { name: "a" }, ...more }) as ServiceAccount;
/** Which containers have a token, from which volumes, and how images are pulled. */
function say({ containers, initContainers = [], volumes = [], imagePullSecrets = [] }: PodSpec): string {
  const from = (c: Container): readonly string[] =>
    (c.volumeMounts ?? []).flatMap((m) => (m.mountPath === mountPath ? [`${c.name} < ${m.name}`] : []));
  return [
    ...[...containers, ...initContainers].flatMap(from),
    ...volumes.map((v) => `volume ${v.name}`),
    ...imagePullSecrets.map((s) => `pulls as ${s.name}`),
  ].join(", ");
}

const table: readonly (readonly [what: string, own: PodSpec, of: ServiceAccount, expected: string])[] = [
  ["a pod has a token", spec(), account(), "c < new, volume new"],
  ["in every container", spec({ initContainers: [container("i")] }), account(), "c < new, i < new, volume new"],
  ["unless its account has it not", spec(), account({ automountServiceAccountToken: false }), ""],
  [
    "but the pod's word counts for more",
    spec({ automountServiceAccountToken: true }),
    account({ automountServiceAccountToken: false }),
    "c < new, volume new",
  ],
  ["also when it is no", spec({ automountServiceAccountToken: false }), account(), ""],
  [
    "what is mounted in its place stays",
    spec({ containers: [container("c", [mountPath]), container("d")] }),
    account(),
    "c < own, d < new, volume new",
  ],
  [
    "and is all there is if it is everywhere",
    spec({ containers: [container("c", [mountPath])] }),
    account(),
    "c < own",
  ],
  [
    "a volume brought along is used",
    spec({ volumes: [{ name: "kube-api-access-own" }] }),
    account(),
    "c < kube-api-access-own, volume kube-api-access-own",
  ],
  [
    "images are pulled as the account does",
    spec({ automountServiceAccountToken: false }),
    account({ imagePullSecrets: [{ name: "registry" }] }),
    "pulls as registry",
  ],
  [
    "unless the pod says how",
    spec({ automountServiceAccountToken: false, imagePullSecrets: [{ name: "own" }] }),
    account({ imagePullSecrets: [{ name: "registry" }] }),
    "pulls as own",
  ],
];
for (const [what, own, of, expected] of table)
  test(`service accounts: ${what}`, () => expect(say(runningAs(own, of, () => "new"))).toBe(expected));

async function cluster() {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(1), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
  const run = (more: Partial<PodSpec>, namespace = "default"): Promise<Pod | string> =>
    client.create(pods, { kind: "Pod", metadata: { name: "p", namespace }, spec: spec(more) }).catch((e) => e.message);
  return { clock, client, run };
}

test("a pod of an account that is not there is refused", async () => {
  const { run } = await cluster();
  expect(await run({ serviceAccountName: "nobody" })).toBe(
    'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
  );
});

test("the account may be said by its older name", async () => {
  const { client, run } = await cluster();
  const metadata = { name: "older", namespace: "default" };
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata });
  expect(((await run({ serviceAccount: "older" })) as Pod).spec.serviceAccountName).toBe("older");
});

test("a new namespace's default account is waited for, but not for ever", async () => {
  const { clock, client, run } = await cluster();
  const inLease = { serviceAccountName: "default" };
  const waiting = run(inLease, "kube-node-lease");
  await clock.run(beginning + 500);
  const metadata = { name: "default", namespace: "kube-node-lease" };
  const made = await client.create(serviceAccounts, { kind: "ServiceAccount", metadata });
  await clock.run(beginning + 1_000);
  expect(await waiting).toMatchObject({ metadata: { name: "p" } });
  await client.delete(serviceAccounts, `${metadata.namespace}/${made.metadata.name}` as never);
  const inVain = run(inLease, "kube-node-lease");
  await clock.run(beginning + 10_000);
  expect(await inVain).toContain('serviceaccount "default" not found');
});
