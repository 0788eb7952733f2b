// Service account admission: token volumes and image pull secrets of pods, and missing accounts.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { expect, test } from "vitest";
import type { Container, Pod, PodSpec, ServiceAccount } from "../../../api/generated/types.ts";
import { pods } from "../../../api/core/pods.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { runningAs } from "../../../apiserver/admission/pods.ts";
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
/** A summary of token mounts, added volumes and image pull secrets. */
function summaryOf({ containers, initContainers = [], volumes = [], imagePullSecrets = [] }: PodSpec): string {
  const from = (c: Container): readonly string[] =>
    (c.volumeMounts ?? []).flatMap((m) => (m.mountPath === mountPath ? [`${c.name} < ${m.name}`] : []));
  return [
    ...[...containers, ...initContainers].flatMap(from),
    ...volumes.map((v) => `volume ${v.name}`),
    ...imagePullSecrets.map((s) => `pulls as ${s.name}`),
  ].join(", ");
}

const table: readonly (readonly [what: string, own: PodSpec, of: ServiceAccount, expected: string])[] = [
  ["a container gets a token", spec(), account(), "c < new, volume new"],
  [
    "every container gets a token",
    spec({ initContainers: [container("i")] }),
    account(),
    "c < new, i < new, volume new",
  ],
  ["automount is disabled by the account", spec(), account({ automountServiceAccountToken: false }), ""],
  [
    "automount is enabled by the pod",
    spec({ automountServiceAccountToken: true }),
    account({ automountServiceAccountToken: false }),
    "c < new, volume new",
  ],
  ["automount is disabled by the pod", spec({ automountServiceAccountToken: false }), account(), ""],
  [
    "an existing mount at the path is kept",
    spec({ containers: [container("c", [mountPath]), container("d")] }),
    account(),
    "c < own, d < new, volume new",
  ],
  [
    "no volume is added when all containers have a mount",
    spec({ containers: [container("c", [mountPath])] }),
    account(),
    "c < own",
  ],
  [
    "an existing token volume is used",
    spec({ volumes: [{ name: "kube-api-access-own" }] }),
    account(),
    "c < kube-api-access-own, volume kube-api-access-own",
  ],
  [
    "image pull secrets come from the account",
    spec({ automountServiceAccountToken: false }),
    account({ imagePullSecrets: [{ name: "registry" }] }),
    "pulls as registry",
  ],
  [
    "image pull secrets of the pod are kept",
    spec({ automountServiceAccountToken: false, imagePullSecrets: [{ name: "own" }] }),
    account({ imagePullSecrets: [{ name: "registry" }] }),
    "pulls as own",
  ],
];
for (const [what, own, of, expected] of table)
  test(`service accounts: ${what}`, () => expect(summaryOf(runningAs(own, of, () => "new"))).toBe(expected));

async function cluster() {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(1), log: () => {} };
  const client = await bootstrappedClient(world);
  const run = (more: Partial<PodSpec>, namespace = "default"): Promise<Pod | string> =>
    client.create(pods, { kind: "Pod", metadata: { name: "p", namespace }, spec: spec(more) }).catch((e) => e.message);
  return { clock, client, run };
}

test("a pod with a missing account is refused", async () => {
  const { run } = await cluster();
  expect(await run({ serviceAccountName: "nobody" })).toBe(
    'pods "p" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
  );
});

test("the deprecated field serviceAccount is accepted", async () => {
  const { client, run } = await cluster();
  const metadata = { name: "older", namespace: "default" };
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata });
  expect(((await run({ serviceAccount: "older" })) as Pod).spec.serviceAccountName).toBe("older");
});

test("pod creation waits for the default account up to a limit", async () => {
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
